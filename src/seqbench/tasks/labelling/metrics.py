"""Metrics of labelling beside those it shares with classification, in numpy."""

import numpy as np
from numpy.typing import NDArray

from seqbench.config.registry import METRICS
from seqbench.storage.sequences import Sequences

Floats = NDArray[np.float64]


@METRICS.register("sequence_accuracy", tasks=("labelling",), better="higher", order=1)
def sequence_accuracy(sequences: Sequences, weights: Floats) -> Floats:
    r"""Fraction of the windows in which the class of every sample is right.

    Notes
    -----
    .. math:: \frac{1}{N} \sum_i \prod_t [\hat y_{it} = y_{it}]

    over the labelled samples t of a window, and the N windows that have some.
    """
    wrong = sequences.summed((sequences.predicted != sequences.label).astype(np.float64))
    has_target = sequences.summed(np.ones(len(sequences.sequence))) > 0
    return weights @ ((wrong == 0) & has_target) / (weights @ has_target)
