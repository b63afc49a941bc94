"""What a task's output layer promises."""

from abc import ABC, abstractmethod

from torch import Tensor, nn


class Head(nn.Module, ABC):
    """Frames of an encoder to logits, logits to a loss and to scores.

    Attributes
    ----------
    measured
        Name of what `measure` returns.
    """

    measured: str

    @abstractmethod
    def forward(self, frames: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return logits for frames (B, F, D), each window having `lengths` (B,) of them."""

    @abstractmethod
    def loss(self, logits: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return the mean loss over the batch, shape ()."""

    @abstractmethod
    def scores(self, logits: Tensor) -> Tensor:
        """Return what is stored as prediction."""

    @abstractmethod
    def measure(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the headline metric's value for each window, (B,), to watch while training."""
