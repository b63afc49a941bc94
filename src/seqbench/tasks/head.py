"""What a task's output layer promises."""

from abc import ABC, abstractmethod
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from seqbench.storage.detections import Candidates
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
    """

    measured: str
    reads: Literal["windows", "samples", "recordings"] = "windows"

    @abstractmethod
    def forward(self, frames: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return logits for frames (B, F, D), each window having `lengths` (B,) of them."""

    @abstractmethod
    def loss(self, logits: Tensor, target: Any, weight: Tensor | None = None) -> Tensor:
        """Return the mean loss over the batch, shape ()."""

    @abstractmethod
    def scores(self, logits: Tensor) -> Tensor:
        """Return what is stored as prediction."""

    @abstractmethod
    def measure(self, logits: Tensor, target: Any) -> Tensor:
        """Return the headline metric's value for each window, (B,), to watch while training."""

    def finish(self, windows: WindowSet, answer: np.ndarray) -> np.ndarray:
        """Return scores of all windows in the units of the data, where those differ."""
        del windows
        return answer

    def find(
        self, model: nn.Module, windows: WindowSet, device: torch.device, window_samples: int
    ) -> Candidates:
        """Return the candidates in whole recordings; only heads that read recordings have any.

        Parameters
        ----------
        model
            The whole model, from windows (B, T, C) to logits.
        windows
            Of one split.
        device
            Where the model runs.
        window_samples
            Length that recordings are cut to.
        """
        raise NotImplementedError(f"{type(self).__name__} predicts window by window")
