"""What an objective promises."""

from abc import ABC, abstractmethod

from torch import Tensor, nn

from seqbench.models.base import Encoder


class Objective(nn.Module, ABC):
    """An encoder together with what is needed to train it without labels.

    Parameters
    ----------
    encoder
        The encoder to train; the rest of the module is thrown away afterwards.
    n_channels
        Channels C of a window.
    """

    def __init__(self, encoder: Encoder, n_channels: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.n_channels = n_channels

    @abstractmethod
    def loss(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the mean loss, shape (), over windows (B, T, C) of `lengths` (B,) samples."""
