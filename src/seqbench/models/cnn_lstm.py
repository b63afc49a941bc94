"""Convolutions that shorten a window, then an LSTM over what is left."""

from torch import Tensor

from seqbench.config.options import Count, Dropout, Layers, OddWidths, Pooling, Widths
from seqbench.config.registry import ARCHITECTURES
from seqbench.models.base import Encoder
from seqbench.models.cnn1d import Cnn1dEncoder
from seqbench.models.recurrent import LstmEncoder, RecurrentEncoder


class ConvolvedRecurrentEncoder(Encoder):
    """Convolutions, then recurrence over their frames.

    Parameters
    ----------
    convolution
        Takes the windows; its stride is that of the whole.
    recurrence
        Takes the frames of the convolution; its features are those of the whole.
    pooling
        How a head pools the frames: last, mean or attention.
    """

    def __init__(
        self, convolution: Cnn1dEncoder, recurrence: RecurrentEncoder, pooling: str
    ) -> None:
        super().__init__(pooling)
        self.convolution = convolution
        self.recurrence = recurrence
        self.stride = convolution.stride
        self.n_features = recurrence.n_features
        self.n_backward_features = recurrence.n_backward_features

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Encode windows (B, T, C); see `Encoder.encode`."""
        frames = self.convolution(x, lengths)
        return self.recurrence(frames, self.frame_lengths(lengths))


@ARCHITECTURES.register(
    "cnn_lstm",
    accepts=("series", "tokens"),
    same_length=("widths", "kernel_sizes", "strides"),
    space={
        "widths": ((16, 32), (32, 64), (64, 128)),
        "hidden_size": (32, 64, 128),
        "dropout": {"low": 0.0, "high": 0.5},
    },
)
class CnnLstmEncoder(ConvolvedRecurrentEncoder):
    """Blocks of strided convolution, read in time by an LSTM.

    Parameters
    ----------
    n_channels
        Channels C of a window.
    widths
        Output channels of each convolution.
    kernel_sizes
        Filter length of each convolution in samples of its input; odd.
    strides
        Step of each convolution; the LSTM takes as many times fewer steps.
    hidden_size
        Units of each LSTM layer and direction; D is this, twice if bidirectional.
    n_layers
        LSTM layers.
    bidirectional
        Read the convolved window from its end to its start as well.
    dropout
        Probability to drop a feature after each convolution and between layers.
    pooling
        How a head pools the frames: last, mean or attention.

    Raises
    ------
    UserError
        If the lists differ in length or a filter is even.

    Notes
    -----
    (B, T, C) -> (B, ceil(T / stride), D).

    References
    ----------
    Sainath, Vinyals, Senior, Sak (2015). Convolutional, long short-term memory,
    fully connected deep neural networks. ICASSP, section 2.
    """

    def __init__(
        self,
        n_channels: int,
        *,
        widths: Widths = (32, 64),
        kernel_sizes: OddWidths = (7, 5),
        strides: Widths = (2, 2),
        hidden_size: Count = 64,
        n_layers: Layers = 1,
        bidirectional: bool = True,
        dropout: Dropout = 0.0,
        pooling: Pooling = "attention",
    ) -> None:
        convolution = Cnn1dEncoder(
            n_channels, widths=widths, kernel_sizes=kernel_sizes, strides=strides, dropout=dropout
        )
        recurrence = LstmEncoder(
            widths[-1],
            hidden_size=hidden_size,
            n_layers=n_layers,
            bidirectional=bidirectional,
            dropout=dropout,
        )
        super().__init__(convolution, recurrence, pooling)
