"""Random convolutions and a ridge classifier: the strong classical method."""

import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.baselines.base import Arrays, Baseline, labels, window_array
from seqbench.config.options import Count
from seqbench.config.registry import BASELINES
from seqbench.storage.lock import locked
from seqbench.storage.windows import WindowSet

PATIENCE_S = 600.0  # for another process that compiles
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
        """Have numba compile the transform and store it on disk; one process at a time.

        The first use on a machine compiles for about a minute. Without the lock,
        jobs that start side by side would all do so.
        """
        rocket = transform(n_kernels=84, seed=0)
        began = time.perf_counter()
        lock = Path(tempfile.gettempdir()) / f"seqbench-minirocket-{os.getuid()}" / "lock"
        with locked(lock, PATIENCE_S, required=False):
            x = np.random.default_rng(0).normal(size=(2, n_channels, SHORTEST + 1))
            rocket.fit_transform(x.astype(np.float32))
        return time.perf_counter() - began

    def fit(self, splits: list[WindowSet], seed: int) -> Arrays:
        """Fit the transform, the scaling and the ridge classifier."""
        from sklearn.linear_model import RidgeClassifierCV

        n_samples = max(SHORTEST, *(int(split.length.max()) for split in splits))
        x = np.concatenate([window_array(split, n_samples, labelled=True) for split in splits])
        rocket = transform(self.n_kernels, seed)
        features = np.asarray(rocket.fit_transform(x), dtype=np.float64)
        scale = features.std(axis=0)
        scale[scale == 0] = 1.0
        ridge = RidgeClassifierCV(alphas=ALPHAS).fit(features / scale, labels(splits))
        arrays = {f"rocket{i}": np.asarray(p) for i, p in enumerate(rocket.parameters)}
        return arrays | {
            "n_samples": np.array([n_samples]),
            "scale": scale,
            "coefficients": ridge.coef_,
            "intercept": ridge.intercept_,
            "seen": ridge.classes_,
        }

    def predict(self, arrays: Arrays, windows: WindowSet) -> NDArray[np.float64]:
        """Return the margins of the ridge classifier, (N, K)."""
        x = window_array(windows, int(arrays["n_samples"][0]))
        # Marks it as fitted; with a seed, as without one numba would compile once more.
        rocket = transform(self.n_kernels, seed=0).fit(x[:1])
        rocket.parameters = tuple(arrays[f"rocket{i}"] for i in range(5))
        features = np.asarray(rocket.transform(x), dtype=np.float64) / arrays["scale"]
        margins = features @ arrays["coefficients"].T + arrays["intercept"]
        if margins.ndim == 1:  # two classes have one margin
            margins = np.stack([-margins, margins], axis=1)
        scores = np.full((len(x), len(windows.classes)), margins.min() - 1)
        scores[:, arrays["seen"]] = margins
        return scores


def transform(n_kernels: int, seed: int) -> Any:
    """Return the transform of aeon, ready to compile."""
    from aeon.transformations.collection.convolution_based import MiniRocket

    keep_numba_threads()
    return MiniRocket(n_kernels=n_kernels, random_state=seed)


def keep_numba_threads() -> None:
    """Set the environment to the number of threads that numba was imported with.

    Numba reads its environment again at every compilation and refuses another
    number; a fork has the environment of its client, not that of the fork server.
    """
    import numba

    os.environ["NUMBA_NUM_THREADS"] = str(numba.config.NUMBA_NUM_THREADS)
