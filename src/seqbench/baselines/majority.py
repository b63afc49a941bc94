"""The class that is most frequent in training, for every window or sample."""

import numpy as np
from numpy.typing import NDArray

from seqbench.baselines.base import Arrays, Baseline, labels
from seqbench.config.registry import BASELINES
from seqbench.storage.windows import WindowSet


@BASELINES.register(
    "majority",
    accepts=("series", "tokens", "video"),
    tasks=("classification", "labelling"),
    floor_of=("classification", "labelling"),
    stochastic=False,
    imports=(),
)
class MajorityBaseline(Baseline):
    """Class frequencies of training as the probabilities of every window or sample."""

    gives_probabilities = True

    def fit(self, splits: list[WindowSet], seed: int) -> Arrays:
        """Count the classes."""
        del seed  # nothing is left to chance
        counts = np.bincount(labels(splits), minlength=len(splits[0].classes))
        return {"frequency": counts / counts.sum()}

    def predict(self, arrays: Arrays, windows: WindowSet) -> NDArray[np.float64]:
        """Return the frequencies for every window, (N, K), or in labelling sample, (S, K)."""
        n = len(windows) if windows.targets is None else int(windows.length.sum())
        return np.tile(arrays["frequency"], (n, 1))
