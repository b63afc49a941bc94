"""Fine-tuning: an encoder and a task's head, train and val windows."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from seqbench.config.messages import option_problems
from seqbench.config.registry import ARCHITECTURES, TASKS
from seqbench.errors import FormatError, one_line
from seqbench.models.base import Encoder
from seqbench.models.embedding import build_encoder
from seqbench.storage.model_header import NetworkHeader
from seqbench.storage.models import StoredModel
from seqbench.tasks.head import Head
from seqbench.training.batches import Batch

MAX_REASON = 300  # characters of a foreign error in a message


class Model(nn.Module):
    """An encoder with the head of a task: windows (B, T, C) to logits."""

    def __init__(self, encoder: Encoder, head: Head) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return logits."""
        frames = self.encoder(x, lengths)
        logits: Tensor = self.head(frames, self.encoder.frame_lengths(lengths))
        return logits


class Finetuning:
    """A model as the loop wants it.

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
    """

    def __init__(
        self,
        model: Model,
        *,
        frozen: bool,
        weight: Tensor | None,
        unfreeze: str = "at_once",
        unfreeze_epochs: int = 1,
    ) -> None:
        self.module = model
        self.frozen = frozen
        self.weight = weight
        self.unfreeze = unfreeze
        self.unfreeze_epochs = unfreeze_epochs
        self._asleep: list[nn.Module] = []
        model.encoder.requires_grad_(not frozen)

    def begin_epoch(self, epoch: int) -> None:
        """Let those parts of the encoder sleep that are not to learn in an epoch, from 1 on."""
        if self.frozen or self.unfreeze == "at_once":
            return
        self.module.encoder.requires_grad_(True)
        parts: list[nn.Module] = [self.module.encoder]
        if self.unfreeze == "layer_wise":
            parts = [part for part in self.module.encoder.children() if _has_weights(part)]
        # Part i of n, counted from the input, wakes after its share of the epochs.
        n = len(parts)
        share = min(1.0, (epoch - 1) / self.unfreeze_epochs)
        self._asleep = [part for i, part in enumerate(parts) if share < (n - i) / n]
        for part in self._asleep:
            part.requires_grad_(False)

    def loss(self, batch: Batch) -> Tensor:
        """Return the head's loss."""
        logits = self.module(batch.x, batch.lengths)
        return self.module.head.loss(logits, batch.target, self.weight)

    def watch(self, batch: Batch) -> dict[str, Tensor]:
        """Return loss and headline metric on val."""
        logits = self.module(batch.x, batch.lengths)
        head = self.module.head
        return {
            "val_loss": head.loss(logits, batch.target, self.weight),
            f"val_{head.measured}": head.measure(logits, batch.target).mean(),
        }

    def set_training(self, training: bool) -> None:
        """Switch the model; what is frozen or asleep stays in evaluation."""
        self.module.train(training)
        for part in [self.module.encoder] if self.frozen else self._asleep:
            part.eval()

    def memory(self) -> dict[str, Tensor]:
        """Return nothing: beside weights only the epoch counts, and the loop knows it."""
        return {}

    def recall(self, memory: dict[str, Tensor]) -> None:
        """There is nothing to take over."""


def _has_weights(part: nn.Module) -> bool:
    return any(True for _ in part.parameters())


def build_model(header: NetworkHeader) -> Model:
    """Build a model with random weights from the header of its file."""
    encoder = build_encoder(
        header.architecture,
        header.architecture_options,
        len(header.channels),
        sample=header.sample,
        frame_size=header.frame_size,
        embedding_size=header.embedding_size,
    )
    task = TASKS[header.task](**header.task_options)
    return Model(encoder, task.head(encoder, header))


def load_model(stored: StoredModel[NetworkHeader], path: Path) -> Model:
    """Rebuild a model with its weights, ready to predict.

    Nothing is allocated before names, shapes and kinds of the arrays are those
    of the model that the header describes.

    Parameters
    ----------
    stored
        Header and weights.
    path
        Where they come from, for errors.

    Raises
    ------
    FormatError
        If the header describes no model, or one of other arrays.
    """
    try:
        _check_options(stored.header)
        with torch.device("meta"):
            expected = build_model(stored.header).state_dict()
    except (LookupError, OverflowError, RuntimeError, TypeError, ValueError) as error:
        reason = one_line(str(error))[:MAX_REASON]
        raise FormatError(f"{path}: its header describes no model ({reason})") from None
    given = {name: torch.from_numpy(array) for name, array in stored.arrays.items()}
    if different := sorted(expected.keys() ^ given.keys()):
        raise FormatError(f"{path}: has not the arrays of its header ({different[0]!r})")
    for name, tensor in expected.items():
        if (tensor.shape, tensor.dtype) != (given[name].shape, given[name].dtype):
            raise FormatError(
                f"{path}: array {name!r} is {_described(given[name])}, by its header"
                f" {_described(tensor)}"
            )
    model = build_model(stored.header)
    model.load_state_dict(given)
    return model.eval()


def _check_options(header: NetworkHeader) -> None:
    """Refuse names and options that no configuration may have."""
    for registry, name, options in (
        (ARCHITECTURES, header.architecture, header.architecture_options),
        (TASKS, header.task, header.task_options),
    ):
        if name not in registry:
            raise ValueError(registry.unknown(name))
        for problem in option_problems(name, registry, name, options):
            raise ValueError(problem)


def _described(tensor: Tensor) -> str:
    return f"{tuple(tensor.shape)} {str(tensor.dtype).removeprefix('torch.')}"


def balanced_weights(counts: np.ndarray) -> Tensor:
    """Return class weights (K,) inverse to frequency, one on average over what is counted."""
    return torch.from_numpy(counts.sum() / (len(counts) * np.maximum(counts, 1))).float()
