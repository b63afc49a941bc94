"""The plain detector of events: strided convolutions, then recurrence in both directions or one."""

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

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
from seqbench.errors import UserError
from seqbench.models.base import ended
from seqbench.models.cnn1d import Cnn1dEncoder
from seqbench.models.cnn_lstm import ConvolvedRecurrentEncoder
from seqbench.models.detrend import Detrend
from seqbench.models.event_rnn_stream import EventRnnStream
from seqbench.models.recurrent import GruEncoder, LstmEncoder

CELLS = {"lstm": LstmEncoder, "gru": GruEncoder}
LOOK_AHEAD_MS = 50.0  # of a causal model, where the config gives none


@ARCHITECTURES.register(
    "event_rnn",
    accepts=("series",),
    same_length=("widths", "kernel_sizes", "strides"),
    causal_with={"bidirectional": False},
    only_with={"look_ahead_ms": {"bidirectional": False}},
    takes_rate=True,
    space={"hidden_size": (32, 64, 128), "n_layers": (1, 2), "dropout": {"low": 0.0, "high": 0.5}},
)
class EventRnnEncoder(ConvolvedRecurrentEncoder):
    """Strided convolutions, read in time in both directions or forward by an LSTM or GRU.

    Parameters
    ----------
    n_channels
        Channels C of a window.
    sampling_rate_hz
        Samples per second; None where unknown.
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
    bidirectional
        Read the signal from its end to its start as well. Without, the model is
        causal: it reads a recording as it comes, however long, with one state.
    look_ahead_ms
        How far a causal model looks past the time of a frame; only with
        `bidirectional: false`, empty: 50.
    dropout
        Probability to drop a feature after each convolution and between layers.
    pooling
        How a head pools the frames: last, mean or attention.

    Raises
    ------
    UserError
        If the lists differ in length, a filter is even, or a look-ahead is given to
        a bidirectional model or without a sampling rate.

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
        sampling_rate_hz: float | None = None,
        *,
        detrend_samples: NaturalNumber = 200,
        jitter: Level = 0.5,
        widths: Widths = (32, 128),
        kernel_sizes: OddWidths = (81, 19),
        strides: Widths = (1, 10),
        cell: Literal["lstm", "gru"] = "lstm",
        hidden_size: Count = 64,
        n_layers: Layers = 1,
        bidirectional: bool = True,
        look_ahead_ms: Level | None = None,
        dropout: Dropout = 0.1,
        pooling: Pooling = "attention",
    ) -> None:
        convolution = Cnn1dEncoder(
            n_channels, widths=widths, kernel_sizes=kernel_sizes, strides=strides, dropout=dropout
        )
        recurrence = CELLS[cell](
            widths[-1],
            hidden_size=hidden_size,
            n_layers=n_layers,
            bidirectional=bidirectional,
            dropout=dropout,
        )
        super().__init__(convolution, recurrence, pooling)
        # Samples by which the convolutions lag behind centred ones, and frames of recurrence ahead.
        self.lag, self.n_ahead, mean_ahead = 0, 0, None
        if bidirectional and look_ahead_ms is not None:
            raise UserError(
                "look_ahead_ms is for causal models, but a bidirectional one reads whole windows;"
                " set bidirectional: false"
            )
        if not bidirectional:
            rest = self._look_ahead(look_ahead_ms, sampling_rate_hz)
            steps = [math.prod(strides[:i]) for i in range(len(strides))]
            reach = sum(size // 2 * step for size, step in zip(kernel_sizes, steps, strict=True))
            self.lag = max(reach - rest, 0)
            rest -= reach - self.lag
            mean_ahead = min(rest, detrend_samples // 2)
            self.n_ahead = (rest - mean_ahead) // self.stride
            self.look_ahead_samples = reach - self.lag + mean_ahead + self.n_ahead * self.stride
        self.detrend = Detrend(n_channels, detrend_samples, mean_ahead)
        self.jitter = jitter
        self.n_features += widths[-1]

    @staticmethod
    def _look_ahead(look_ahead_ms: float | None, sampling_rate_hz: float | None) -> int:
        """Return the look-ahead of a causal model in whole samples."""
        if sampling_rate_hz is None:
            raise UserError(
                "a causal event_rnn needs the sampling rate of the recordings; give the dataset"
                " sampling_rate_hz, or set bidirectional: true"
            )
        chosen_ms = LOOK_AHEAD_MS if look_ahead_ms is None else look_ahead_ms
        return int(chosen_ms / 1000 * sampling_rate_hz + 1e-9)

    def prepare(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Take the trend from windows (B, T, C); see `Encoder.prepare`."""
        detrended: Tensor = self.detrend(x, lengths)
        return detrended

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Encode windows (B, T, C); see `Encoder.encode`."""
        if self.training and self.jitter:
            # New noise in every batch is harder to memorise than that of the data.
            x = ended(x + self.jitter * torch.randn_like(x), lengths)
        n_frames, lengths_f = -(-x.shape[1] // self.stride), self.frame_lengths(lengths)
        if self.lag:
            x = F.pad(x, (0, 0, self.lag, 0))
            lengths = None if lengths is None else lengths + self.lag
        frames = self.convolution(x, lengths)
        if self.lag:
            frames = ended(frames[:, :n_frames], lengths_f)
        if not self.n_ahead:
            return torch.cat([frames, self.recurrence(frames, lengths_f)], dim=2)
        ahead = F.pad(frames, (0, 0, 0, self.n_ahead))
        context = self.recurrence(ahead, None if lengths_f is None else lengths_f + self.n_ahead)
        return torch.cat([frames, context[:, self.n_ahead :]], dim=2)

    def stream(self) -> EventRnnStream:
        """Return the state of a causal model before the first sample; see `Encoder.stream`."""
        if self.look_ahead_samples is None:
            raise UserError("a bidirectional event_rnn reads whole windows; it has no stream")
        return EventRnnStream(
            self.detrend, self.convolution, self.recurrence, lag=self.lag, n_ahead=self.n_ahead
        )
