"""Recurrent encoders: simple, LSTM and GRU."""

from collections.abc import Callable
from typing import ClassVar

from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seqbench.models.base import Encoder
from seqbench.options import Count, Dropout, Pooling
from seqbench.registry import ARCHITECTURES


class RecurrentEncoder(Encoder):
    """Layers of recurrence over samples, in one direction or both.

    Parameters
    ----------
    n_channels
        Channels C of a window.
    hidden_size
        Units of each layer and direction; D is this, twice if bidirectional.
    n_layers
        Layers on top of each other.
    bidirectional
        Read each window from its end to its start as well.
    dropout
        Probability to drop a feature between layers; a single layer has none.
    pooling
        How a head pools the frames: last, mean or attention.

    Notes
    -----
    (B, T, C) -> (B, T, D). Windows of different lengths are packed, so the
    backward direction starts at each window's own end.
    """

    cell: ClassVar[Callable[..., nn.RNNBase]]

    def __init__(
        self,
        n_channels: int,
        *,
        hidden_size: Count = 64,
        n_layers: Count = 1,
        bidirectional: bool = True,
        dropout: Dropout = 0.0,
        pooling: Pooling = "attention",
    ) -> None:
        super().__init__()
        self.pooling = pooling
        self.n_features = hidden_size * (2 if bidirectional else 1)
        self.n_backward_features = hidden_size if bidirectional else 0
        self.recurrence = self.cell(
            n_channels,
            hidden_size,
            n_layers,
            batch_first=True,
            bidirectional=bidirectional,
            dropout=dropout if n_layers > 1 else 0.0,
        )

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Encode windows (B, T, C); see `Encoder.forward`."""
        if lengths is None:
            frames: Tensor = self.recurrence(x)[0]
            return frames
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        frames, _ = pad_packed_sequence(
            self.recurrence(packed)[0], batch_first=True, total_length=x.shape[1]
        )
        return frames


@ARCHITECTURES.register("rnn", accepts=("series",))
class RnnEncoder(RecurrentEncoder):
    """Recurrent network with tanh units.

    References
    ----------
    Elman (1990). Finding structure in time. Cognitive Science 14:179-211.
    """

    cell = nn.RNN


@ARCHITECTURES.register("lstm", accepts=("series",))
class LstmEncoder(RecurrentEncoder):
    """Long short-term memory.

    References
    ----------
    Hochreiter, Schmidhuber (1997). Long short-term memory. Neural Computation
    9:1735-1780; forget gate after Gers, Schmidhuber, Cummins (2000).
    """

    cell = nn.LSTM


@ARCHITECTURES.register("gru", accepts=("series",))
class GruEncoder(RecurrentEncoder):
    """Gated recurrent units.

    References
    ----------
    Cho et al. (2014). Learning phrase representations using RNN
    encoder-decoder for statistical machine translation. arXiv:1406.1078
    """

    cell = nn.GRU
