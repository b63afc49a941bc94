"""What the training loop needs of what it trains."""

from typing import Protocol

from torch import Tensor, nn

from seqbench.training.batches import Batch


class Trainable(Protocol):
    """What the loop trains: a module that knows its loss, and what to watch besides."""

    @property
    def module(self) -> nn.Module:
        """What is trained, frozen layers included."""

    def loss(self, batch: Batch) -> Tensor:
        """Return the mean loss of a batch, shape ()."""

    def watch(self, batch: Batch) -> dict[str, Tensor]:
        """Return means over a batch, shape () each, the loss under its own name among them."""

    def begin_epoch(self, epoch: int) -> None:
        """Decide which layers learn in an epoch, from 1 on."""

    def set_training(self, training: bool) -> None:
        """Switch between training and evaluation; frozen layers stay in evaluation."""

    def memory(self) -> dict[str, Tensor]:
        """Return what training changes beside weights and statistics, such as draws and counts."""

    def recall(self, memory: dict[str, Tensor]) -> None:
        """Take over the `memory` of a training that was set up the same."""
