"""Canaries: labels that mean nothing are learned by nobody, unless test is in train."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from seqbench.config.benchmark import Benchmark
from seqbench.plan.job_settings import JobSettings
from seqbench.steps import ingest, window
from seqbench.storage.metrics import read_metrics
from seqbench.storage.recordings import read_recordings, write_recordings
from seqbench.storage.records import RunIdentity
from seqbench.storage.windows import read_leakcheck
from seqbench.tasks.scoring import evaluate
from seqbench.training.finetune import FinetuneJob, finetune

RUN = RunIdentity(dataset="canary", architecture="cnn1d", arm="scratch", labels=1.0, seed=0)
BENCHMARK = {
    "runs": [
        {
            "datasets": ["canary"],
            "architectures": ["cnn1d"],
            "seeds": [0],
        }
    ],
    "datasets": {
        "canary": {"source": "waves", "n_windows": 400, "window_samples": 40, "random_phase": True}
    },
    "architectures": {"cnn1d": {"widths": [32, 32], "kernel_sizes": [7, 5], "strides": [2, 2]}},
    "finetune": {
        "epochs": 20,
        "min_steps_per_epoch": 9,
        "learning_rate": 0.005,
        "patience_epochs": 20,
    },
}
N_TEST = 60
# Hits of 60 that a fair coin has in all but one of a thousand trials.
FEWEST, MOST = binom.interval(0.999, N_TEST, 0.5)


def shuffled(recordings):
    """Return recordings with labels of which none belongs to its signal."""
    label = np.random.default_rng(0).permutation(recordings.label)
    return replace(recordings, label=label)


@pytest.fixture
def hits(tmp_path):
    """Run the steps on changed recordings: windows of test that are right, and the check."""

    def run(change):
        jobs = JobSettings(Benchmark.load(BENCHMARK))
        paths = {
            name: tmp_path / name
            for name in ("windows", "model", "history", "transfer", "predictions", "metrics")
        }
        ingest.run(jobs.ingest("canary"), tmp_path / "recordings")
        write_recordings(tmp_path / "recordings", change(read_recordings(tmp_path / "recordings")))
        window.run(tmp_path / "recordings", jobs.window("canary"), paths["windows"])
        settings = jobs.finetune("canary", "cnn1d", "scratch", 1.0)
        outputs = {key: paths[key] for key in ("model", "history", "transfer")}
        finetune(
            FinetuneJob(
                windows=paths["windows"],
                settings=settings,
                run=RUN,
                device="cpu",
                **outputs,
            )
        )
        evaluate(
            settings=jobs.evaluate("canary"),
            run=RUN,
            device="cpu",
            threads=1,
            **{key: paths[key] for key in ("windows", "model", "predictions", "metrics")},
        )
        metrics = read_metrics(paths["metrics"])
        assert metrics.n_windows["test"] == N_TEST
        accuracy = metrics.scores["test"]["accuracy"].value
        return round(accuracy * N_TEST), read_leakcheck(paths["windows"])

    return run


def test_true_labels_are_learned(hits):
    n_right, check = hits(lambda recordings: recordings)

    assert n_right > MOST
    assert check.n_repeated["test"] == 0


def test_shuffled_labels_score_at_chance(hits):
    n_right, check = hits(shuffled)

    assert FEWEST <= n_right <= MOST
    assert check.n_repeated["test"] == 0
