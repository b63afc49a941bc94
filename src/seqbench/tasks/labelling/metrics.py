"""Metrics of labelling beside those it shares with classification, in numpy."""

import numpy as np
from numpy.typing import NDArray

from seqbench.config.registry import METRICS
from seqbench.storage.sequences import Sequences

Floats = NDArray[np.float64]


@METRICS.register("sequence_accuracy", tasks=("labelling",), better="higher", order=1)
def sequence_accuracy(sequences: Sequences, weights: Floats) -> Floats:
    """Fraction of the windows in which the class of every sample is right."""
    wrong = sequences.summed((sequences.predicted != sequences.label).astype(np.float64))
    has_target = sequences.summed(np.ones(len(sequences.sequence))) > 0
    return weights @ ((wrong == 0) & has_target) / (weights @ has_target)
