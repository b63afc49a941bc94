"""Encoders with a linear output, as classifiers of windows.

`aggregation` is the `pooling` of the core.
"""

from torch import Tensor, nn

from seqbench.models.base import Encoder, ended
from seqbench.models.cnn1d import Cnn1dEncoder
from seqbench.models.cnn_lstm import CnnLstmEncoder
from seqbench.models.pooling import PooledLinear
from seqbench.models.recurrent import LstmEncoder


class _Classifier(nn.Module):
    """An encoder, a pooling and a linear layer; subclasses fix the axes of the input."""

    def __init__(self, encoder: Encoder, n_classes: int, dropout: float) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = PooledLinear(encoder, n_classes, dropout)

    def _logits(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        x, lengths = trimmed(x, lengths)
        logits: Tensor = self.head(self.encoder(x, lengths), self.encoder.frame_lengths(lengths))
        return logits


def trimmed(x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Return windows that are zero after each end, and lengths on the CPU, as encoders need."""
    if lengths is None:
        return x, None
    lengths = lengths.cpu()
    return ended(x, lengths), lengths


class _ChannelsFirst(_Classifier):
    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return logits (B, K) of windows (B, C, T) with `lengths` (B,) samples."""
        return self._logits(x.transpose(1, 2), lengths)


class CNN1D(_ChannelsFirst):
    """Convolutional classifier of windows (B, C, T).

    Parameters
    ----------
    in_ch, n_classes
        Channels C and classes K.
    channels, kernel_sizes
        Width and odd filter length of each block, which halves the rate.
    dropout
        After each block and before the output layer.
    aggregation
        last, mean or attention.
    """

    def __init__(
        self,
        in_ch: int,
        n_classes: int,
        channels: tuple[int, ...] = (32, 64),
        kernel_sizes: tuple[int, ...] = (7, 5),
        dropout: float = 0.3,
        aggregation: str = "mean",
    ) -> None:
        encoder = Cnn1dEncoder(
            in_ch,
            widths=channels,
            kernel_sizes=kernel_sizes,
            strides=(2,) * len(channels),
            dropout=dropout,
            pooling=aggregation,  # type: ignore[arg-type]
        )
        super().__init__(encoder, n_classes, dropout)


class LSTMClassifier(_Classifier):
    """LSTM classifier of windows (B, T, C).

    Parameters
    ----------
    input_size, hidden_size, n_classes
        Channels C, units of a layer and direction, classes K.
    num_layers, bidirectional, dropout
        As in `torch.nn.LSTM`; dropout also before the output layer.
    aggregation
        ``last`` is the final state of each direction at each window's own end.
    batch_first
        False: windows are (T, B, C).
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        n_classes: int,
        num_layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
        aggregation: str = "last",
        batch_first: bool = True,
    ) -> None:
        encoder = LstmEncoder(
            input_size,
            hidden_size=hidden_size,
            n_layers=num_layers,
            bidirectional=bidirectional,
            dropout=dropout,
            pooling=aggregation,  # type: ignore[arg-type]
        )
        super().__init__(encoder, n_classes, dropout)
        self.batch_first = batch_first

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return logits (B, K); `lengths` (B,) excludes the padding of shorter windows."""
        return self._logits(x if self.batch_first else x.transpose(0, 1), lengths)


class CNNLSTM1D(_ChannelsFirst):
    """Convolutional LSTM classifier of windows (B, C, T).

    Parameters
    ----------
    in_ch, n_classes
        Channels C and classes K.
    cnn_channels, kernel_sizes
        Width and odd filter length of each convolution; each halves the rate.
    lstm_hidden, lstm_layers, bidirectional
        Shape of the LSTM.
    dropout
        After each convolution, between LSTM layers and before the output layer.
    aggregation
        last, mean or attention.
    """

    def __init__(
        self,
        in_ch: int,
        n_classes: int,
        cnn_channels: tuple[int, ...] = (32, 64),
        kernel_sizes: tuple[int, ...] = (7, 5),
        lstm_hidden: int = 64,
        lstm_layers: int = 1,
        bidirectional: bool = True,
        dropout: float = 0.3,
        aggregation: str = "last",
    ) -> None:
        encoder = CnnLstmEncoder(
            in_ch,
            widths=cnn_channels,
            kernel_sizes=kernel_sizes,
            strides=(2,) * len(cnn_channels),
            hidden_size=lstm_hidden,
            n_layers=lstm_layers,
            bidirectional=bidirectional,
            dropout=dropout,
            pooling=aggregation,  # type: ignore[arg-type]
        )
        super().__init__(encoder, n_classes, dropout)
