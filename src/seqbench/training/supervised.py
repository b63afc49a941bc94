"""A model that learns from labels, as the training loop wants it."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from seqbench.pretraining.augmentations import Augmentations
from seqbench.training.batches import Batch
from seqbench.training.model import Model
from seqbench.training.trainable import Trainable

CLASS_WEIGHT_POWERS = {"none": 0.0, "root": 0.5, "balanced": 1.0}


class Finetuning(Trainable):
    """Encoder and head, which learn from labels.

    Parameters
    ----------
    model
        Encoder and head.
    frozen
        The encoder keeps its weights, and its batch-norm statistics too.
    weight
        Weight of each class in the loss, (K,); None: all weigh the same.
    unfreeze, unfreeze_epochs
        When a pretrained encoder begins to learn; see `FinetuneSettings`.
    starts_fitted
        The model predicts before the first step; see `Trainable`.
    augment
        Names of the changes that windows go through before every step.
    seed
        Of the draws of these.
    """

    module: Model

    def __init__(
        self,
        model: Model,
        *,
        frozen: bool,
        weight: Tensor | None,
        unfreeze: str = "at_once",
        unfreeze_epochs: int = 1,
        starts_fitted: bool = False,
        augment: Sequence[str] = (),
        seed: int = 0,
    ) -> None:
        self.module = model
        self.augment = Augmentations(augment)
        device = next(model.parameters()).device
        self.draws = torch.Generator(device).manual_seed(seed)
        self.frozen = frozen
        self.weight = weight
        self.unfreeze = unfreeze
        self.unfreeze_epochs = unfreeze_epochs
        self.starts_fitted = starts_fitted
        self._asleep: list[nn.Module] = []
        model.encoder.requires_grad_(not frozen)

    def begin_epoch(self, epoch: int) -> None:
        """Let those layers of the encoder sleep that are not to learn in an epoch, from 1 on."""
        if self.frozen or self.unfreeze == "at_once":
            return
        self.module.encoder.requires_grad_(True)
        layers: list[nn.Module] = [self.module.encoder]
        if self.unfreeze == "layer_wise":
            layers = [layer for layer in self.module.encoder.children() if _has_weights(layer)]
        # Layer i of n, counted from the input, wakes after its share of the epochs.
        n = len(layers)
        share = min(1.0, (epoch - 1) / self.unfreeze_epochs)
        self._asleep = [layer for i, layer in enumerate(layers) if share < (n - i) / n]
        for layer in self._asleep:
            layer.requires_grad_(False)

    def loss(self, batch: Batch) -> Tensor:
        """Return the head's loss on windows, changed if they are to be."""
        x = self.augment(batch.x, batch.lengths, self.draws)
        return self.module.loss(x, batch.lengths, batch.target, self.weight)

    def divisible(self) -> tuple[nn.Module, str]:
        """Return the network, or its encoder where the loss is of frames."""
        return self.module.encoder if self.module.head.has_frame_loss else self.module, "forward"

    def watch(self, batch: Batch) -> dict[str, Tensor]:
        """Return loss and headline metric on val."""
        logits = self.module(batch.x, batch.lengths)
        head = self.module.head
        return {
            "val_loss": head.loss(logits, batch.target, self.weight),
            f"val_{head.measured}": head.measure(logits, batch.target).mean(),
        }

    def memory(self) -> dict[str, Tensor]:
        """Return where the draws of changes stand, if there are any."""
        return {"draws": self.draws.get_state()} if self.augment.steps else {}

    def recall(self, memory: dict[str, Tensor]) -> None:
        """Go on with the draws of `memory`."""
        if "draws" in memory:
            self.draws.set_state(memory["draws"])

    def set_training(self, training: bool) -> None:
        """Switch the model; what is frozen or asleep stays in evaluation."""
        self.module.train(training)
        for layer in [self.module.encoder] if self.frozen else self._asleep:
            layer.eval()


def _has_weights(layer: nn.Module) -> bool:
    return any(True for _ in layer.parameters())


def class_weights(counts: np.ndarray, power: float) -> Tensor:
    """Return class weights (K,), one on average over what is counted.

    Parameters
    ----------
    counts
        Of each class, (K,). A class without any weighs as the rarest that there is: as if it
        were yet rarer, all would be learned from the frames in which it is not.
    power
        Of the frequency that weights are inverse to.
    """
    if not counts.any():
        return torch.ones(len(counts))
    scale = np.maximum(counts, counts[counts > 0].min()).astype(np.float64) ** power
    return torch.from_numpy(counts.sum() / ((counts / scale).sum() * scale)).float()
