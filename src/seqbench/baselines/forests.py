"""Features of whole windows, and a forest of decision trees on them: QUANT and catch22."""

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.baselines.base import Arrays, Baseline, labels, window_array
from seqbench.baselines.compilation import compiled, keep_numba_threads
from seqbench.baselines.trees import forest_arrays, tree_probabilities
from seqbench.config.options import Count
from seqbench.config.registry import BASELINES
from seqbench.storage.windows import WindowSet

Floats = NDArray[np.float64]
SHORTEST = 10  # samples that all features are defined for


class ForestBaseline(Baseline):
    """Features of windows of one length, then trees that vote by the share of classes.

    Shorter windows are padded with zeros, the mean of train, to the longest
    window of training, longer ones cut.
    """

    gives_probabilities = True

    def fit(self, splits: list[WindowSet], seed: int) -> Arrays:
        """Fit the trees on the labelled windows."""
        n_samples = max(SHORTEST, *(int(split.length.max()) for split in splits))
        x = np.concatenate([window_array(split, n_samples, labelled=True) for split in splits])
        forest = self.forest(seed).fit(self.features(x).astype(np.float32), labels(splits))
        return forest_arrays(forest) | {"n_samples": np.array([n_samples])}

    def predict(self, arrays: Arrays, windows: WindowSet) -> Floats:
        """Return the probabilities of the classes, (N, K)."""
        x = window_array(windows, int(arrays["n_samples"][0]))
        return tree_probabilities(arrays, self.features(x), len(windows.classes))

    @abstractmethod
    def forest(self, seed: int) -> Any:
        """Return the classifier of scikit-learn to fit."""

    @abstractmethod
    def features(self, x: NDArray[np.float32]) -> Floats:
        """Return the features (N, D) of windows (N, C, T); none depends on another window."""


@BASELINES.register(
    "quant",
    accepts=("series",),
    tasks=("classification",),
    stochastic=True,
    imports=("aeon.transformations.collection.interval_based", "sklearn.ensemble", "torch"),
    space={"depth": (4, 5, 6, 7)},
)
class QuantBaseline(ForestBaseline):
    """Quantiles of intervals (QUANT of aeon), and extremely randomised trees.

    Parameters
    ----------
    depth
        Levels of intervals: the whole window, its halves, quarters and so on.
    n_trees
        Trees that vote.

    References
    ----------
    Dempster, Schmidt, Webb (2024). QUANT: a minimalist interval method for time
    series classification. Data Mining and Knowledge Discovery 38:2377-2402.
    arXiv:2308.00928
    """

    def __init__(self, *, depth: Count = 6, n_trees: Count = 200) -> None:
        self.depth = depth
        self.n_trees = n_trees

    def forest(self, seed: int) -> Any:
        """Return extremely randomised trees that try a tenth of the features."""
        from sklearn.ensemble import ExtraTreesClassifier

        return ExtraTreesClassifier(
            self.n_trees, criterion="entropy", max_features=0.1, random_state=seed
        )

    def features(self, x: NDArray[np.float32]) -> Floats:
        """Return quantiles of the window, its differences and its spectrum, over intervals."""
        from aeon.transformations.collection.interval_based import QUANTTransformer

        quantiles = QUANTTransformer(interval_depth=self.depth).fit_transform(x)
        return np.asarray(quantiles, dtype=np.float64)


@BASELINES.register(
    "catch22",
    accepts=("series",),
    tasks=("classification",),
    stochastic=True,
    imports=("aeon.transformations.collection.feature_based", "sklearn.ensemble"),
)
class Catch22Baseline(ForestBaseline):
    """The 22 features catch22 of each channel (aeon), its mean and deviation, and a random forest.

    Parameters
    ----------
    n_trees
        Trees that vote.

    Notes
    -----
    Mean and deviation are added (catch24): catch22 knows neither level nor
    amplitude, and windows are not normalised one by one. A feature that is not
    defined for a window is 0.

    References
    ----------
    Lubba et al. (2019). catch22: canonical time-series characteristics. Data
    Mining and Knowledge Discovery 33:1821-1852.
    """

    def __init__(self, *, n_trees: Count = 200) -> None:
        self.n_trees = n_trees

    def compile(self, n_channels: int) -> float:
        """Have numba compile the features."""
        x = np.random.default_rng(0).normal(size=(2, n_channels, SHORTEST))
        return compiled("catch22", lambda: self.features(x.astype(np.float32)))

    def forest(self, seed: int) -> Any:
        """Return a random forest."""
        from sklearn.ensemble import RandomForestClassifier

        return RandomForestClassifier(self.n_trees, random_state=seed)

    def features(self, x: NDArray[np.float32]) -> Floats:
        """Return 24 features of each channel."""
        from aeon.transformations.collection.feature_based import Catch22

        keep_numba_threads()
        found = Catch22(catch24=True, replace_nans=True).fit_transform(x.astype(np.float64))
        # Trees are fitted in single precision, which holds less.
        limit = float(np.finfo(np.float32).max)
        return np.clip(np.asarray(found, dtype=np.float64), -limit, limit)
