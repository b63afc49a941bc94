"""Output layer of regression."""

from seqbench.models.base import Encoder
from seqbench.storage.normalization import Normalization
from seqbench.tasks.head import SampleHead, ValueHead


class RegressionHead(ValueHead, SampleHead):
    """D values for every sample.

    Parameters
    ----------
    encoder, dropout
        As in `SampleHead`.
    normalization
        Of the values, (D,), from train.
    """

    def __init__(self, encoder: Encoder, normalization: Normalization, dropout: float) -> None:
        super().__init__(encoder, len(normalization.centre), dropout)
        self.keep_units(normalization)
