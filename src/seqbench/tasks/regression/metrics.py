"""Metrics of values, in numpy; regression and forecasting share them.

Weights (R, N) count each window in each of R resamples.
"""

import numpy as np
from numpy.typing import NDArray

from seqbench.config.registry import METRICS
from seqbench.storage.sequences import Sequences

Floats = NDArray[np.float64]


@METRICS.register("r2", tasks=("regression",), better="higher", order=0)
def r2(sequences: Sequences, weights: Floats) -> Floats:
    r"""Fraction of the variance of the values that is explained, mean over the values; at most 1.

    NaN where a value does not vary.

    Notes
    -----
    .. math:: \frac{1}{D} \sum_d \left( 1 - \frac{\sum_s (y_{sd} - \hat y_{sd})^2}
       {\sum_s (y_{sd} - \bar y_d)^2} \right)

    over the samples s and the D values of each.
    """
    explained = []
    for value, predicted in zip(sequences.target.T, sequences.prediction.T, strict=True):
        left = weights @ sequences.summed((value - predicted) ** 2)
        n = weights @ sequences.summed(np.ones_like(value))
        middle = value.mean()  # near the weighted mean, so that nothing cancels
        first, second = (weights @ sequences.summed((value - middle) ** k) for k in (1, 2))
        spread = second - first**2 / n
        explained.append(np.where(spread > 0, 1 - left / np.maximum(spread, 1e-300), np.nan))
    return np.mean(explained, axis=0)


@METRICS.register("rmse", tasks=("regression", "forecasting"), better="lower", order=1)
def rmse(sequences: Sequences, weights: Floats) -> Floats:
    r"""Root mean square error, in the units of the values.

    Notes
    -----
    .. math:: \sqrt{\frac{1}{S D} \sum_{s,d} (y_{sd} - \hat y_{sd})^2}

    over S samples and the D values, or the pixels, of each.
    """
    return np.sqrt(_mean(sequences, (sequences.target - sequences.prediction) ** 2, weights))


@METRICS.register("mae", tasks=("regression", "forecasting"), better="lower", order=2)
def mae(sequences: Sequences, weights: Floats) -> Floats:
    r"""Mean absolute error, in the units of the values.

    Notes
    -----
    .. math:: \frac{1}{S D} \sum_{s,d} |y_{sd} - \hat y_{sd}|
    """
    return _mean(sequences, np.abs(sequences.target - sequences.prediction), weights)


def _mean(sequences: Sequences, values: Floats, weights: Floats) -> Floats:
    """Return the mean of (S, D) or (S, C, H, W) over all its values in each resample, (R,)."""
    return sequences.mean(values.reshape(len(values), -1).mean(axis=1), weights)
