"""A task of another package, all of it in one module: how many pulses a window holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from seqbench.baselines.base import Arrays, Baseline
from seqbench.config.datasets import DatasetEntry
from seqbench.config.options import Count
from seqbench.config.registry import (
    BASELINES,
    DATASETS,
    EVIDENCE,
    FIGURES,
    METRICS,
    TASK_PROFILES,
    TASK_WINDOWS,
    TASKS,
)
from seqbench.plan.job_settings import WindowJobSettings
from seqbench.storage.normalization import Normalization
from seqbench.storage.recordings import Recordings
from seqbench.storage.sequences import Sequences
from seqbench.storage.windows import WindowSet
from seqbench.tasks.base import Task
from seqbench.tasks.profile import TaskProfile
from seqbench.tasks.windows import TaskWindows
from seqbench.windowing.segment import Window, cut_sequences


@DATASETS.register("pulses", task="counting", sample="series")
def pulses(cache: Path, *, n_recordings: Count = 6) -> Recordings:
    """Noise with pulses of one sample.

    Parameters
    ----------
    cache
        Not used.
    n_recordings
        Recordings of each split.
    """
    del cache
    rng = np.random.default_rng(0)
    splits = [split for split in ("train", "val", "test") for _ in range(n_recordings)]
    here = [(rng.random((64, 1)) < 0.1).astype(np.float32) for _ in splits]
    return Recordings.without_classes(
        [one + rng.normal(0, 0.05, one.shape).astype(np.float32) for one in here],
        task="counting",
        names=[f"p{i}" for i in range(len(splits))],
        splits=splits,
        channels=["x"],
        units=["V"],
        targets=here,
        target_names=["pulses"],
        target_units=[""],
    )


def counts(windows: WindowSet) -> np.ndarray:
    """Return the pulses of each window, (N, 1)."""
    values, stop = windows.required_targets.values[:, 0], windows.start + windows.length
    sums = [values[a:b].sum() for a, b in zip(windows.start, stop, strict=True)]
    return np.array(sums, dtype=np.float64)[:, None]


@TASKS.register("counting", labels="values")
class CountingTask(Task):
    """One number for each window.

    Parameters
    ----------
    most
        Larger predictions are cut to this.
    """

    name = "counting"
    headline = "exact"
    tiebreak = "count_error"

    def __init__(self, *, most: Count = 20) -> None:
        self.most = most

    def head(self, encoder, header):
        """Build one output for each window."""
        import torch
        from torch.nn import functional as F

        from seqbench.models.pooling import PooledLinear
        from seqbench.tasks.head import Head

        most = self.most

        class CountingHead(Head):
            measured = "count_error"

            def __init__(self):
                super().__init__()
                self.output = PooledLinear(encoder, 1, 0.0)

            def forward(self, frames, lengths=None):
                return self.output(frames, lengths)

            def loss(self, logits, target, weight=None):
                return F.mse_loss(logits, target)

            def scores(self, logits):
                return logits.double().clamp(0, most)

            def measure(self, logits, target):
                return torch.abs(logits - target)[:, 0]

        return CountingHead()

    def targets(self, windows, signal):
        """Return the count of every window."""
        import torch

        from seqbench.tasks.targets import TargetTable

        class Counts(TargetTable):
            values = torch.from_numpy(counts(windows)).float().to(signal.device)

            def batch(self, rows):
                return self.values[rows.index]

        return Counts()

    def join(self, windows, predicted, *, are_probabilities, tuned):
        """Join counts (N, 1) with the windows they belong to."""
        return Sequences(
            prediction=predicted,
            target=counts(windows),
            sequence=np.arange(len(windows)),
            ahead=np.zeros(len(windows), dtype=np.int64),
            recording=[windows.names[i] for i in windows.recording],
            group=[windows.groups[i] for i in windows.recording],
            start=windows.start,
            names=["pulses"],
            units=[""],
            classes=[],
        )


@TASK_WINDOWS.register("counting")
class CountingWindows(TaskWindows):
    """Windows whose samples have targets that are summed."""

    def cut(self, recordings: Recordings, job: WindowJobSettings) -> list[Window]:
        """Cut windows wherever pulses are."""
        return cut_sequences(recordings, job.window)

    def target_normalization(self, of_signal, values) -> Normalization:
        """Return none: counts are counts."""
        return Normalization.neutral(1)

    def reference(self, windows: WindowSet):
        """Return a function that gives the count of a window."""
        return counts(windows)[:, 0].tolist().__getitem__


@TASK_PROFILES.register("counting")
class CountingProfile(TaskProfile):
    """One number for each window."""

    name = "counting"

    def problems(self, dataset: str, entry: DatasetEntry, sample: str) -> Iterator[str]:
        """Refuse windows that count a pulse twice."""
        yield from super().problems(dataset, entry, sample)
        if entry.window.overlap:
            yield f"datasets.{dataset}.window.overlap: pulses would count twice; take it out"


@METRICS.register("exact", tasks=("counting",), better="higher", order=0)
def exact(found: Sequences, weights: np.ndarray) -> np.ndarray:
    """Fraction of windows whose rounded count is right."""
    return found.mean((np.rint(found.prediction) == found.target)[:, 0].astype(float), weights)


@METRICS.register("count_error", tasks=("counting",), better="lower", order=1)
def count_error(found: Sequences, weights: np.ndarray) -> np.ndarray:
    """Mean absolute error of the count."""
    return found.mean(np.abs(found.prediction - found.target)[:, 0], weights)


@BASELINES.register(
    "mean_count",
    accepts=("series",),
    tasks=("counting",),
    floor_of=("counting",),
    stochastic=False,
    imports=(),
)
class MeanCount(Baseline):
    """The mean count of training."""

    gives_probabilities = False

    def fit(self, parts: list[WindowSet], seed: int) -> Arrays:
        """Take the mean."""
        return {"mean": np.concatenate([counts(part) for part in parts]).mean(axis=0)}

    def predict(self, arrays: Arrays, windows: WindowSet) -> np.ndarray:
        """Return the mean for every window, (N, 1)."""
        return np.tile(arrays["mean"], (len(windows), 1))


@EVIDENCE.register("counting", tasks=("counting",))
def gather_counts(inputs):
    """Read the predicted counts."""
    from seqbench.reporting.evidence.sequences import gather_sequences

    return gather_sequences(inputs)


@FIGURES.register("counts", title="Predicted and true counts", tasks=("counting",), order=20)
def draw_counts(material):
    """Test windows by true and predicted count."""
    from seqbench.reporting.figures.sequences import agreement

    return agreement(material)
