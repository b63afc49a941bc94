"""One prediction for everything: the most frequent class, or the mean, of training."""

import numpy as np
from numpy.typing import NDArray

from seqbench.baselines.base import Arrays, Baseline, labels, samples
from seqbench.config.registry import BASELINES
from seqbench.storage.windows import WindowSet


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
