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
