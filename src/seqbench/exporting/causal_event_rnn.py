"""A causal `event_rnn` as one function from samples and a state to frames and the next state.

Layers along a recording hold as many numbers at every step, so that nothing in the graph
depends on what was read. Two things make that possible. Every layer lags behind the
samples by a whole number of its own steps. And samples come with a flag whether they are of
the recording, which travels with them: what lies outside is zero for the layer that reads it.
"""

import operator
from dataclasses import dataclass
from itertools import accumulate

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqbench.exporting.causal import CausalStep, State
from seqbench.exporting.graph import WholeModel
from seqbench.models.event_rnn import EventRnnEncoder
from seqbench.storage.onnx_model import StreamRecord
from seqbench.tasks.detection.head import DetectionHead


@dataclass(frozen=True)
class Delays:
    """By how much each layer lags, if the first piece begins before the recording.

    Attributes
    ----------
    n_before
        Samples of the first piece that come before the recording.
    inputs
        Samples by which the trend is behind the last one; less, where convolutions lag.
    blocks
        Of each convolution, in its own steps; negative: ahead, where they begin with zeros.
    held
        Inputs that each convolution holds from piece to piece; negative: that it skips.
    recurrence
        Of the frames that the recurrence reads: whole pieces, so that the
        first frame of a recording is the first of a piece.
    scores
        Of the scores, in frames of the head.
    """

    n_before: int
    inputs: int
    blocks: tuple[int, ...]
    held: tuple[int, ...]
    recurrence: int
    scores: int

    @classmethod
    def of(cls, encoder: EventRnnEncoder, joined: int, n_before: int) -> "Delays":
        """Return the least delays with which every layer has what it reads."""
        inputs = encoder.detrend.ahead - encoder.lag + n_before
        blocks, held, behind = [], [], inputs
        for block, step in zip(_blocks(encoder), encoder.convolution.strides, strict=True):
            reach = block.kernel_size[0] // 2
            blocks.append((reach + behind) // step)
            held.append(blocks[-1] * step + reach - behind)
            behind = blocks[-1]
        recurrence = -(-behind // joined) * joined
        scores = -(-(recurrence + encoder.n_ahead) // joined)
        return cls(n_before, inputs, tuple(blocks), tuple(held), recurrence, scores)

    @classmethod
    def least(cls, encoder: EventRnnEncoder, joined: int) -> "Delays":
        """Return the delays with which the scores of a frame follow the fewest samples."""
        hop = encoder.stride * joined
        every = [cls.of(encoder, joined, n_before) for n_before in range(hop)]
        return min(every, key=lambda one: (one.scores + 1) * hop - one.n_before)


class CausalEventRnn(CausalStep):
    """A step of `event_rnn`; see `CausalStep`."""

    def __init__(self, whole: WholeModel, head: DetectionHead, encoder: EventRnnEncoder) -> None:
        super().__init__(whole, head)
        self.encoder = encoder
        self.delays = Delays.least(encoder, head.joined)
        self.n_warm_up = self.delays.recurrence // head.joined
        self.n_past = self._furthest()
        self._first_inputs = self._inputs_before_the_first_sample()
        self.measure_state()

    @property
    def record(self) -> StreamRecord:
        """What a caller must know."""
        return StreamRecord(
            hop_samples=self.head.hop,
            first_centre=self.head.first_centre,
            n_before=self.delays.n_before,
            n_warm_up=self.n_warm_up,
            delay_frames=self.delays.scores,
            n_state=self.n_state,
        )

    def step(self, samples: Tensor, inside: Tensor, state: State) -> Tensor:
        """Return the scores of the next hops; see `CausalStep.step`."""
        elapsed = state.take(1, 1)  # pieces before, no more than tell what has begun
        n_pieces = torch.ones_like(inside[:, :: self.head.hop, 0]).sum(dim=1, keepdim=True)
        state.give((elapsed + n_pieces).clamp(max=self.n_warm_up + 1.0))
        marks = _Marks(state.after(inside, self.n_past, 1), self.n_past)
        x = self._without_trend(self.whole.normalized(samples) * inside, marks, state)
        frames = self._convolved(x, marks, elapsed, state)
        features = self._with_context(frames, marks, elapsed, state)
        n_ready = self.delays.recurrence + self.encoder.n_ahead
        n_waiting = self.delays.scores * self.head.joined - n_ready
        features = state.after(features, n_waiting, self.encoder.n_features)
        scores = self.head.scores(self.head(features[:, : -n_waiting or None]))
        # States of the recurrence begin with a call, so the first frame must not lie within one.
        is_within = (elapsed < self.n_warm_up) & (elapsed + n_pieces > self.n_warm_up)
        return scores.masked_fill(is_within[..., None, None], torch.nan)

    def _furthest(self) -> int:
        """Return how many samples back some layer reads whether they are of the recording."""
        encoder, delays = self.encoder, self.delays
        steps = _steps(encoder)
        blocks = [delay * step for delay, step in zip(delays.blocks, steps, strict=True)]
        frames = (delays.recurrence + encoder.n_ahead) * encoder.stride
        span = encoder.detrend.ahead + encoder.detrend.behind
        return max(span, frames, *blocks) + encoder.lag + 1

    def _without_trend(self, x: Tensor, marks: "_Marks", state: State) -> Tensor:
        """Take the moving mean from a signal (1, L, C), zero outside of the recording."""
        detrend = self.encoder.detrend
        ahead, behind = detrend.ahead, detrend.behind
        if behind:
            span = ahead + behind
            spanned = state.after(x, span, self.n_channels)
            counts = _moving_sum(marks.since(span), span).clamp(min=1)
            means = (_moving_sum(spanned, span) / counts).float()
            x = spanned[:, behind : -ahead or None] - means
        return detrend.scaled(x) * marks.at(-ahead)

    def _convolved(self, x: Tensor, marks: "_Marks", elapsed: Tensor, state: State) -> Tensor:
        """Return the frames (1, n, D) of the convolutions, zero outside of the recording."""
        encoder, delays = self.encoder, self.delays
        x = x.transpose(1, 2)
        steps = _steps(encoder)
        for i, image in enumerate(_images(encoder)):
            n_held = delays.held[i]
            if n_held > 0:
                held = state.take(1, image.in_channels, n_held)
                if (first := self._first_inputs[i]) is not None:
                    held = held + (elapsed < 0.5).float()[..., None] * first
                x = torch.cat([held, x], dim=2)
                state.give(x[:, :, -n_held:])
            else:
                x = x[:, :, -n_held:]
            x = _convolved(image, x)
            # Convolutions that lag read a signal with as many zeros before it.
            last = encoder.lag if i + 1 < len(delays.blocks) else 0
            at = delays.n_before - delays.blocks[i] * steps[i]
            x = x * marks.at(at, steps[i], last=last).transpose(1, 2)
        return x.transpose(1, 2)

    @torch.no_grad()
    def _inputs_before_the_first_sample(self) -> list[Tensor | None]:
        """Return for each block what it holds at the start, (1, D, held); None: zeros.

        Convolutions that lag begin before the first sample, with zeros.
        """
        encoder, delays = self.encoder, self.delays
        x = torch.zeros(1, self.n_channels, encoder.lag)
        found: list[Tensor | None] = [None]
        for i, image in enumerate(_images(encoder)[:-1]):
            n_known, n_held = max(-delays.blocks[i], 0), delays.held[i + 1]
            if not n_known:
                x = x.new_zeros(1, image.out_channels, 0)
            else:
                x = _convolved(image, F.pad(x, (image.kernel_size[1] // 2, 0)))[:, :, :n_known]
            kept = x[:, :, -n_held:] if n_known and n_held > 0 else None
            found.append(None if kept is None else F.pad(kept, (n_held - kept.shape[2], 0)))
        return found

    def _with_context(
        self, frames: Tensor, marks: "_Marks", elapsed: Tensor, state: State
    ) -> Tensor:
        """Return frames (1, n, D) of the convolutions with their context."""
        encoder, delays = self.encoder, self.delays
        n_waiting = delays.recurrence - delays.blocks[-1]
        n_held = n_waiting + encoder.n_ahead
        frames = state.after(frames, n_held, encoder.convolution.n_features)
        context = frames[:, encoder.n_ahead : -n_waiting or None]
        has_begun = (elapsed > self.n_warm_up + 0.5).float()
        for layer in encoder.recurrence.ahead:
            if not isinstance(layer, nn.RNNBase):
                raise TypeError("recurrence has layers of recurrence")
            n_states = 2 if isinstance(layer, nn.LSTM) else 1
            held = [state.take(1, 1, layer.hidden_size) * has_begun for _ in range(n_states)]
            context, after = layer(context, tuple(held) if n_states == 2 else held[0])
            for one in after if n_states == 2 else (after,):
                state.give(one)
        at = delays.n_before - (delays.recurrence + encoder.n_ahead) * encoder.stride
        context = context * marks.at(at, encoder.stride)
        return torch.cat([frames[:, : -n_held or None], context], dim=2)


class _Marks:
    """Which samples of a piece, and of those before it, are of the recording, (1, M + L, 1)."""

    def __init__(self, marks: Tensor, n_past: int) -> None:
        self._marks, self._n_past = marks, n_past

    def since(self, n: int) -> Tensor:
        """Return those from n samples before the piece on."""
        return self._marks[:, self._n_past - n :]

    def at(self, place: int, step: int = 1, *, last: int = 0) -> Tensor:
        """Return whether samples `place` from those of the piece, every `step`, are inside.

        With `last`, whether any of so many before each is, too.
        """
        marks = F.pad(self._marks, (0, 0, 0, max(place, 0)))
        marks = marks[:, self._n_past + place - last : min(place, 0) or None]
        if last:
            marks = F.max_pool1d(marks.transpose(1, 2), last + 1, stride=1).transpose(1, 2)
        return marks[:, ::step]


def _blocks(encoder: EventRnnEncoder) -> list[nn.Conv1d]:
    return [one for one in encoder.convolution.convolutions if isinstance(one, nn.Conv1d)]


def _images(encoder: EventRnnEncoder) -> list[nn.Conv2d]:
    """Return the blocks as convolutions of images of one row; see `prepare_for_tracing`."""
    images = encoder.convolution.of_images
    if not isinstance(images, nn.ModuleList):
        raise TypeError("the encoder is not prepared for tracing")
    return [one for one in images if isinstance(one, nn.Conv2d)]


def _convolved(image: nn.Conv2d, x: Tensor) -> Tensor:
    """Return the outputs of a block for a signal (1, D, m) without padding."""
    rows = F.conv2d(x.unsqueeze(2), image.weight, image.bias, stride=image.stride)
    return rows.squeeze(2).relu()


def _steps(encoder: EventRnnEncoder) -> list[int]:
    """Return the samples from output to output of each block."""
    return list(accumulate(encoder.convolution.strides, operator.mul))


def _moving_sum(x: Tensor, n_before: int) -> Tensor:
    """Return the sums of each sample (1, L, C) and those before it, double precision."""
    running = F.pad(x.double().cumsum(dim=1), (0, 0, 1, 0))
    return running[:, n_before + 1 :] - running[:, : -n_before - 1]
