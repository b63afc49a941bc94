"""Classifiers of windows with at most one event of each type, and its time.

Shapes: B windows, T samples, F frames, C channels, D features,
K types of event.
"""

from abc import ABC, abstractmethod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqbench.library.models.classifiers import trimmed
from seqbench.models.base import Encoder, inside
from seqbench.models.event_specific import KERNEL_SIZES, EventSpecificEncoder, EventTemplateBank
from seqbench.models.lstm_event import LstmEventEncoder
from seqbench.models.pooling import PooledLinear

PADDING_LOGIT = -1e4  # vanishes in a softmax, yet finite: gradients and half precision hold


def event_encoder(
    input_size: int,
    hidden_size: int,
    num_layers: int,
    dropout: float = 0.0,
    bidirectional: bool = True,
    stride: int = 1,
) -> LstmEventEncoder:
    """Return the encoder of `LSTMEventClassifier` and of the models that pretrain it."""
    return LstmEventEncoder(
        input_size,
        hidden_size=hidden_size,
        n_layers=num_layers,
        stride=stride,
        bidirectional=bidirectional,
        dropout=dropout,
        pooling="mean",
    )


def event_times(logits: Tensor, n_frames: Tensor | None = None, *, reach: int = 1) -> Tensor:
    """Return the most likely time of each type, interpolated between frames.

    Parameters
    ----------
    logits
        Before the softmax over time, (B, F, K).
    n_frames
        Frames of each window, (B,); None: all have F.
    reach
        Frames from the highest logit to the other two points of the parabola;
        as wide as the bell that is the target of the softmax.

    Returns
    -------
    Tensor
        Times in frames, (B, K), less than `reach` from the highest logit;
        less than `reach` from an end of the window, that frame itself.
    """
    n = logits.shape[1]
    last = torch.full((len(logits),), n - 1, device=logits.device)
    if n_frames is not None:
        last = n_frames.to(logits.device) - 1
        logits = logits.masked_fill(~inside(n_frames, n, logits.device)[..., None], -torch.inf)
    logits = logits.float()
    peak = logits.argmax(dim=1, keepdim=True)  # (B, 1, K)
    has_both = (peak >= reach) & (peak + reach <= last[:, None, None])
    before, top, after = (
        logits.gather(1, (peak + step).clamp(0, n - 1)) for step in (-reach, 0, reach)
    )
    curve = 2 * top - before - after  # above 0, unless all three are equal
    shift = reach * (after - before) / (2 * curve)
    shift = torch.where(has_both & (curve > 0), shift, 0.0)
    return (peak + shift)[:, 0]


class EventClassifier(nn.Module, ABC):
    """Base of the classifiers: presence and timing logits to events.

    Parameters
    ----------
    encoder
        Gives the frames.
    num_events, dropout
        Types K, and what is dropped before the output layer of presence.
    timing_resolution_samples
        Width over which the peak of the softmax over time is read.
    refractory_period_samples
        Two events of a type are at least this many samples apart.
    """

    def __init__(
        self,
        encoder: Encoder,
        num_events: int,
        dropout: float,
        timing_resolution_samples: int,
        refractory_period_samples: int,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.event_head = PooledLinear(encoder, num_events, dropout)
        self.timing_resolution_samples = timing_resolution_samples
        self.refractory_period_samples = refractory_period_samples

    @abstractmethod
    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Any:
        """Return event logits (B, K), timing logits (B, F, K) and further outputs of the model."""

    @torch.no_grad()
    def predict_events(
        self,
        x: Tensor,
        threshold: float = 0.5,
        apply_refractory: bool = True,
        lengths: Tensor | None = None,
        starts: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Return the events of each window and their times.

        Parameters
        ----------
        x
            Windows, (B, T, C).
        threshold
            Least probability of an event, in [0, 1].
        apply_refractory
            Drop every event that is nearer than the refractory period to a more
            probable one of its type in another window of the same recording.
        lengths
            Samples of each window, (B,); None: all have T.
        starts
            First sample of each window in their common recording, (B,). None:
            each window is a recording of its own, in which one event per type
            cannot violate the period.

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
        n_frames = self.encoder.frame_lengths(None if lengths is None else lengths.cpu())
        reach = max(1, self.timing_resolution_samples // (2 * stride))
        time = event_times(timing_logits, n_frames, reach=reach) * stride
        probability = event_logits.float().sigmoid()
        detected = probability >= threshold
        if apply_refractory and starts is not None:
            at = time + starts.to(time.device)[:, None]
            detected &= self._most_probable(at, probability, detected)
        return {
            "detected_events": detected.to(probability.dtype),
            "event_timings": time * detected,
            "event_probs": probability,
        }

    def _most_probable(self, at: Tensor, probability: Tensor, detected: Tensor) -> Tensor:
        """Return which events (B, K) remain if the more probable of two too close ones does."""
        kept = torch.zeros_like(detected)
        too_close = (at[:, None] - at[None]).abs() < self.refractory_period_samples  # (B, B, K)
        column = torch.arange(at.shape[1], device=at.device)
        for row in probability.argsort(dim=0, descending=True):  # one window of each type a turn
            is_free = ~(too_close[row, :, column].T & kept).any(dim=0)
            kept[row, column] = detected[row, column] & is_free
        return kept


def mask_padding(logits: Tensor, n_frames: Tensor | None) -> Tensor:
    """Return logits (B, F, K) that vanish in a softmax over time past the end of each window."""
    if n_frames is None:
        return logits
    is_inside = inside(n_frames, logits.shape[1], logits.device)[..., None]
    return logits.masked_fill(~is_inside, PADDING_LOGIT)


class EventSpecificTimingHeads(nn.Module):
    """Timing logits from self-attention and a two-layer network for each type.

    Parameters
    ----------
    num_events
        Types K.
    hidden_size
        Features D of a frame.
    dropout
        Probability to drop a feature before the output.
    num_heads, head_size
        Heads of each type's attention and the features of a head.

    Notes
    -----
    Each type has weights of its own; the present types of a batch are computed
    together, absent ones not at all. The attended frame is added to the frame
    before the network, which halves D and then gives the logit.
    """

    def __init__(
        self,
        num_events: int,
        hidden_size: int,
        dropout: float = 0.2,
        *,
        num_heads: int = 4,
        head_size: int = 8,
    ) -> None:
        super().__init__()
        self.num_events = num_events
        self.num_heads = num_heads
        attended, half = num_heads * head_size, max(1, hidden_size // 2)
        self.project = _TypedLinear(num_events, hidden_size, 3 * attended)
        self.attend = _TypedLinear(num_events, attended, hidden_size)
        self.halve = _TypedLinear(num_events, hidden_size, half)
        self.output = _TypedLinear(num_events, half, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        lstm_features: Tensor,
        event_mask: Tensor | None = None,
        lengths: Tensor | None = None,
    ) -> Tensor:
        """Compute the timing logits of frames.

        Parameters
        ----------
        lstm_features
            Frames, (B, F, D).
        event_mask
            True or above 0.5 where a type is in a window, (B, K); None: all
            types are computed.
        lengths
            Frames of each window, (B,); None: all have F.

        Returns
        -------
        Tensor
            Logits for a softmax over time, (B, F, K). Those of an absent type
            are all 0, a uniform distribution; past the end of a window they
            are -10,000.
        """
        n_windows, n_frames, _ = lstm_features.shape
        if event_mask is None:
            event_mask = lstm_features.new_ones(n_windows, self.num_events)
        row, kind = torch.nonzero(event_mask > 0.5, as_tuple=True)  # P pairs
        frames = lstm_features[row]
        projected = self.project(frames, kind).unflatten(2, (3, self.num_heads, -1))
        query, key, value = projected.permute(2, 0, 3, 1, 4)
        mask = None
        if lengths is not None:
            mask = inside(lengths, n_frames, frames.device)[row][:, None, None]
        attended = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        frames = frames + self.attend(attended.transpose(1, 2).flatten(2), kind)
        present = self.output(self.dropout(self.halve(frames, kind).relu()), kind)[..., 0]  # (P, F)
        logits = present.new_zeros(n_windows, self.num_events, n_frames)
        logits = logits.index_put((row, kind), present).transpose(1, 2)
        return mask_padding(logits, lengths)


class _TypedLinear(nn.Module):
    """A linear layer for each type: (P, F, n_inputs) of types (P,) to (P, F, n_outputs)."""

    def __init__(self, n_types: int, n_inputs: int, n_outputs: int) -> None:
        super().__init__()
        bound = n_inputs**-0.5
        self.weight = nn.Parameter(
            torch.empty(n_types, n_inputs, n_outputs).uniform_(-bound, bound)
        )
        self.bias = nn.Parameter(torch.empty(n_types, 1, n_outputs).uniform_(-bound, bound))

    def forward(self, x: Tensor, kind: Tensor) -> Tensor:
        """Map each row of `x` by the layer of its type."""
        return torch.baddbmm(self.bias[kind], x, self.weight[kind])


class LSTMEventClassifier(EventClassifier):
    """Presence and time of K types of event by an LSTM with self-attention.

    Parameters
    ----------
    input_size, hidden_size, num_events
        Channels C, units of an LSTM layer and direction, types K.
    num_layers, dropout, bidirectional
        Of the LSTM; dropout also after the attention and before the output
        layers.
    timing_resolution_samples, refractory_period_samples
        As in `EventClassifier`.
    stride
        Samples between the frames of the timing logits. 1: the LSTM and the
        attention read every sample. 10: they read frames of 10 samples, which
        is many times cheaper and, with times interpolated between frames, as
        precise.
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
        encoder = event_encoder(input_size, hidden_size, num_layers, dropout, bidirectional, stride)
        super().__init__(
            encoder, num_events, dropout, timing_resolution_samples, refractory_period_samples
        )
        self.timing_head = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(self.encoder.n_features, num_events)
        )

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Classify windows.

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
            (B, ceil(T / stride), K), for a softmax over the frames; -10,000
            past the end of a window.
        """
        x, lengths = trimmed(x, lengths)
        frames = self.encoder(x, lengths)
        n_frames = self.encoder.frame_lengths(lengths)
        return self.event_head(frames, n_frames), mask_padding(self.timing_head(frames), n_frames)


class EventSpecificClassifier(EventClassifier):
    """Presence and time of K types of event by templates, filters and timing heads of each type.

    Parameters
    ----------
    input_size, hidden_size, num_events
        Channels C, units of an LSTM layer and direction, types K.
    num_layers, dropout, bidirectional
        Of the LSTM; dropout also before the output layers.
    template_length
        Samples of a template.
    timing_resolution_samples, refractory_period_samples
        As in `EventClassifier`.
    stride
        Samples between the frames of the timing logits. 1: filters, LSTM and
        attention compute every sample. 10: every tenth, which is many times
        cheaper; the filters span the same time, the second and third with
        fewer weights.
    """

    encoder: EventSpecificEncoder

    def __init__(
        self,
        input_size: int = 6,
        hidden_size: int = 128,
        num_layers: int = 2,
        num_events: int = 16,
        dropout: float = 0.3,
        template_length: int = 80,
        bidirectional: bool = True,
        timing_resolution_samples: int = 10,
        refractory_period_samples: int = 4000,
        stride: int = 1,
    ) -> None:
        encoder = EventSpecificEncoder(
            input_size,
            n_templates=num_events,
            template_samples=template_length,
            features_per_template=32,
            kernel_sizes=_kernel_sizes_at(stride),
            strides=(stride, 1, 1),
            hidden_size=hidden_size,
            n_layers=num_layers,
            bidirectional=bidirectional,
            dropout=dropout,
            pooling="mean",
        )
        super().__init__(
            encoder, num_events, dropout, timing_resolution_samples, refractory_period_samples
        )
        n_recurrent = encoder.n_features - num_events
        self.timing_heads = EventSpecificTimingHeads(num_events, n_recurrent, dropout)

    @property
    def template_bank(self) -> EventTemplateBank:
        """The templates of the types."""
        return self.encoder.template_bank

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Classify windows.

        Parameters
        ----------
        x
            Windows, (B, T, C).
        lengths
            Samples of each window, (B,); None: all have T.

        Returns
        -------
        tuple[Tensor, Tensor, Tensor]
            Logits of presence, (B, K), for a sigmoid; of time,
            (B, ceil(T / stride), K), for a softmax over the frames, -10,000
            past the end of a window; match scores in [-1, 1], (B, T, K), 0
            past the end.
        """
        x, lengths = trimmed(x, lengths)
        frames, scores = self.encoder.matched(x, lengths)
        n_frames = self.encoder.frame_lengths(lengths)
        recurrent = frames[..., self.encoder.n_template_scores :]
        return (
            self.event_head(frames, n_frames),
            self.timing_heads(recurrent, None, n_frames),
            scores,
        )


def _kernel_sizes_at(stride: int) -> tuple[int, ...]:
    """Return the described kernel sizes, the later ones in frames that span as many samples."""
    first, *later = KERNEL_SIZES
    covering = max(first, stride + 1 - stride % 2)
    return (covering, *(1 + 2 * round(size // 2 / stride) for size in later))
