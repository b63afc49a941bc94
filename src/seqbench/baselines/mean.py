"""The mean of training, for every sample."""

import numpy as np
from numpy.typing import NDArray

from seqbench.baselines.base import Arrays, Baseline, samples
from seqbench.config.registry import BASELINES
from seqbench.storage.windows import WindowSet


@BASELINES.register(
    "mean",
    accepts=("series", "tokens"),
    tasks=("regression",),
    floor_of=("regression",),
    stochastic=False,
    imports=(),
)
class MeanBaseline(Baseline):
    """The mean of each value in training, whatever the signal is."""

    gives_probabilities = False

    def fit(self, splits: list[WindowSet], seed: int) -> Arrays:
        """Take the mean of what is known."""
        del seed  # nothing is left to chance
        values = np.concatenate([samples(split) for split in splits])
        return {"mean": np.asarray(np.nanmean(values, axis=0, dtype=np.float64))}

    def predict(self, arrays: Arrays, windows: WindowSet) -> NDArray[np.float64]:
        """Return the mean for every sample, (S, D)."""
        return np.tile(arrays["mean"], (int(windows.length.sum()), 1))
