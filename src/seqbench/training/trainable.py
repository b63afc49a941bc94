"""What the one loop trains: base of pretraining, fine-tuning and the trainers of the library."""

from abc import ABC, abstractmethod

from torch import Tensor, nn

from seqbench.training.batches import Batch


class Trainable(ABC):
    """What the loop trains: a module that knows its loss, and what to watch besides.

    Attributes
    ----------
    module
        What is trained, frozen layers included.
    starts_fitted
        Whether the weights before the first step are a model to be kept unless
        an epoch is better.
    """

    module: nn.Module
    starts_fitted: bool = False

    @abstractmethod
    def loss(self, batch: Batch) -> Tensor:
        """Return the mean loss of a batch, shape ()."""

    def divisible(self) -> tuple[nn.Module, str]:
        """Return the module and its method, of windows and lengths, that several processes divide.

        It takes each window by itself, statistics of batch norms aside; by default it is the
        forward pass of the module.
        """
        return self.module, "forward"

    @abstractmethod
    def watch(self, batch: Batch) -> dict[str, Tensor]:
        """Return means over a batch, shape () each, the loss under its own name among them."""

    def begin_epoch(self, epoch: int) -> None:  # noqa: B027 (a hook)
        """Decide which layers learn in an epoch, from 1 on; by default all do."""

    def set_training(self, training: bool) -> None:
        """Switch between training and evaluation; frozen layers stay in evaluation."""
        self.module.train(training)

    def memory(self) -> dict[str, Tensor]:
        """Return what training changes beside weights and statistics, such as draws and counts."""
        return {}

    def recall(self, memory: dict[str, Tensor]) -> None:  # noqa: B027 (a hook)
        """Take over the `memory` of a training that was set up the same."""
