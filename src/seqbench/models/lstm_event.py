"""LSTM and self-attention over frames, as an encoder and as a whole classifier of timed events."""

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor, nn

from seqbench.config.options import Count, Dropout, Pooling
from seqbench.config.registry import ARCHITECTURES
from seqbench.models.attention import MultiHeadAttention
from seqbench.models.base import Encoder, ended, inside
from seqbench.models.cnn1d import Cnn1dEncoder
from seqbench.models.pooling import PooledLinear
from seqbench.models.recurrent import LstmEncoder

NEVER = -1e4  # a logit that no softmax sees, and yet finite: gradients and half precision hold


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
        self.dropout = nn.Dropout(dropout)
        self.norm = nn.LayerNorm(n_features)

    def forward(self, frames: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Let frames (B, F, D) attend to those inside their own window."""
        normal: Tensor = self.norm(frames + self.dropout(super().forward(frames, lengths)))
        return normal


@ARCHITECTURES.register("lstm_event", accepts=("series",))
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
        n_layers: Count = 2,
        n_heads: Count = 4,
        stride: Count = 10,
        bidirectional: bool = True,
        dropout: Dropout = 0.0,
        pooling: Pooling = "attention",
    ) -> None:
        super().__init__()
        self.pooling = pooling
        self.stride = stride
        self.embedding: Cnn1dEncoder | None = None
        if stride > 1:
            self.embedding = Cnn1dEncoder(
                n_channels,
                widths=(hidden_size,),
                kernel_sizes=(2 * stride + 1,),
                strides=(stride,),
                dropout=dropout,
            )
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
        encoded: Tensor = self.attention(self.recurrence(frames, lengths), lengths)
        if lengths is None:
            return encoded
        return encoded * inside(lengths, encoded.shape[1], encoded.device)[..., None]


def event_times(logits: Tensor, lengths: Tensor | None = None, *, reach: int = 1) -> Tensor:
    """Return the most likely time of each type, between the steps.

    Parameters
    ----------
    logits
        Before the softmax over time, (B, F, K).
    lengths
        Steps of each window, (B,); None: all have F.
    reach
        Steps from the highest logit to the two others through which a
        parabola is laid; as wide as the bell that the softmax was taught.

    Returns
    -------
    Tensor
        Times in steps, (B, K), less than `reach` from the highest logit.
        Beside an end of the window it is that step itself.
    """
    n_steps = logits.shape[1]
    last = torch.full((len(logits),), n_steps - 1, device=logits.device)
    if lengths is not None:
        last = lengths.to(logits.device) - 1
        logits = logits.masked_fill(~inside(lengths, n_steps, logits.device)[..., None], -torch.inf)
    logits = logits.float()
    peak = logits.argmax(dim=1, keepdim=True)  # (B, 1, K)
    has_both = (peak >= reach) & (peak + reach <= last[:, None, None])
    before, top, after = (
        logits.gather(1, (peak + step).clamp(0, n_steps - 1)) for step in (-reach, 0, reach)
    )
    curve = 2 * top - before - after  # above 0, unless all three are equal
    shift = reach * (after - before) / (2 * curve)
    shift = torch.where(has_both & (curve > 0), shift, 0.0)
    return (peak + shift)[:, 0]


class EventClassifier(nn.Module, ABC):
    """What classifiers of one timed event per type and window share.

    Parameters
    ----------
    timing_resolution_samples
        Width over which the peak of the softmax over time is read.
    refractory_period_samples
        Two events of a type are at least this many samples apart.
    """

    encoder: Encoder

    def __init__(self, timing_resolution_samples: int, refractory_period_samples: int) -> None:
        super().__init__()
        self.timing_resolution_samples = timing_resolution_samples
        self.refractory_period_samples = refractory_period_samples

    @abstractmethod
    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Any:
        """Return event logits (B, K), timing logits (B, F, K) and whatever else."""

    @torch.no_grad()
    def predict_events(
        self,
        x: Tensor,
        threshold: float = 0.5,
        apply_refractory: bool = True,
        lengths: Tensor | None = None,
        starts: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Tell which events are in each window, and when.

        Parameters
        ----------
        x
            Windows, (B, T, C).
        threshold
            Least probability of an event, in [0, 1].
        apply_refractory
            Drop every event that is nearer than the refractory period to a
            likelier one of its type in another window of the same recording.
        lengths
            Samples of each window, (B,); None: all have T.
        starts
            First sample of each window in the one recording they all come
            from, (B,). None: each window is a recording of its own, in which
            one event per type cannot break the rule.

        Returns
        -------
        dict[str, Tensor]
            (B, K) each: ``detected_events``, 1 or 0; ``event_timings``, the
            mode of the softmax over time in samples from the start of the
            window, between samples, 0 where nothing is detected;
            ``event_probs``.
        """
        was_training = self.training
        self.eval()
        event_logits, timing_logits = self(x, lengths)[:2]
        self.train(was_training)
        stride = self.encoder.stride
        steps = self.encoder.frame_lengths(None if lengths is None else lengths.cpu())
        reach = max(1, self.timing_resolution_samples // (2 * stride))
        time = event_times(timing_logits, steps, reach=reach) * stride
        probability = event_logits.float().sigmoid()
        detected = probability >= threshold
        if apply_refractory and starts is not None:
            at = time + starts.to(time.device)[:, None]
            detected &= self._likeliest(at, probability, detected)
        return {
            "detected_events": detected.to(probability.dtype),
            "event_timings": time * detected,
            "event_probs": probability,
        }

    def _likeliest(self, at: Tensor, probability: Tensor, detected: Tensor) -> Tensor:
        """Return which events (B, K) stay when the likelier of two too close ones does."""
        kept = torch.zeros_like(detected)
        too_close = (at[:, None] - at[None]).abs() < self.refractory_period_samples  # (B, B, K)
        column = torch.arange(at.shape[1], device=at.device)
        for row in probability.argsort(dim=0, descending=True):  # one window of each type a turn
            is_free = ~(too_close[row, :, column].T & kept).any(dim=0)
            kept[row, column] = detected[row, column] & is_free
        return kept


class LSTMEventClassifier(EventClassifier):
    """Which of K types of event are in a window, and when, by an LSTM with self-attention.

    Parameters
    ----------
    input_size, hidden_size, num_events
        Channels C, units of an LSTM layer and direction, types K.
    num_layers, dropout, bidirectional
        Of the LSTM; dropout stands after the attention and before the output
        layers too.
    timing_resolution_samples
        Width over which the peak of the softmax over time is read.
    refractory_period_samples
        Two events of a type are at least this many samples apart.
    stride
        Samples between the steps of the timing logits. 1: the LSTM and the
        attention take every sample. 10: they take frames of 10 samples, which
        is many times cheaper and, with times read between the steps, loses no
        precision.
    """

    def __init__(
        self,
        input_size: int = 6,
        hidden_size: int = 128,
        num_layers: int = 2,
        num_events: int = 16,
        dropout: float = 0.3,
        bidirectional: bool = True,
        timing_resolution_samples: int = 10,
        refractory_period_samples: int = 4000,
        stride: int = 1,
    ) -> None:
        super().__init__(timing_resolution_samples, refractory_period_samples)
        self.encoder = LstmEventEncoder(
            input_size,
            hidden_size=hidden_size,
            n_layers=num_layers,
            stride=stride,
            bidirectional=bidirectional,
            dropout=dropout,
            pooling="mean",
        )
        self.event_head = PooledLinear(self.encoder, num_events, dropout)
        self.timing_head = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(self.encoder.n_features, num_events)
        )

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Look at windows.

        Parameters
        ----------
        x
            Windows, (B, T, C).
        lengths
            Samples of each window, (B,); None: all have T.

        Returns
        -------
        tuple[Tensor, Tensor]
            Logits of presence, (B, K), for a sigmoid, and of time,
            (B, ceil(T / stride), K), for a softmax over the steps; -10,000
            behind the end of a window.
        """
        x, lengths = trimmed(x, lengths)
        frames = self.encoder(x, lengths)
        steps = self.encoder.frame_lengths(lengths)
        return self.event_head(frames, steps), silenced(self.timing_head(frames), steps)


def trimmed(x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Return windows that are zero after each end, and lengths on the CPU, as encoders want."""
    if lengths is None:
        return x, None
    lengths = lengths.cpu()
    return ended(x, lengths), lengths


def silenced(logits: Tensor, steps: Tensor | None) -> Tensor:
    """Return logits (B, F, K) that no softmax over time sees after each end."""
    if steps is None:
        return logits
    return logits.masked_fill(~inside(steps, logits.shape[1], logits.device)[..., None], NEVER)
