"""Floors that see no signal: frequencies of classes, means of values, rates of events."""

import numpy as np
from numpy.typing import NDArray

from seqbench.baselines.base import Arrays, Baseline, labels, samples
from seqbench.config.registry import BASELINES
from seqbench.storage.detections import Candidates
from seqbench.storage.windows import WindowSet

SCORE = 0.5  # of every event: all are equally likely


@BASELINES.register(
    "majority",
    accepts=("series", "tokens", "video"),
    tasks=("classification", "labelling"),
    floor_of=("classification", "labelling"),
)
class MajorityBaseline(Baseline):
    """Class frequencies of training as the probabilities of every window or sample."""

    gives_probabilities = True

    def fit(self, splits: list[WindowSet], seed: int) -> Arrays:
        """Count the classes."""
        counts = np.bincount(labels(splits), minlength=len(splits[0].classes))
        return {"frequency": counts / counts.sum()}

    def predict(self, arrays: Arrays, windows: WindowSet) -> NDArray[np.float64]:
        """Return the frequencies for every window, (N, K), or in labelling sample, (S, K)."""
        n = len(windows) if windows.targets is None else int(windows.length.sum())
        return np.tile(arrays["frequency"], (n, 1))


@BASELINES.register(
    "mean", accepts=("series", "tokens"), tasks=("regression",), floor_of=("regression",)
)
class MeanBaseline(Baseline):
    """The mean of each value in training, whatever the signal is."""

    def fit(self, splits: list[WindowSet], seed: int) -> Arrays:
        """Take the mean of what is known."""
        values = np.concatenate([samples(split) for split in splits])
        return {"mean": np.asarray(np.nanmean(values, axis=0, dtype=np.float64))}

    def predict(self, arrays: Arrays, windows: WindowSet) -> NDArray[np.float64]:
        """Return the mean for every sample, (S, D)."""
        return np.tile(arrays["mean"], (int(windows.length.sum()), 1))


@BASELINES.register("metronome", accepts=("series",), tasks=("detection",), floor_of=("detection",))
class MetronomeBaseline(Baseline):
    """Events of each type evenly spaced at the mean interval of train, whatever the signal."""

    def fit(self, splits: list[WindowSet], seed: int) -> Arrays:
        """Measure the mean interval of each type in the labelled spans of train."""
        (train,) = splits
        timeline = train.events
        n_samples = (timeline.known_stop - timeline.known_start).sum()
        counts = np.bincount(timeline.type, minlength=len(train.classes))
        return {"interval_samples": n_samples / np.maximum(counts, 1)}

    def predict(self, arrays: Arrays, windows: WindowSet) -> Candidates:
        """Return events from half an interval after the start of each recording on."""
        timeline = windows.events
        found = []
        for place, n_samples in enumerate(timeline.stop - timeline.start):
            for kind, interval in enumerate(arrays["interval_samples"]):
                # A recording shorter than half an interval still gets its one event.
                first = min(interval / 2, n_samples / 2)
                time = np.arange(first, n_samples, interval)
                found.append(Candidates.at(time, place=place, type=kind, score=SCORE))
        return Candidates.joined(found)
