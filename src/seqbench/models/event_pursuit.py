"""A network that starts as a matched filter, and learns what to add to its log-odds and times.

Shapes: B windows, T samples, C channels, F frames, K types of event, W features.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from seqbench.config.options import Count, Dropout, Level, Positive
from seqbench.config.registry import ARCHITECTURES
from seqbench.errors import UserError
from seqbench.models.base import Encoder, ended, inside, like
from seqbench.models.matching_pursuit import (
    IMPOSSIBLE,
    NEVER,
    WHITENING_TAPS,
    MatchingPursuit,
    Pursued,
)

if TYPE_CHECKING:
    from seqbench.baselines.matched_filter.detector import TemplateDetector

FRAME_MS, LEAST_STRIDE = 5.0, 8
FLOOR = -6.0  # log-odds below which a peak is no candidate
HALF_WAY = 5.0  # log-odds that become log 2: large ones would all be a probability of 1
LEAST = -math.log1p(-NEVER / HALF_WAY)  # `NEVER`, compressed
N_MAPS = 4
REACH_FRAMES = 2  # that the first convolution sees to each side


@ARCHITECTURES.register(
    "event_pursuit",
    accepts=("series",),
    starts_as="matched_filter",
    takes_rate=True,
    takes_types=True,
)
class EventPursuitEncoder(Encoder):
    """Matching pursuit with the templates of `matched_filter`, and a network on what it finds.

    Parameters
    ----------
    n_channels
        Channels C of a window.
    sampling_rate_hz
        Samples per second.
    n_types
        Event types K.
    length_ms
        Length of a template in milliseconds.
    before_ms
        What of it lies before the onset.
    shapes
        Templates of a type, at most.
    width
        Features W of a frame and type.
    context_ms
        Span of what is around a frame that its features see.
    dropout
        Probability to drop a feature.

    Raises
    ------
    UserError
        If the sampling rate is not known.

    Notes
    -----
    (B, T, C) -> (B, ceil(T / stride), K * (W + 2)), a frame every 5 ms. Of every type a frame
    has W features, and the log-odds and time of the event that the filter finds in it; its head
    adds to these, and nothing at first. Two convolutions, the same for all types, read the
    log-odds of the type at every sample, the highest of all others, the amplitude of what was
    subtracted, and the power of what is left. About 12,000 weights; the filter is fitted on
    train before the first step, and stays as it is.
    """

    def __init__(
        self,
        n_channels: int,
        sampling_rate_hz: float | None,
        n_types: int,
        *,
        length_ms: Positive = 60.0,
        before_ms: Level = 15.0,
        shapes: Annotated[int, Field(ge=1, le=16)] = 4,
        width: Count = 24,
        context_ms: Positive = 60.0,
        dropout: Dropout = 0.2,
    ) -> None:
        super().__init__()
        if sampling_rate_hz is None:
            raise UserError(
                "event_pursuit needs the sampling rate of the recordings; give the dataset"
                " sampling_rate_hz"
            )
        samples = sampling_rate_hz / 1000
        self.start_options = {"length_ms": length_ms, "before_ms": before_ms, "shapes": shapes}
        self.n_types = n_types
        self.stride = max(LEAST_STRIDE, round(FRAME_MS * samples))
        length = max(1, round(length_ms * samples))
        self.apart = max(1, length // 2)  # samples within which a type has one peak
        self.edge_samples = length + WHITENING_TAPS - 1
        self.pursuit = MatchingPursuit(n_channels, n_types, shapes, length + WHITENING_TAPS - 1)
        reach = REACH_FRAMES * self.stride
        self.near = nn.Conv1d(N_MAPS, width, 2 * reach + 1, stride=self.stride, padding=reach)
        frames = max(1, round(context_ms * samples / self.stride / 2))
        self.around = nn.Conv1d(width + 2, width, 2 * frames + 1, padding=frames)
        self.of_type = nn.Parameter(torch.zeros(n_types, width))
        self.dropout = nn.Dropout(dropout)
        self.n_type_features = width
        self.n_features = n_types * (width + 2)

    def start(self, fitted: TemplateDetector, n_samples: int) -> None:
        """Take over a matched filter; see `Encoder.start`.

        Raises
        ------
        UserError
            If a window is shorter than three templates: at its edges there is only half of one.
        """
        if n_samples < (least := 3 * self.edge_samples):
            raise UserError(
                f"windows of {n_samples} samples are too short for templates of"
                f" {self.edge_samples}; set `window.length_samples` to {least} or more, or lower"
                " `length_ms`"
            )
        self.pursuit.start(fitted)

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Encode windows (B, T, C); see `Encoder.encode`."""
        n_frames = (x.shape[1] + self.stride - 1) // self.stride
        pursued = self.pursuit(x, lengths)
        lengths_f = self.frame_lengths(lengths)
        log_odds, time = self.found(pursued, n_frames, lengths_f)
        near = F.gelu(self.near(_maps(pursued).flatten(0, 1)))
        near = near[..., :n_frames].reshape(x.shape[0], self.n_types, self.n_type_features, -1)
        near = self.dropout(near + self.of_type[:, :, None])
        if lengths_f is not None:
            near = near * inside(lengths_f, n_frames, x.device)[:, None, None]
        own = torch.stack([log_odds.clamp(min=LEAST) - LEAST, (log_odds > 0).to(log_odds)], dim=2)
        around = F.gelu(self.around(torch.cat([near, own], dim=2).flatten(0, 1)))
        features = around.reshape(near.shape)  # (B, K, W, F)
        frames = torch.cat([features, log_odds[:, :, None], time[:, :, None]], dim=2)
        return ended(frames.permute(0, 3, 1, 2).flatten(2), lengths_f)

    @torch.no_grad()
    def found(
        self, pursued: Pursued, n_frames: int, lengths: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the likeliest event of every frame and type.

        A frame has the samples that are nearest to it; the last one of a window has the rest.

        Parameters
        ----------
        pursued
            Of windows.
        n_frames
            Frames F.
        lengths
            Frames of each window, (B,); None: all have F.

        Returns
        -------
        tuple of Tensor
            Its log-odds, compressed, `NEVER` where there is none, and its time in samples
            from the middle of the frame; (B, K, F) each.
        """
        log_odds, is_event = pursued.log_odds, pursued.is_event
        rank = log_odds - IMPOSSIBLE * is_event  # what was subtracted before all else
        highest = F.max_pool1d(rank, 2 * self.apart + 1, stride=1, padding=self.apart)
        is_peak = (is_event | (rank >= highest)) & (log_odds > FLOOR)
        log_odds = log_odds.masked_fill(~is_peak, NEVER)
        half, stop = self.stride // 2, (n_frames + 1) * self.stride

        def by_frame(values: Tensor, nothing: float) -> Tensor:
            padded = F.pad(values, (half, 2 * self.stride), value=nothing)
            return padded[..., :stop].unflatten(2, (-1, self.stride))

        best, place = by_frame(log_odds, NEVER).max(dim=3)
        shift = by_frame(pursued.shift, 0.0).gather(3, place[..., None])[..., 0]
        time = place - half + shift
        frame = torch.arange(n_frames, device=best.device)
        count = n_frames if lengths is None else like(lengths.to(best.device), best)
        is_last = frame == count - 1
        (best, after), (time, later) = ((one[..., :-1], one[..., 1:]) for one in (best, time))
        is_later = is_last & (after > best)
        best = torch.where(is_later, after, best)
        time = torch.where(is_later, later + self.stride, time)
        nothing = best == NEVER
        if lengths is not None:
            nothing = nothing | ~inside(lengths, n_frames, best.device)[:, None]
        return _compressed(best).masked_fill(nothing, NEVER), time.masked_fill(nothing, 0)


def _maps(pursued: Pursued) -> Tensor:
    """Return what the network reads of each type at every sample, (B, K, 4, T)."""
    log_odds = pursued.log_odds
    padded = F.pad(log_odds, (0, 0, 0, 1), value=NEVER)  # a single type has a rival, too
    first, second = padded.topk(2, dim=1).values.split(1, dim=1)
    rival = torch.where(log_odds < first, first, second)
    power = pursued.residual.square().mean(dim=1, keepdim=True).log1p().expand_as(log_odds)
    odds = (_compressed(one) - LEAST for one in (log_odds, rival))  # 0 where nothing is
    return torch.stack([*odds, pursued.share, power], dim=2)


def _compressed(log_odds: Tensor) -> Tensor:
    up, down = (one.clamp(min=0) / HALF_WAY for one in (log_odds, -log_odds))
    return up.log1p() - down.log1p()
