"""What a task's output layer promises, and what several tasks share of theirs."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from seqbench.models.base import Encoder
from seqbench.models.dropout import BitDropout
from seqbench.storage.detections import Candidates
from seqbench.storage.model_header import DataHeader
from seqbench.storage.normalization import Normalization
from seqbench.storage.windows import WindowSet


class Head(nn.Module, ABC):
    """Frames of an encoder to logits, logits to a loss and to scores.

    Attributes
    ----------
    measured
        Name of what `measure` returns.
    reads
        Whether scores are of windows, one by one, of each of their
        samples, or for whole recordings, stitched from windows.
    smoothing
        Share of a target that the loss spreads over all classes while training.
    has_frame_loss
        Whether the loss needs only some of the logits: training then takes it from the frames, by
        `frame_loss`, and no others are computed.
    instance_norm
        Whether the encoder reads each window in units of its own; the logits
        are values in these, and a model brings them back.
    """

    measured: str
    reads: Literal["windows", "samples", "recordings"] = "windows"
    smoothing: float = 0.0
    has_frame_loss: bool = False
    instance_norm: bool = False

    @abstractmethod
    def forward(self, frames: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return logits for frames (B, F, D), each window having `lengths` (B,) of them."""

    @abstractmethod
    def loss(self, logits: Tensor, target: Any, weight: Tensor | None = None) -> Tensor:
        """Return the mean loss over the batch, shape ()."""

    def frame_loss(
        self, frames: Tensor, lengths: Tensor | None, target: Any, weight: Tensor | None = None
    ) -> Tensor:
        """Return the `loss` of frames (B, F, D), for heads with `has_frame_loss`."""
        raise NotImplementedError(f"{type(self).__name__} has a loss of logits alone")

    @property
    def smoothing_now(self) -> float:
        """`smoothing` while training, else 0."""
        return self.smoothing if self.training else 0.0

    @abstractmethod
    def scores(self, logits: Tensor) -> Tensor:
        """Return what is stored as prediction."""

    @abstractmethod
    def measure(self, logits: Tensor, target: Any) -> Tensor:
        """Return the headline metric's value for each window, (B,), to watch while training."""

    def settle(
        self, predicted: Callable[[], Any], windows: WindowSet, data: DataHeader
    ) -> tuple[bool, Any]:
        """Decide what stays of what was learned, once training has ended.

        Parameters
        ----------
        predicted
            Predicts val with the weights as they are.
        windows
            Val.
        data
            What was learned from.

        Returns
        -------
        tuple
            Whether the training was worth it, and what is predicted of val with what stays; None:
            nothing was predicted.
        """
        return True, None

    def find(
        self,
        models: Sequence[Any],
        windows: WindowSet,
        device: torch.device,
        window_samples: int,
    ) -> Candidates:
        """Return the candidates in whole recordings; only heads that read recordings have any.

        Parameters
        ----------
        models
            Whole models, from windows (B, T, C) to logits, each with its `head`; the scores of
            several are averaged before candidates are sought.
        windows
            Of one split.
        device
            Where the model runs.
        window_samples
            Length that recordings are cut to.
        """
        raise NotImplementedError(f"{type(self).__name__} predicts window by window")


class SampleHead(Head):
    """Frames to the samples they stand for, linearly: a frame predicts `stride` samples.

    Parameters
    ----------
    encoder
        Gives its features D and its stride.
    n_outputs
        Numbers A predicted for each sample.
    dropout
        Before the output layer.
    """

    reads = "samples"

    def __init__(self, encoder: Encoder, n_outputs: int, dropout: float) -> None:
        super().__init__()
        self.n_outputs = n_outputs
        self.dropout = BitDropout(dropout)
        self.linear = nn.Linear(encoder.n_features, encoder.stride * n_outputs)

    def forward(self, frames: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return numbers for samples, (B, F * stride, A); those past the end mean nothing."""
        logits: Tensor = self.linear(self.dropout(frames))
        return logits.reshape(frames.shape[0], -1, self.n_outputs)


class ValueHead(Head):
    """Normalised values, known or NaN, and back to their units."""

    measured = "mse"
    centre: Tensor
    scale: Tensor

    def keep_units(self, normalization: Normalization, shape: tuple[int, ...] = (-1,)) -> None:
        """Hold the normalisation of the values, (D,) brought to `shape`, beside the weights."""
        for name in ("centre", "scale"):
            values = torch.from_numpy(getattr(normalization, name)).reshape(shape)
            self.register_buffer(name, values, persistent=False)

    def loss(self, logits: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return the mean squared error of normalised values that are known.

        About 1 for the mean of train. `weight` is of classes and has no effect.
        """
        squared, is_known = _squared_errors(logits, target)
        return squared.sum() / is_known.sum().clamp(min=1)

    def scores(self, logits: Tensor) -> Tensor:
        """Return values in their units, in the shape of the logits."""
        return logits.double() * self.scale + self.centre

    def measure(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the mean squared error of each window, (B,), normalised."""
        squared, is_known = _squared_errors(logits, target)
        return squared.flatten(1).sum(dim=1) / is_known.flatten(1).sum(dim=1).clamp(min=1)


def _squared_errors(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Return squared errors (B, T, ...), 0 where the target is NaN, and where it is not."""
    is_known = target.isfinite()
    error = logits[:, : target.shape[1]].float() - target.nan_to_num()
    return torch.where(is_known, error, 0.0).square(), is_known
