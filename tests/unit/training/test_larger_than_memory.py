"""A limit on memory changes where signals lie, and no number."""

import numpy as np
import pytest

from seqbench.config.benchmark import Benchmark
from seqbench.plan.job_settings import JobSettings
from seqbench.steps import ingest, window
from seqbench.storage.metrics import read_metrics
from seqbench.storage.models import read_model
from seqbench.storage.records import RunIdentity
from seqbench.storage.windows import read_windows
from seqbench.tasks.scoring import evaluate
from seqbench.training.finetune import FinetuneJob, finetune
from seqbench.training.pretrain import PretrainJob, pretrain

DATASETS = {
    "waves": {"source": "waves", "n_windows": 60, "window_samples": 40},
    "strikes": {
        "source": "strikes_continuous",
        "n_train": 2,
        "n_val": 1,
        "n_test": 1,
        "n_types": 3,
        "train_s": 6,
        "val_s": 4,
        "test_s": 4,
    },
}
ARCHITECTURES = {
    "waves": ("cnn1d", {"widths": [8], "kernel_sizes": [5], "strides": [2]}),
    "strikes": ("event_rnn", {"widths": [8, 8], "hidden_size": 8}),
}
TRAINING = {"epochs": 2, "min_steps_per_epoch": 5, "batch_size": 8}


def results(folder, dataset, limit):
    """Run all steps with a limit; return the arrays of encoder and model, history and scores."""
    architecture, options = ARCHITECTURES[dataset]
    jobs = JobSettings(
        Benchmark.load(
            {
                "runs": [{"datasets": [dataset], "architectures": [architecture], "seeds": [0]}],
                "datasets": {dataset: DATASETS[dataset]},
                "architectures": {architecture: options},
                "finetune": TRAINING,
                "pretrain": TRAINING,
            }
        )
    )
    run = RunIdentity(dataset=dataset, architecture=architecture, arm="scratch", labels=1.0, seed=0)
    ingest.run(jobs.ingest(dataset), folder / "recordings")
    window.run(folder / "recordings", jobs.window(dataset), folder / "windows", limit)
    common = {"windows": folder / "windows", "device": "cpu", "memory_limit": limit}
    pretrain(
        PretrainJob(
            settings=jobs.pretrain(architecture, "masked"),
            dataset=dataset,
            seed=0,
            encoder=folder / "encoder",
            history=folder / "pretraining",
            **common,
        )
    )
    finetune(
        FinetuneJob(
            settings=jobs.finetune(dataset, architecture, "scratch", 1.0),
            run=run,
            model=folder / "model",
            history=folder / "history",
            transfer=folder / "transfer",
            **common,
        )
    )
    evaluate(
        settings=jobs.evaluate(dataset),
        run=run,
        threads=1,
        model=folder / "model",
        predictions=folder / "predictions",
        metrics=folder / "metrics",
        **common,
    )
    history = (folder / "history").read_text().splitlines()
    return {
        "windows": (folder / "windows").read_bytes(),
        "encoder": read_model(folder / "encoder").arrays,
        "model": read_model(folder / "model").arrays,
        "history": [row.rpartition(",")[0] for row in history],  # without seconds
        "scores": read_metrics(folder / "metrics").scores,
        "events": read_metrics(folder / "metrics").events,
    }


@pytest.mark.parametrize("dataset", list(DATASETS))
def test_data_on_disk_give_the_numbers_of_data_in_memory(tmp_path, dataset):
    disk = results(tmp_path / "disk", dataset, "0B")
    memory = results(tmp_path / "memory", dataset, "1GB")

    for part in ("windows", "history", "scores", "events"):
        assert disk[part] == memory[part], part
    for part in ("encoder", "model"):
        for name, array in memory[part].items():
            assert np.array_equal(disk[part][name], array), name
    if dataset == "strikes":  # whose events are counted, with the amplitudes of the generator
        n_events = len(read_windows(tmp_path / "memory/windows", "test").events.onset)
        assert memory["events"].has_levels
        assert sum(row.n for row in memory["events"].by_level) == n_events > 0
    else:
        assert memory["events"] is None
