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
from seqbench.models.base import Encoder, EncoderStream, ended, inside, like
from seqbench.models.convolution import Conv1d
from seqbench.models.dropout import BitDropout
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
LOOK_AHEAD_MS = 50.0  # of a causal model, where the config gives none
TOGETHER = 4  # frames that a causal model finds at a time
AT_A_TIME = 512  # blocks that are searched at a time: memory goes with them
FLOOR = -6.0  # log-odds below which a peak is no candidate
HALF_WAY = 5.0  # log-odds that become log 2: large ones would all be a probability of 1
LEAST = -math.log1p(-NEVER / HALF_WAY)  # `NEVER`, compressed
N_MAPS = 4
REACH_FRAMES = 2  # that the first convolution sees to each side


@ARCHITECTURES.register(
    "event_pursuit",
    accepts=("series",),
    starts_as="matched_filter",
    causal_with={"causal": True},
    only_with={"look_ahead_ms": {"causal": True}},
    takes_rate=True,
    takes_types=True,
    space={"width": (16, 24, 48), "dropout": {"low": 0.0, "high": 0.5}},
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
    causal
        Read a recording as it comes, however long: frames see their past, and a little ahead.
    look_ahead_ms
        How far a causal model looks past the time of a frame; only with `causal: true`,
        empty: 50. Templates end there.
    dropout
        Probability to drop a feature.

    Raises
    ------
    UserError
        If the sampling rate is not known, or a look-ahead is shorter than a frame.

    Notes
    -----
    (B, T, C) -> (B, ceil(T / stride), K * (W + 2)), a frame every 5 ms. Of every type a frame
    has W features, and the log-odds and time of the event that the filter finds in it; its head
    adds to these, and nothing at first. Two convolutions, the same for all types, read the
    log-odds of the type at every sample, the highest of all others, the amplitude of what was
    subtracted, and the power of what is left. About 12,000 weights; the filter is fitted on
    train before the first step, and stays as it is.

    A causal model searches overlapping blocks: up to four frames, a template before them and
    the look-ahead of the first behind it, about eight times the samples. In training it reads
    whole windows all the same: what is added to log-odds is learned as well, and sooner.
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
        causal: bool = False,
        look_ahead_ms: Positive | None = None,
        dropout: Dropout = 0.2,
    ) -> None:
        super().__init__()
        if sampling_rate_hz is None:
            raise UserError(
                "event_pursuit needs the sampling rate of the recordings; give the dataset"
                " sampling_rate_hz"
            )
        samples = sampling_rate_hz / 1000
        self.n_types = n_types
        self.stride = max(LEAST_STRIDE, round(FRAME_MS * samples))
        if causal:
            ahead_ms = LOOK_AHEAD_MS if look_ahead_ms is None else look_ahead_ms
            self.look_ahead_samples = self._look_ahead(ahead_ms, samples)
            length_ms = min(length_ms, before_ms + ahead_ms)
            self.n_together = min(TOGETHER, self.look_ahead_samples // self.stride)
        self.start_options = {"length_ms": length_ms, "before_ms": before_ms, "shapes": shapes}
        length = max(1, round(length_ms * samples))
        self.apart = max(1, length // 2)  # samples within which a type has one peak
        self.edge_samples = length + WHITENING_TAPS - 1
        self.behind_samples = -(-self.edge_samples // self.stride) * self.stride
        self.step_samples = self.n_together * self.stride
        self.block_samples = self.behind_samples + (self.look_ahead_samples or 0) + 1
        self.pursuit = MatchingPursuit(n_channels, n_types, shapes, length + WHITENING_TAPS - 1)
        reach = REACH_FRAMES * self.stride
        self.near = Conv1d(N_MAPS, width, 2 * reach + 1, stride=self.stride, padding=reach)
        frames = max(1, round(context_ms * samples / self.stride / 2))
        self.around = Conv1d(width + 2, width, 2 * frames + 1, padding=frames)
        self.of_type = nn.Parameter(torch.zeros(n_types, width))
        self.dropout = BitDropout(dropout)
        self.n_type_features = width
        self.n_features = n_types * (width + 2)

    def _look_ahead(self, look_ahead_ms: float, samples: float) -> int:
        """Return a look-ahead in whole samples."""
        ahead = int(look_ahead_ms * samples + 1e-9)
        if ahead < self.stride:
            raise UserError(
                f"look_ahead_ms of event_pursuit is {look_ahead_ms:g} ms, but a frame has"
                f" {self.stride / samples:g} ms; set it to that or more"
            )
        return ahead

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
        if self.look_ahead_samples is None or self.training:
            return self._encode_whole(x, lengths)
        n_samples = x.shape[1]
        n_frames = -(-n_samples // self.stride)
        n_blocks = -(-n_frames // self.n_together)
        behind = x[:, :1].expand(-1, self.behind_samples, -1)  # the past stands still
        x = torch.cat([behind, F.pad(x, (0, 0, 0, self.block_samples))], dim=1)
        ends = torch.full((len(x),), n_samples) if lengths is None else lengths
        frames = self.in_blocks(x, n_blocks, self.behind_samples + ends)
        return ended(frames[:, :n_frames], self.frame_lengths(lengths))

    def in_blocks(self, x: Tensor, n_blocks: int, lengths: Tensor) -> Tensor:
        """Encode frames as a causal model does, block by block.

        Parameters
        ----------
        x
            Signal from `behind_samples` before the first frame on, (B, n, C), zero after each end.
        n_blocks
            Of `n_together` frames each.
        lengths
            Samples of each signal, (B,).

        Returns
        -------
        Tensor
            (B, n_blocks * n_together, D).
        """
        size, step = self.block_samples, self.step_samples
        blocks = x.unfold(1, size, step)[:, :n_blocks].transpose(2, 3)
        own = (lengths[:, None] - step * torch.arange(n_blocks)).clamp(0, size)
        pieces = zip(
            blocks.flatten(0, 1).split(AT_A_TIME), own.flatten().split(AT_A_TIME), strict=True
        )
        frames = [
            self.of_blocks(some, None if (ends == size).all() else ends) for some, ends in pieces
        ]
        return torch.cat(frames).unflatten(0, (len(x), n_blocks)).flatten(1, 2)

    def of_blocks(self, blocks: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the frames (N, n_together, D) of blocks (N, block_samples, C); see `in_blocks`."""
        first = self.behind_samples // self.stride
        return self._encode_whole(blocks, lengths)[:, first : first + self.n_together]

    def stream(self) -> EventPursuitStream:
        """Return the state of a causal model before the first sample; see `Encoder.stream`."""
        if self.look_ahead_samples is None:
            raise UserError("event_pursuit reads whole windows; set causal: true for streams")
        return EventPursuitStream(self)

    def _encode_whole(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
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


class EventPursuitStream(EncoderStream):
    """Frames of one recording; see `EncoderStream`.

    Parameters
    ----------
    encoder
        Causal, in evaluation.
    """

    def __init__(self, encoder: EventPursuitEncoder) -> None:
        self._encoder = encoder
        self._held: Tensor | None = None  # from `behind_samples` before the next frame on
        self._n_samples = self._n_frames = 0

    def push(self, x: Tensor) -> Tensor:
        """Take the next samples; see `EncoderStream.push`."""
        if self._held is None:  # before a recording, its first sample stands still
            self._held = x[:, :1].expand(-1, self._encoder.behind_samples, -1)
        self._n_samples += x.shape[1]
        self._held = torch.cat([self._held, x], dim=1)
        n_past = self._held.shape[1] - self._encoder.block_samples
        return self._frames(self._held, n_past // self._encoder.step_samples + 1)

    def finish(self) -> Tensor:
        """Return the frames that are left; see `EncoderStream.finish`."""
        n_left = -(-self._n_samples // self._encoder.stride) - self._n_frames
        if self._held is None or n_left == 0:
            return torch.zeros(1, 0, self._encoder.n_features)
        padded = F.pad(self._held, (0, 0, 0, self._encoder.block_samples))
        return self._frames(padded, -(-n_left // self._encoder.n_together))[:, :n_left]

    def _frames(self, signal: Tensor, n_blocks: int) -> Tensor:
        """Return the frames of so many blocks, and leave them behind."""
        if n_blocks < 1 or self._held is None:
            return signal.new_zeros(1, 0, self._encoder.n_features)
        frames = self._encoder.in_blocks(signal, n_blocks, torch.tensor([self._held.shape[1]]))
        self._held = self._held[:, n_blocks * self._encoder.step_samples :].clone()
        self._n_frames += frames.shape[1]
        return frames
