"""Random convolutions and a ridge classifier: the strong classical method."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.baselines.base import Arrays, Baseline, labels, window_array
from seqbench.baselines.compilation import compiled, keep_numba_threads
from seqbench.config.options import Count
from seqbench.config.registry import BASELINES
from seqbench.storage.windows import WindowSet

Floats = NDArray[np.float64]
SHORTEST = 9  # the length of a kernel
ALPHAS = np.logspace(-3, 3, 10)


@BASELINES.register(
    "minirocket",
    accepts=("series",),
    tasks=("classification",),
    stochastic=True,
    imports=("aeon.transformations.collection.convolution_based", "sklearn.linear_model"),
    space={"n_kernels": (2500, 5000, 10000, 20000)},
)
class MiniRocketBaseline(Baseline):
    """MiniRocket features (aeon) and a ridge classifier with built-in choice of its penalty.

    Parameters
    ----------
    n_kernels
        Convolutions, rounded down to a multiple of 84.

    Notes
    -----
    The transform needs equal lengths: shorter windows are padded with zeros,
    the mean of train, to the longest window of training, longer ones cut.

    References
    ----------
    Dempster, Schmidt, Webb (2021). MiniRocket: a very fast (almost)
    deterministic transform for time series classification. KDD. arXiv:2012.08791
    """

    def __init__(self, *, n_kernels: Count = 10000) -> None:
        self.n_kernels = n_kernels

    def compile(self, n_channels: int) -> float:
        """Have numba compile the transform."""
        rocket = transform(n_kernels=84, seed=0)
        x = np.random.default_rng(0).normal(size=(2, n_channels, SHORTEST + 1))
        return compiled("minirocket", lambda: rocket.fit_transform(x.astype(np.float32)))

    def fit(self, splits: list[WindowSet], seed: int) -> Arrays:
        """Fit the transform, the scaling and the ridge classifier."""
        n_samples = max(SHORTEST, *(int(split.length.max()) for split in splits))
        x = np.concatenate([window_array(split, n_samples, labelled=True) for split in splits])
        rocket = transform(self.n_kernels, seed)
        features = np.asarray(rocket.fit_transform(x), dtype=np.float64)
        scale = features.std(axis=0)
        scale[scale == 0] = 1.0
        arrays = {f"rocket{i}": np.asarray(p) for i, p in enumerate(rocket.parameters)}
        return arrays | {
            "n_samples": np.array([n_samples]),
            "scale": scale,
            **fit_ridge(features / scale, labels(splits)),
        }

    def predict(self, arrays: Arrays, windows: WindowSet) -> NDArray[np.float64]:
        """Return the margins of the ridge classifier, (N, K)."""
        x = window_array(windows, int(arrays["n_samples"][0]))
        # Marks it as fitted; with a seed, as without one numba would compile once more.
        rocket = transform(self.n_kernels, seed=0).fit(x[:1])
        rocket.parameters = tuple(arrays[f"rocket{i}"] for i in range(5))
        features = np.asarray(rocket.transform(x), dtype=np.float64) / arrays["scale"]
        return class_margins(arrays, features, len(windows.classes))


def fit_ridge(features: Floats, y: NDArray[np.int64]) -> Arrays:
    """Fit a ridge classifier, its penalty chosen by leaving rows of features (N, D) out."""
    from sklearn.linear_model import RidgeClassifierCV

    ridge = RidgeClassifierCV(alphas=ALPHAS).fit(features, y)
    return {"coefficients": ridge.coef_, "intercept": ridge.intercept_, "seen": ridge.classes_}


def class_margins(arrays: Arrays, features: Floats, n_classes: int) -> Floats:
    """Return the margins of what `fit_ridge` gave, (N, K); those of unseen classes are least."""
    margins = features @ arrays["coefficients"].T + arrays["intercept"]
    if margins.ndim == 1:  # two classes have one margin
        margins = np.stack([-margins, margins], axis=1)
    scores = np.full((len(features), n_classes), margins.min() - 1)
    scores[:, arrays["seen"]] = margins
    return scores


def transform(n_kernels: int, seed: int) -> Any:
    """Return the transform of aeon, ready to compile."""
    from aeon.transformations.collection.convolution_based import MiniRocket

    keep_numba_threads()
    return MiniRocket(n_kernels=n_kernels, random_state=seed)
