"""The interface of encoders.

Shapes: B windows, T samples, C channels, F frames, D features. A sample of
video is itself a picture of C planes, H rows and W columns.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class Encoder(nn.Module, ABC):
    """Windows (B, T, C), of video (B, T, C, H, W), to frames (B, F, D).

    A batch may hold windows of different lengths. Results for a window must
    not depend on what else is in the batch: frames past the end of a window
    are zero, and neither they nor their samples reach the others.

    Attributes
    ----------
    n_features
        Features D of a frame.
    stride
        Samples between frames; a window of T samples has ceil(T / stride).
    n_backward_features
        How many of the features, the last ones, were computed from the end of
        the window to its start, so that their final state is at frame 0.
    n_template_scores
        How many of the features, the first ones, are match scores of templates,
        in [-1, 1]; one template for each type of event.
    pooling
        How a head that needs one vector per window gets it from the frames.
    n_components
        Of frames that are samples of series: how many series of C channels stand side by side,
        each for a map in time of its own; 0: a feature belongs to no channel.
    counts_from_last
        Whether such maps are of what differs from the last sample.
    map_shape
        Of video: features, rows and columns, where a frame is maps that were
        flattened; None where a frame has no position in the picture.
    map_stride
        Rows and columns of a picture that one pixel of the maps covers.
    edge_samples
        Samples at either edge of a window where frames miss what they need to see.
    n_type_features
        How many features a frame has of each type of event; behind them stand the log-odds of
        an event that the encoder itself finds there, and its time in samples from the frame.
        0: frames are not by type.
    start_options
        Of the baseline that the encoder starts as, the one in its tag ``starts_as``: it is
        fitted on train, and `start` takes over what it has learned. None: it starts at random.
    look_ahead_samples
        Of a causal encoder: no frame sees more samples than so many past its own,
        which is the first of its stride. None: frames may see the whole window.
    n_together
        Frames that a causal encoder completes at a time: all look as far as the first of them.
    """

    n_features: int
    stride: int = 1
    n_backward_features: int = 0
    n_template_scores: int = 0
    n_components: int = 0
    counts_from_last: bool = False
    map_shape: tuple[int, int, int] | None = None
    map_stride: int = 1
    edge_samples: int = 0
    n_type_features: int = 0
    start_options: dict[str, Any] | None = None
    look_ahead_samples: int | None = None
    n_together: int = 1
    __call__: Callable[..., Tensor]

    def __init__(self, pooling: str = "mean") -> None:
        super().__init__()
        self.pooling = pooling

    def prepare(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the signal (B, T, C) that the first weights read, zero after each end.

        The windows themselves, or without their trend. Objectives hide,
        change and reconstruct this signal.
        """
        return x

    @abstractmethod
    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Encode prepared windows.

        Parameters
        ----------
        x
            Prepared windows, (B, T, C), zero after each end.
        lengths
            Samples of each window, (B,) int64 on the CPU; None: all have T.

        Returns
        -------
        Tensor
            Frames, (B, F, D), zero after each end.
        """

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the frames (B, F, D) of windows as they are stored; see `encode`."""
        return self.encode(self.prepare(x, lengths), lengths)

    def start(self, fitted: Any, n_samples: int) -> None:
        """Take over what the baseline of `start_options` has learned, for windows of n_samples."""
        raise NotImplementedError(f"{type(self).__name__} starts at random")

    def frame_lengths(self, lengths: Tensor | None) -> Tensor | None:
        """Return the number of frames for windows of these lengths, (B,)."""
        return frames_of(lengths, self.stride)

    def stream(self) -> "EncoderStream":
        """Return the state of a causal encoder in evaluation, before the first sample."""
        raise NotImplementedError(f"{type(self).__name__} reads whole windows")


class EncoderStream(ABC):
    """Frames of one recording while its samples come, equal to those of the whole as one window.

    What is carried from piece to piece does not grow.
    """

    @abstractmethod
    def push(self, x: Tensor) -> Tensor:
        """Take the next samples (1, n, C); return the frames (1, F, D) that are now complete."""

    @abstractmethod
    def finish(self) -> Tensor:
        """Return the frames (1, F, D) that are left when no sample will come any more."""


def frames_of(lengths: Tensor | None, stride: int) -> Tensor | None:
    """Return how many frames, `stride` samples apart, windows of these lengths (B,) have."""
    return None if lengths is None else (lengths + stride - 1) // stride  # none is below 0


def inside(lengths: Tensor, n: int, device: torch.device) -> Tensor:
    """Return a mask (B, n) that is True before the end of each sequence."""
    return torch.arange(n, device=device) < lengths.to(device)[:, None]


def ended(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Return windows (B, T, ...) with zeros after each end."""
    return x if lengths is None else x * like(inside(lengths, x.shape[1], x.device), x)


def like(values: Tensor, x: Tensor) -> Tensor:
    """Return values of windows (B,) or samples (B, T) with as many dimensions as `x`."""
    return values.reshape(*values.shape, *(1 for _ in range(x.ndim - values.ndim)))
