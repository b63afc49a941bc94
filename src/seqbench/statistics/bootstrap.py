"""Bootstrap intervals, resampled by recording or group."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Metric = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def cluster_weights(
    clusters: Sequence[str], n_resamples: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Draw whole clusters with replacement.

    Parameters
    ----------
    clusters
        Name of the cluster of each window, length N.
    n_resamples
        Number of resamples R.
    generator
        Source of chance.

    Returns
    -------
    array
        How often each window is drawn, (R, N).
    """
    _, index = np.unique(np.asarray(clusters), return_inverse=True)
    n = int(index.max()) + 1
    counts = generator.multinomial(n, np.full(n, 1 / n), size=n_resamples)
    return counts[:, index].astype(np.float64)


def interval(values: NDArray[np.float64], confidence: float = 0.95) -> tuple[float, float] | None:
    """Return the percentile interval of resampled values, or None where too few are defined.

    References
    ----------
    Efron, Tibshirani (1993). An introduction to the bootstrap, section 13.3.
    """
    defined = values[np.isfinite(values)]
    if len(defined) < len(values) / 2:
        return None
    tail = (1 - confidence) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high)


def mean_over_runs(
    runs: Sequence[NDArray[np.float64]], generator: np.random.Generator
) -> NDArray[np.float64]:
    """Return the resampled mean over runs of one model: groups of test and runs are both drawn.

    In each resample as many runs as there are are drawn with replacement, and
    their values in that resample averaged. With a handful of runs this estimates the
    chance of training a little too small: by a factor of sqrt(1 - 1 / S) for S runs.

    Parameters
    ----------
    runs
        Values of each run in the same R resamples of test, (S, R).
    generator
        Source of chance.

    Returns
    -------
    array
        One mean for each resample, (R,); not finite where one of its values is not.

    References
    ----------
    Davison, Hinkley (1997). Bootstrap methods and their application, section 3.8.
    """
    values = np.stack(runs)
    n_runs, n_resamples = values.shape
    drawn = generator.integers(n_runs, size=(n_runs, n_resamples))
    return np.take_along_axis(values, drawn, axis=0).mean(axis=0)
