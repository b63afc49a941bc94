"""LSTM and self-attention over frames."""

from torch import Tensor, nn

from seqbench.config.options import Count, Dropout, Layers, Pooling
from seqbench.config.registry import ARCHITECTURES
from seqbench.models.attention import MultiHeadAttention
from seqbench.models.base import Encoder, ended
from seqbench.models.cnn1d import framing
from seqbench.models.dropout import BitDropout
from seqbench.models.recurrent import LstmEncoder


class SelfAttention(MultiHeadAttention):
    """Multi-head self-attention with a residual connection and layer norm.

    Parameters
    ----------
    n_features
        Features D of a frame.
    n_heads
        Heads, which share the features evenly.
    dropout
        Probability to drop a feature of the attended frames.

    Raises
    ------
    UserError
        If the heads cannot share the features evenly.
    """

    def __init__(self, n_features: int, n_heads: int, dropout: float) -> None:
        super().__init__(n_features, n_heads)
        self.dropout = BitDropout(dropout)
        self.norm = nn.LayerNorm(n_features)

    def forward(self, frames: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Let frames (B, F, D) attend to those inside their own window."""
        normal: Tensor = self.norm(frames + self.dropout(super().forward(frames, lengths)))
        return normal


@ARCHITECTURES.register(
    "lstm_event",
    accepts=("series",),
    space={"hidden_size": (32, 64, 128), "n_layers": (1, 2), "dropout": {"low": 0.0, "high": 0.5}},
)
class LstmEventEncoder(Encoder):
    """Frames of a strided convolution, read by an LSTM, that attend to each other.

    Parameters
    ----------
    n_channels
        Channels C of a window.
    hidden_size
        Units of each LSTM layer and direction; D is this, twice if bidirectional.
    n_layers
        LSTM layers.
    n_heads
        Heads of the attention, which share the D features evenly.
    stride
        Samples between frames: 10 is 5 ms at 2000 Hz. 1: the LSTM reads the
        samples themselves.
    bidirectional
        Read the frames from their end to their start as well.
    dropout
        Probability to drop a feature after the convolution, between LSTM
        layers and after the attention.
    pooling
        How a head pools the frames: last, mean or attention.

    Raises
    ------
    UserError
        If the heads cannot share the features evenly.

    Notes
    -----
    (B, T, C) -> (B, ceil(T / stride), D). One convolution over two strides
    makes the frames. Attention takes memory that grows with the number of
    frames, not with its square.
    """

    def __init__(
        self,
        n_channels: int,
        *,
        hidden_size: Count = 64,
        n_layers: Layers = 2,
        n_heads: Count = 4,
        stride: Count = 10,
        bidirectional: bool = True,
        dropout: Dropout = 0.0,
        pooling: Pooling = "attention",
    ) -> None:
        super().__init__(pooling)
        self.stride = stride
        self.embedding = framing(n_channels, hidden_size, stride, dropout) if stride > 1 else None
        self.recurrence = LstmEncoder(
            n_channels if self.embedding is None else hidden_size,
            hidden_size=hidden_size,
            n_layers=n_layers,
            bidirectional=bidirectional,
            dropout=dropout,
        )
        self.n_features = self.recurrence.n_features
        self.n_backward_features = self.recurrence.n_backward_features
        self.attention = SelfAttention(self.n_features, n_heads, dropout)

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Encode windows (B, T, C); see `Encoder.encode`."""
        frames = x if self.embedding is None else self.embedding(x, lengths)
        lengths = self.frame_lengths(lengths)
        return ended(self.attention(self.recurrence(frames, lengths), lengths), lengths)
