"""Counts beside a large offset give the model of the counts alone, and it takes such files."""

from pathlib import Path

import numpy as np
import pytest

import seqbench
from seqbench.config.benchmark import Benchmark
from seqbench.plan.job_settings import JobSettings
from seqbench.steps import ingest, window
from seqbench.storage.models import read_model
from seqbench.storage.records import RunIdentity
from seqbench.training.finetune import FinetuneJob, finetune

OFFSET = 1_000_000_000  # around which single precision has a value every 64 counts
N_SAMPLES, RATE_HZ = 600, 100


def recording(seed: int, offset: int) -> np.ndarray:
    """Return counts with a pulse of 40 every 0.8 s, and noise of 1."""
    noise = np.random.default_rng(seed).normal(size=(N_SAMPLES, 1))
    noise[50::80] += 40
    return offset + np.rint(noise).astype(np.int64)


def trained(root: Path, offset: int) -> Path:
    """Run the steps on a folder of such recordings, and return the file of the model."""
    (root / "data/recordings").mkdir(parents=True)
    rows = ["recording,onset_s,label"]
    for seed in range(4):
        np.save(root / f"data/recordings/r{seed}.npy", recording(seed, offset))
        rows += [f"r{seed},{at / RATE_HZ},pulse" for at in range(50, N_SAMPLES, 80)]
    (root / "data/events.csv").write_text("\n".join(rows) + "\n")
    jobs = JobSettings(
        Benchmark.load(
            {
                "runs": [{"datasets": ["d"], "architectures": ["event_rnn"], "seeds": [0]}],
                "datasets": {
                    "d": {
                        "source": "folder",
                        "path": str(root / "data"),
                        "task": "detection",
                        "sampling_rate_hz": RATE_HZ,
                        "tolerance_ms": 20,
                        "window": {"length_samples": 128},
                        "split": {"val": ["r2"], "test": ["r3"]},
                    }
                },
                "architectures": {"event_rnn": {"widths": [8, 8], "hidden_size": 8}},
                "finetune": {"epochs": 10, "min_steps_per_epoch": 10, "learning_rate": 0.01},
            }
        )
    )
    ingest.run(jobs.ingest("d"), root / "recordings")
    window.run(root / "recordings", jobs.window("d"), root / "windows")
    finetune(
        FinetuneJob(
            settings=jobs.finetune("d", "event_rnn", "scratch", 1.0),
            run=RunIdentity(
                dataset="d", architecture="event_rnn", arm="scratch", labels=1.0, seed=0
            ),
            windows=root / "windows",
            device="cpu",
            model=root / "model",
            history=root / "history",
            transfer=root / "transfer",
        )
    )
    return root / "model"


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    root = tmp_path_factory.mktemp("offsets")
    return trained(root / "far", OFFSET), trained(root / "near", 0)


def test_the_model_is_that_of_the_counts_alone_and_knows_the_offset(models):
    far, near = map(read_model, models)

    assert far.header.subtracted == (OFFSET,)
    assert near.header.subtracted == ()
    assert far.header.units == (f"less {OFFSET:.10g}",)
    assert near.header.units == ("",)
    assert far.header.normalization == near.header.normalization
    for name, array in near.arrays.items():
        np.testing.assert_array_equal(far.arrays[name], array)


def test_a_file_with_the_offset_has_the_events_of_the_counts_alone(models, tmp_path):
    far, near = models
    found = []
    for model, offset in ((far, OFFSET), (near, 0)):
        np.save(tmp_path / "new.npy", recording(9, offset))
        found.append(seqbench.predict(model, tmp_path / "new.npy"))

    assert len(found[1]) > 0
    assert found[0].to_dict() == found[1].to_dict()
