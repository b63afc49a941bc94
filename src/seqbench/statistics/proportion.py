"""Intervals of a fraction of events."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri


def wilson(
    fraction: ArrayLike, n: ArrayLike, confidence: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the bounds of Wilson's score interval; none of them has zero width.

    Parameters
    ----------
    fraction
        Of the events that were found, any shape; a mean over runs may lie between k / n.
    n
        Events, as if they were independent, of the same shape.

    References
    ----------
    Wilson (1927). Probable inference, the law of succession, and statistical inference.
    Journal of the American Statistical Association 22(158).
    """
    p, count = np.asarray(fraction, dtype=np.float64), np.asarray(n, dtype=np.float64)
    z = ndtri((1 + confidence) / 2)
    middle = p + z**2 / (2 * count)
    reach = z * np.sqrt(p * (1 - p) / count + (z / (2 * count)) ** 2)
    scale = 1 + z**2 / count
    return np.maximum((middle - reach) / scale, 0), np.minimum((middle + reach) / scale, 1)
