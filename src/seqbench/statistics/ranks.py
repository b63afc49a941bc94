"""Ranks of values: a few lines in place of `scipy.stats`, which takes a second to import."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def mean_ranks(values: ArrayLike) -> NDArray[np.float64]:
    """Return the rank of each value from 1 on, (n,); equal ones share the mean of their ranks.

    All are NaN where a value is, as nobody knows its place.
    """
    found = np.asarray(values, dtype=np.float64)
    if np.isnan(found).any():
        return np.full(found.shape, np.nan)
    _, place, n_equal = np.unique(found, return_inverse=True, return_counts=True)
    ranks: NDArray[np.float64] = np.cumsum(n_equal) - (n_equal - 1) / 2
    return ranks[place]
