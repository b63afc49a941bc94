"""Output layer of detection: for every frame and type, is there an onset, and where exactly.

Where in its frame an onset lies is predicted as a distribution over bins, not as
a number: a signal that swings many times within a frame leaves several times
about as likely, and the mean of those is none of them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from seqbench.errors import UserError
from seqbench.models.base import Encoder
from seqbench.models.convolution import Conv1d
from seqbench.models.dropout import BitDropout
from seqbench.storage.detections import Candidates, Pace
from seqbench.storage.windows import WindowSet
from seqbench.tasks.detection.averaging import averaged
from seqbench.tasks.detection.losses import (
    bin_divergence,
    duration_loss,
    presence_loss,
    refractory_penalty,
    template_alignment,
)
from seqbench.tasks.detection.scoring import (
    CausalScoring,
    CausalStream,
    FrameStream,
    Scoring,
    WindowScoring,
    find_candidates,
)
from seqbench.tasks.detection.stitching import Frames, Layout
from seqbench.tasks.detection.target import EventTarget
from seqbench.tasks.detection.task import DetectionTask
from seqbench.tasks.head import Head

LEAST_FRAME_SAMPLES = 8  # finer frames are joined: an onset needs one frame, not many
PRIOR = 0.01  # presence that a new head gives every frame; makes its first steps calm
SPREAD_FRAMES = 0.6  # standard deviation of the target of presence around an onset
REACH_FRAMES = 2  # frames on either side that the target of presence touches
BINS_PER_FRAME = 10
LEAST_FRAMES = 4  # of a window
BESIDE = 1  # frames on either side of the nearest that predict the time as well
N_BINS = (1 + 2 * BESIDE) * BINS_PER_FRAME + 1  # from -1.5 to 1.5 frames
HALF = N_BINS // 2  # number of the bin at the centre of a frame
BIN = 1 / BINS_PER_FRAME  # width of a bin in frames
SPREAD_BINS = 0.8  # standard deviation of the target of time around an onset
MOST_NATS = 12.0  # that a duration differs from the typical one: keeps it finite
AROUND = 2  # bins on either side of the likeliest whose centroid is the time


@dataclass(frozen=True)
class FrameTarget:
    """Targets of a head.

    Parameters
    ----------
    presence
        In [0, 1], (B, F, K).
    is_known
        Whether every event of a frame is labelled, (B, F, 1).
    window, frame, type
        Index of the frames at and beside an onset, (M,) each.
    offset
        Onset less the centre of that frame, in frames, (M,).
    duration
        Of that event in samples, (M,); NaN where its end is not known. None: not needed.
    """

    presence: Tensor
    is_known: Tensor
    window: Tensor
    frame: Tensor
    type: Tensor
    offset: Tensor
    duration: Tensor | None = None


class DetectionHead(Head):
    """Presence, and a distribution over times within the frame, for every frame and type.

    Parameters
    ----------
    encoder
        Gives frames; those finer than 8 samples are joined.
    n_types
        Event types K.
    task
        Gives kind and weights of the losses.
    dropout
        Between frames and the output layer.
    refractory_samples
        Shortest time between two events of one type; 0: none known.
    typical_samples
        Median duration of each type, (K,), from which a new head begins; None: ends of the type
        are not known, nor predicted. Empty: of no type.

    Raises
    ------
    UserError
        If the encoder has templates, but fewer than types.

    Notes
    -----
    Logits are (B, F, 1 + 31, K): presence, then the bins of time from 1.5
    frames before the centre of the frame to 1.5 behind. Behind them stands the logarithm of the
    duration by the typical one, if there are any; and then an encoder's template scores. Frame
    f stands for the samples around ``first_centre + f * hop``.
    """

    typical: Tensor

    measured = "frame_f1"
    reads = "recordings"
    has_frame_loss = True

    def __init__(
        self,
        encoder: Encoder,
        n_types: int,
        task: DetectionTask,
        *,
        dropout: float,
        refractory_samples: float,
        typical_samples: Sequence[float | None] = (),
    ) -> None:
        super().__init__()
        if 0 < encoder.n_template_scores < n_types:
            raise UserError(
                f"the architecture has {encoder.n_template_scores} templates for {n_types} event"
                f" types; set its option n_templates to {n_types} or more"
            )
        self.n_types = n_types
        self.joined = max(1, math.ceil(LEAST_FRAME_SAMPLES / encoder.stride))
        self.hop = encoder.stride * self.joined
        self.first_centre = (self.joined - 1) * encoder.stride / 2
        self.edge_samples = encoder.edge_samples
        self.task = task
        self.template_weight = task.template_weight if encoder.n_template_scores else 0.0
        self.refractory_frames = int(refractory_samples / self.hop)
        self.dropout = BitDropout(dropout)
        typical = torch.tensor([one or 0.0 for one in typical_samples])
        self.register_buffer("typical", typical, persistent=False)
        self.n_values: Literal[2, 3] = 3 if typical_samples else 2
        self.add_layers(encoder)

    def add_layers(self, encoder: Encoder) -> None:
        """Add what has weights."""
        n_types, size = self.n_types, self.joined
        self.output = Conv1d(encoder.n_features, (1 + N_BINS) * n_types, size, stride=size)
        with torch.no_grad():
            self.output.bias.zero_()  # type: ignore[union-attr]
            self.output.bias[:n_types] = math.log(PRIOR / (1 - PRIOR))  # type: ignore[index]
        if self.n_values == 3:
            self.duration = Conv1d(encoder.n_features, n_types, size, stride=size)
            nn.init.zeros_(self.duration.weight)
            nn.init.zeros_(self.duration.bias)  # type: ignore[arg-type]

    def forward(self, frames: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return logits (B, F, 32 to 34, K); what lies behind a window's end is for no one."""
        features = self._features(frames)
        dropped = self.dropout(features).transpose(1, 2)
        logits = self.output(dropped).transpose(1, 2)
        logits = logits.unflatten(2, (1 + N_BINS, self.n_types))
        if self.n_values == 3:
            log_ratio = self.duration(dropped).transpose(1, 2)
            logits = torch.cat([logits, log_ratio[:, :, None]], dim=2)
        if self.template_weight:
            logits = torch.cat([logits, self._matches(features)[:, :, None]], dim=2)
        return logits

    def _features(self, frames: Tensor) -> Tensor:
        """Return frames of the encoder (B, n, D), as many as are joined without a rest."""
        if self.joined == 1:
            return frames
        return F.pad(frames, (0, 0, 0, -frames.shape[1] % self.joined))

    def _matches(self, features: Tensor) -> Tensor:
        """Return the template scores of each frame, (B, F, K)."""
        scores = features[:, :, : self.n_types].transpose(1, 2)
        return F.max_pool1d(scores, self.joined).transpose(1, 2)

    def loss(self, logits: Tensor, target: EventTarget, weight: Tensor | None = None) -> Tensor:
        """Return the weighted sum of presence, offset, duration, template and refractory losses."""
        frames = self.frame_target(target, logits.shape[1])
        at_onsets = logits[frames.window, frames.frame, 1:, frames.type]
        matches = logits[:, :, -1] if self.template_weight else None
        return self._loss(logits[:, :, 0], at_onsets, matches, frames, weight)

    def frame_loss(
        self,
        frames: Tensor,
        lengths: Tensor | None,
        target: EventTarget,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Return the loss of frames (B, F, D); times are predicted beside onsets alone.

        These are some hundredths of all frames, and times most of the logits.
        """
        features = self._features(frames)
        joined = self.dropout(features).reshape(len(frames), -1, self.joined * frames.shape[2])
        layers = [self.output] if self.n_values == 2 else [self.output, self.duration]
        weights = torch.cat([one.weight for one in layers]).transpose(1, 2).flatten(1)
        bias = torch.cat([one.bias for one in layers])  # type: ignore[misc]
        n = self.n_types
        expected = self.frame_target(target, joined.shape[1])
        presence = F.linear(joined, weights[:n], bias[:n])
        beside = F.linear(joined[expected.window, expected.frame], weights[n:], bias[n:])
        at_onsets = beside.unflatten(1, (-1, n))[torch.arange(len(beside)), :, expected.type]
        matches = self._matches(features) if self.template_weight else None
        return self._loss(presence, at_onsets, matches, expected, weight)

    def _loss(
        self,
        presence: Tensor,
        at_onsets: Tensor,
        matches: Tensor | None,
        frames: FrameTarget,
        weight: Tensor | None,
    ) -> Tensor:
        """Return the loss of presence (B, F, K) and of times, and durations, at onsets (M, ...)."""
        presence, known = presence.float(), frames.is_known
        kind = self.task.presence
        loss = presence_loss(presence, frames.presence, mask=known, kind=kind, weight=weight)
        if self.task.offset_weight:
            bins = at_onsets[:, :N_BINS].float()
            place = (frames.offset / BIN).clamp(-HALF, HALF) + HALF
            loss = loss + self.task.offset_weight * bin_divergence(bins, place, SPREAD_BINS)
        if self.n_values == 3 and frames.duration is not None:
            target_ratio = (frames.duration / self.typical[frames.type]).log()
            loss = loss + duration_loss(at_onsets[:, N_BINS], target_ratio)
        if matches is not None:
            alignment = template_alignment(matches, frames.presence, known)
            loss = loss + self.template_weight * alignment
        if self.task.refractory_weight and self.refractory_frames > 0:
            probabilities = presence.sigmoid() * known  # 0 behind the end of a window
            penalty = refractory_penalty(probabilities, self.refractory_frames)
            loss = loss + self.task.refractory_weight * penalty
        return loss

    def scores(self, logits: Tensor) -> Tensor:
        """Return presence as probability and offset in samples, (B, F, 2, K).

        A third value is the duration in samples, where durations are predicted; 0 of a type
        whose ends are not known.
        """
        presence = logits[:, :, 0].float().sigmoid()
        bins = logits[:, :, 1 : 1 + N_BINS].float()
        around = torch.arange(-AROUND, AROUND + 1, device=bins.device)[:, None]
        place = bins.argmax(dim=2, keepdim=True) + around
        inside = (place >= 0) & (place < N_BINS)  # bins beyond an edge weigh nothing
        near = bins.gather(2, place.clamp(0, N_BINS - 1)).masked_fill(~inside, -torch.inf)
        centroid = (near.softmax(dim=2) * place).sum(dim=2)
        values = [presence, (centroid - HALF) * BIN * self.hop]
        if self.n_values == 3:
            log_ratio = logits[:, :, 1 + N_BINS].float().clamp(-MOST_NATS, MOST_NATS)
            values.append(self.typical * log_ratio.exp())
        return torch.stack(values, dim=2)

    def measure(self, logits: Tensor, target: EventTarget) -> Tensor:
        """Return F1 of frames for each window, (B,): those around onsets against those found.

        1 where a window has neither.
        """
        frames = self.frame_target(target, logits.shape[1])
        found = (logits[:, :, 0] > 0) & frames.is_known
        there = (frames.presence > 0.5) & frames.is_known
        hits = (found & there).sum(dim=(1, 2))
        total = found.sum(dim=(1, 2)) + there.sum(dim=(1, 2))
        return torch.where(total > 0, 2 * hits / total.clamp(min=1), 1.0)

    def find(
        self,
        models: Sequence[Any],
        windows: WindowSet,
        device: torch.device,
        window_samples: int,
    ) -> Candidates:
        """Return the peaks of presence in whole recordings."""
        scorings = [one.head.scoring(one, device, window_samples) for one in models]
        return find_candidates(averaged(scorings), windows)

    def layout(self, window_samples: int) -> Layout:
        """Return how windows and frames lie in a recording.

        Raises
        ------
        UserError
            If a window has too few frames to overlap with the next one.
        """
        if window_samples < LEAST_FRAMES * self.hop:
            raise UserError(
                f"windows of {window_samples} samples are too short for frames of {self.hop};"
                f" set `window.length_samples` to {LEAST_FRAMES * self.hop} or more"
            )
        return Layout(window_samples, self.hop, self.first_centre, self.edge_samples)

    def scoring(self, model: Any, device: torch.device, window_samples: int) -> Scoring:
        """Return how a model with this head turns samples into frames.

        Parameters
        ----------
        model
            Encoder and head, in evaluation.
        device
            Where the model runs.
        window_samples
            Length that recordings are cut to, for models that read whole windows.
        """
        look_ahead = model.encoder.look_ahead_samples
        if look_ahead is not None:
            pace = Pace(
                hop_samples=self.hop,
                first_centre=self.first_centre,
                first_samples=self.hop - model.encoder.stride + look_ahead + 1,
                n_together=model.encoder.n_together,
            )
            return CausalScoring(lambda: self._stream(model.encoder, device, pace), pace)

        @torch.no_grad()
        def score(x: NDArray[np.float32]) -> Frames:
            return self.scores(model(torch.from_numpy(x).to(device))).cpu().numpy()

        return WindowScoring(score, self.layout(window_samples))

    def _stream(self, encoder: Encoder, device: torch.device, pace: Pace) -> FrameStream:
        """Return a causal encoder and this head before the first sample of a recording."""
        state = encoder.stream()
        held = torch.zeros(1, 0, encoder.n_features, device=device)

        def scored(frames: Tensor, *, is_end: bool) -> Frames:
            """Return the scores of frames, as many as are joined at a time."""
            nonlocal held
            held = torch.cat([held, frames], dim=1)
            n = held.shape[1] if is_end else held.shape[1] // self.joined * self.joined
            ready, held = held[:, :n], held[:, n:]
            if not n:
                return np.zeros((0, self.n_values, self.n_types), dtype=np.float32)
            return self.scores(self(ready))[0].cpu().numpy()

        @torch.no_grad()
        def push(x: NDArray[np.float32]) -> Frames:
            return scored(state.push(torch.from_numpy(x).to(device)[None]), is_end=False)

        @torch.no_grad()
        def finish() -> Frames:
            return scored(state.finish(), is_end=True)

        return CausalStream(push, finish, pace)

    def frame_target(self, target: EventTarget, n_frames: int) -> FrameTarget:
        """Return the targets of each frame and type."""
        device = target.onset.device
        centre = self.first_centre + self.hop * torch.arange(n_frames, device=device)
        is_known = (centre >= target.known[:, :1]) & (centre < target.known[:, 1:])
        window, column = torch.nonzero(target.type >= 0, as_tuple=True)
        onset, kind = target.onset[window, column], target.type[window, column]
        nearest = ((onset - self.first_centre) / self.hop).round().long().clamp(0, n_frames - 1)
        steps = torch.arange(-REACH_FRAMES, REACH_FRAMES + 1, device=device)
        frame = nearest[:, None] + steps  # (events, 5)
        inside = (frame >= 0) & (frame < n_frames)
        frame = frame.clamp(0, n_frames - 1)
        offset = (onset[:, None] - centre[frame]) / self.hop
        height = torch.exp(-0.5 * (offset / SPREAD_FRAMES).square())
        height = torch.where(steps == 0, 1.0, height) * inside
        presence = torch.zeros(len(target.onset), n_frames, self.n_types, device=device)
        at = (window[:, None] * n_frames + frame) * self.n_types + kind[:, None]
        presence.view(-1).scatter_reduce_(0, at.flatten(), height.flatten(), "amax")
        is_trained = inside & (steps.abs() <= BESIDE) & is_known[window[:, None], frame]
        row, step = torch.nonzero(is_trained, as_tuple=True)
        return FrameTarget(
            presence=presence,
            is_known=is_known[..., None],
            window=window[row],
            frame=frame[row, step],
            type=kind[row],
            offset=offset[row, step],
            duration=None if target.duration is None else target.duration[window, column][row],
        )
