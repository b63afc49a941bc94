"""Metrics of forecasting beside those of regression, in numpy."""

import numpy as np
from numpy.typing import NDArray

from seqbench.registry import METRICS
from seqbench.storage.sequences import Sequences

Floats = NDArray[np.float64]


@METRICS.register("skill", tasks=("forecasting",), better="higher", probabilities=False, order=0)
def skill(sequences: Sequences, weights: Floats) -> Floats:
    """1 less the squared error over that of persistence: 0 is no better than the last value.

    The mean over the values; NaN where persistence makes no error.

    References
    ----------
    Murphy (1988). Skill scores based on the mean square error and their
    relationships to the correlation coefficient. Monthly Weather Review
    116:2417-2424.
    """
    if sequences.reference is None:
        raise ValueError("a skill needs the last value that was known")
    parts = []
    for value, answer, last in zip(
        sequences.target.T, sequences.answer.T, sequences.reference.T, strict=True
    ):
        error, of_last = (
            weights @ sequences.summed((value - told) ** 2) for told in (answer, last)
        )
        parts.append(np.where(of_last > 0, 1 - error / np.maximum(of_last, 1e-300), np.nan))
    return np.mean(parts, axis=0)
