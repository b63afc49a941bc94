"""A causal `event_rnn` along one recording: every layer carries what it still needs."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqbench.models.base import EncoderStream
from seqbench.models.cnn1d import Cnn1dEncoder
from seqbench.models.detrend import Detrend
from seqbench.models.recurrent import RecurrentEncoder


class EventRnnStream(EncoderStream):
    """Frames of one recording; see `EncoderStream`.

    Parameters
    ----------
    detrend, convolution, recurrence
        Layers of a causal encoder, in evaluation.
    lag
        Samples by which the convolutions lag behind centred ones.
    n_ahead
        Frames that the recurrence reads past the one it describes.
    """

    def __init__(
        self,
        detrend: Detrend,
        convolution: Cnn1dEncoder,
        recurrence: RecurrentEncoder,
        *,
        lag: int,
        n_ahead: int,
    ) -> None:
        self._recurrence = recurrence
        self._stride, self._n_ahead = convolution.stride, n_ahead
        self._trend = _TrendStream(detrend)
        self._blocks = [
            _BlockStream(block, norm, lag=0 if i else lag)
            for i, (block, norm) in enumerate(
                zip(convolution.convolutions, convolution.norms, strict=True)
            )
        ]
        self._states: list[Any] = [None] * len(recurrence.ahead)
        n_features = convolution.n_features
        self._waiting = torch.zeros(1, 0, n_features)  # frames whose context is still to come
        self._n_to_skip = n_ahead  # contexts of frames before the recording
        self._n_samples = self._n_frames = 0

    def push(self, x: Tensor) -> Tensor:
        """Take the next samples; see `EncoderStream.push`."""
        self._n_samples += x.shape[1]
        frames = self._trend.push(x).transpose(1, 2)
        for block in self._blocks:
            frames = block.push(frames)
        return self._joined(frames.transpose(1, 2))

    def finish(self) -> Tensor:
        """Return the frames that are left; see `EncoderStream.finish`."""
        frames = self._trend.finish().transpose(1, 2)
        for block in self._blocks:
            frames = torch.cat([block.push(frames), block.finish()], dim=2)
        n_left = -(-self._n_samples // self._stride) - self._n_frames
        return self._joined(F.pad(frames.transpose(1, 2)[:, :n_left], (0, 0, 0, self._n_ahead)))

    def _joined(self, frames: Tensor) -> Tensor:
        """Return frames (1, F, D) of the convolutions with their context, once it is there."""
        self._n_frames += frames.shape[1]
        waiting = torch.cat([self._waiting.to(frames.device), frames], dim=1)
        context = frames
        if frames.shape[1]:
            for i, layer in enumerate(self._recurrence.ahead):
                context, self._states[i] = layer(context, self._states[i])
        else:
            context = frames.new_zeros(1, 0, self._recurrence.n_features)
        n_skipped = min(self._n_to_skip, context.shape[1])
        self._n_to_skip -= n_skipped
        context = context[:, n_skipped:]
        n_ready = context.shape[1]
        self._waiting = waiting[:, n_ready:].clone()
        return torch.cat([waiting[:, :n_ready], context], dim=2)


class _TrendStream:
    """Takes the moving mean from a signal (1, n, C); holds the samples that it still spans."""

    def __init__(self, detrend: Detrend) -> None:
        self._detrend = detrend
        self._held = torch.zeros(1, 0, detrend.norm.num_features)
        self._n_before = 0  # of the samples held, those whose turn is over

    def push(self, x: Tensor) -> Tensor:
        self._held = torch.cat([self._held.to(x.device), x], dim=1)
        return self._until(self._held.shape[1] - self._detrend.ahead)

    def finish(self) -> Tensor:
        return self._until(self._held.shape[1])

    def _until(self, stop: int) -> Tensor:
        first, stop = self._n_before, max(stop, self._n_before)
        without = self._detrend.without_trend(self._held)[:, first:stop]
        n_over = max(stop - self._detrend.behind, 0)
        self._held, self._n_before = self._held[:, n_over:].clone(), stop - n_over
        return self._detrend.scaled(without)


class _BlockStream:
    """A convolution, norm and ReLU along a signal (1, D, n); holds the inputs it still spans."""

    def __init__(self, convolution: nn.Module, norm: nn.Module, *, lag: int) -> None:
        if not isinstance(convolution, nn.Conv1d):
            raise TypeError("a block begins with a convolution in time")
        self._norm = norm
        self._weight, self._step = convolution.weight.detach(), convolution.stride[0]
        self._size = convolution.kernel_size[0]
        self._reach = self._size // 2
        self._n_to_skip = 0  # inputs between two that are far apart
        self._held = self._weight.new_zeros(1, self._weight.shape[1], self._reach + lag)

    def push(self, x: Tensor) -> Tensor:
        n_skipped = min(self._n_to_skip, x.shape[2])
        self._n_to_skip -= n_skipped
        held = torch.cat([self._held, x[:, :, n_skipped:]], dim=2)
        n = max((held.shape[2] - self._size) // self._step + 1, 0)
        self._n_to_skip += max(n * self._step - held.shape[2], 0)
        self._held = held[:, :, n * self._step :].clone()  # no view of all that was read
        if not n:
            return held.new_zeros(1, len(self._weight), 0)
        spanned = held[:, :, : (n - 1) * self._step + self._size]
        rows = F.conv1d(spanned, self._weight, stride=self._step)
        normal: Tensor = self._norm(rows)
        return normal.relu()

    def finish(self) -> Tensor:
        return self.push(self._held.new_zeros(1, self._held.shape[1], self._reach))
