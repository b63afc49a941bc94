"""Recurrent encoders: simple, LSTM and GRU."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from seqbench.config.options import Count, Dropout, Layers, Pooling
from seqbench.config.registry import ARCHITECTURES
from seqbench.models.base import Encoder, ended
from seqbench.models.dropout import BitDropout
from seqbench.models.recurrent_layers import Gru, Lstm, RecurrentLayer, Rnn


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
    (B, T, C) -> (B, T, D). The backward direction reads each window from its
    own end. The frames equal those of packed sequences, which on a CPU take 4
    to 15 times as long.
    """

    layer: ClassVar[type[RecurrentLayer]]

    def __init__(
        self,
        n_channels: int,
        *,
        hidden_size: Count = 64,
        n_layers: Layers = 1,
        bidirectional: bool = True,
        dropout: Dropout = 0.0,
        pooling: Pooling = "attention",
    ) -> None:
        super().__init__(pooling)
        self.n_features = hidden_size * (2 if bidirectional else 1)
        self.n_backward_features = hidden_size if bidirectional else 0
        inputs = [n_channels] + [self.n_features] * (n_layers - 1)
        self.ahead = nn.ModuleList(self.layer(n, hidden_size) for n in inputs)
        self.back = nn.ModuleList(self.layer(n, hidden_size) for n in inputs if bidirectional)
        self.dropout = BitDropout(dropout)

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Encode windows (B, T, C); see `Encoder.encode`."""
        for i, ahead in enumerate(self.ahead):
            if i:
                x = self.dropout(x)
            frames = ahead(x, lengths=lengths)[0]
            if self.back:
                from_end = self.back[i](x, lengths=lengths, backwards=True)[0]
                frames = torch.cat([frames, from_end], dim=2)
            x = frames
        return ended(x, lengths)


@ARCHITECTURES.register(
    "rnn",
    accepts=("series", "tokens"),
    space={"hidden_size": (32, 64, 128), "n_layers": (1, 2), "dropout": {"low": 0.0, "high": 0.5}},
)
class RnnEncoder(RecurrentEncoder):
    """Recurrent network with tanh units.

    References
    ----------
    Elman (1990). Finding structure in time. Cognitive Science 14:179-211.
    """

    layer = Rnn


@ARCHITECTURES.register(
    "lstm",
    accepts=("series", "tokens"),
    space={"hidden_size": (32, 64, 128), "n_layers": (1, 2), "dropout": {"low": 0.0, "high": 0.5}},
)
class LstmEncoder(RecurrentEncoder):
    """Long short-term memory.

    References
    ----------
    Hochreiter, Schmidhuber (1997). Long short-term memory. Neural Computation
    9:1735-1780; forget gate after Gers, Schmidhuber, Cummins (2000).
    """

    layer = Lstm


@ARCHITECTURES.register(
    "gru",
    accepts=("series", "tokens"),
    space={"hidden_size": (32, 64, 128), "n_layers": (1, 2), "dropout": {"low": 0.0, "high": 0.5}},
)
class GruEncoder(RecurrentEncoder):
    """Gated recurrent units.

    References
    ----------
    Cho et al. (2014). Learning phrase representations using RNN
    encoder-decoder for statistical machine translation. arXiv:1406.1078
    """

    layer = Gru
