"""The plain detector of events: strided convolutions, then recurrence in both directions."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqbench.config.options import (
    Count,
    Dropout,
    Layers,
    Level,
    NaturalNumber,
    OddWidths,
    Pooling,
    Widths,
)
from seqbench.config.registry import ARCHITECTURES
from seqbench.models.base import ended
from seqbench.models.cnn1d import Cnn1dEncoder, MaskedBatchNorm1d
from seqbench.models.cnn_lstm import ConvolvedRecurrentEncoder
from seqbench.models.recurrent import GruEncoder, LstmEncoder

CELLS = {"lstm": LstmEncoder, "gru": GruEncoder}


class Detrend(nn.Module):
    """Subtract a moving mean from the signal, and scale every channel to unit variance.

    A trend far slower than the events can have most of a signal's variance:
    after normalisation the rest is small, and filters learn it late or never.

    Parameters
    ----------
    n_channels
        Channels C of a window.
    span_samples
        Samples of the mean, rounded up to an odd number; 0: no mean is subtracted.
    """

    def __init__(self, n_channels: int, span_samples: int) -> None:
        super().__init__()
        self.reach = span_samples // 2
        # Without parameters, no gradient is needed as far back as the signal. The scale is the mean
        # over all batches, which is right from the first one on.
        self.norm = MaskedBatchNorm1d(n_channels, affine=False, momentum=None)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return windows (B, T, C) without their trend, zero after each end."""
        if self.reach:
            x = ended(x - self._mean(x, lengths), lengths)
        return self.norm(x.transpose(1, 2), lengths).transpose(1, 2)

    def _mean(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the mean of the samples around each, (B, T, C), from a running sum."""
        reach, n_samples = self.reach, x.shape[1]
        running = F.pad(x.double().cumsum(dim=1), (0, 0, 1, 0))
        sample = torch.arange(n_samples, device=x.device)
        last = (sample + reach + 1).clamp(max=n_samples)
        first = (sample - reach).clamp(min=0)
        end = last if lengths is None else last.minimum(lengths.to(x.device)[:, None])
        count = (end - first).clamp(min=1)[..., None]
        return ((running[:, last] - running[:, first]) / count).to(x.dtype)


@ARCHITECTURES.register(
    "event_rnn", accepts=("series",), same_length=("widths", "kernel_sizes", "strides")
)
class EventRnnEncoder(ConvolvedRecurrentEncoder):
    """Strided convolutions, read in time in both directions by an LSTM or GRU.

    Parameters
    ----------
    n_channels
        Channels C of a window.
    detrend_samples
        Span of the moving mean that is taken from the signal first; 0: none.
    jitter
        Standard deviation of noise added to the signal while training, in
        units of its own deviation once the mean is taken; 0: none.
    widths
        Output channels of each convolution.
    kernel_sizes
        Filter length of each convolution in samples of its input; odd, so that
        frames stay centred.
    strides
        Step of each convolution; their product is the number of samples
        between frames: 10, which is 5 ms at 2000 Hz.
    cell
        Kind of recurrence, lstm or gru.
    hidden_size
        Units of each recurrent layer and direction.
    n_layers
        Recurrent layers.
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
    (B, T, C) -> (B, ceil(T / stride), widths[-1] + 2 * hidden_size): the frames
    of the convolutions precede those of the recurrence, because they locate an
    event within its frame best. The cost of recurrence is its steps, and frames
    are ten times fewer. The first filters are as long as a strike, at every
    sample; the second ones pool them within a frame. About 200,000 parameters with six channels.
    """

    def __init__(
        self,
        n_channels: int,
        *,
        detrend_samples: NaturalNumber = 200,
        jitter: Level = 0.5,
        widths: Widths = (32, 128),
        kernel_sizes: OddWidths = (81, 19),
        strides: Widths = (1, 10),
        cell: Literal["lstm", "gru"] = "lstm",
        hidden_size: Count = 64,
        n_layers: Layers = 1,
        dropout: Dropout = 0.1,
        pooling: Pooling = "attention",
    ) -> None:
        convolution = Cnn1dEncoder(
            n_channels, widths=widths, kernel_sizes=kernel_sizes, strides=strides, dropout=dropout
        )
        recurrence = CELLS[cell](
            widths[-1], hidden_size=hidden_size, n_layers=n_layers, dropout=dropout
        )
        super().__init__(convolution, recurrence, pooling)
        self.detrend = Detrend(n_channels, detrend_samples)
        self.jitter = jitter
        self.n_features += widths[-1]

    def prepare(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Take the trend from windows (B, T, C); see `Encoder.prepare`."""
        detrended: Tensor = self.detrend(x, lengths)
        return detrended

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Encode windows (B, T, C); see `Encoder.encode`."""
        if self.training and self.jitter:
            # New noise in every batch is harder to memorise than that of the data.
            x = ended(x + self.jitter * torch.randn_like(x), lengths)
        frames = self.convolution(x, lengths)
        context = self.recurrence(frames, self.frame_lengths(lengths))
        return torch.cat([frames, context], dim=2)
