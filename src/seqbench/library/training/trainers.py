"""Trainers of models on the batches of a `DataLoader`, by the training loop of the core."""

import math
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from seqbench.config.stages import OptimizerSettings
from seqbench.errors import UserError, one_line
from seqbench.library.models import ContrastiveLSTM
from seqbench.storage.atomic import replacing
from seqbench.training.batches import Batch
from seqbench.training.loop import Progress, epochs
from seqbench.training.schedule import Schedule
from seqbench.training.state import Course
from seqbench.training.trainable import Trainable

Item = Tensor | dict[str, Tensor]  # of a loader


class Trainer(Trainable):
    """Trains a model epoch by epoch, and resumes from a checkpoint.

    Parameters
    ----------
    model
        The model to train.
    optimizer
        Of the model's parameters; it keeps its learning rates.
    device
        Where to train; None: where the model is.
    log_dir
        Folder for TensorBoard logs; None: none are written.
    gradient_clip
        Largest norm of a gradient; a larger one is scaled down to it.

    Attributes
    ----------
    epoch
        Finished epochs, those of a loaded checkpoint included.
    history
        One row per epoch: ``epoch``, ``train_total`` and the other terms of
        the loss as means over windows, the same with ``val_`` if there is a
        validation loader.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        device: str | torch.device | None = None,
        log_dir: str | Path | None = None,
        *,
        gradient_clip: float = 1.0,
    ) -> None:
        self.device = torch.device(device or next(model.parameters()).device)
        self.model = self.module = model.to(self.device)
        self.optimizer = optimizer
        self.log_dir = log_dir
        self.gradient_clip = gradient_clip
        self.epoch = 0
        self.history: list[dict[str, float]] = []
        self._sums: dict[str, Tensor] = {}  # of the terms over the windows of an epoch
        self._n_windows = 0

    def fit(
        self,
        train_loader: Iterable[Item],
        num_epochs: int = 100,
        val_loader: Iterable[Item] | None = None,
        save_dir: str | Path | None = None,
        save_freq: int = 10,
    ) -> list[dict[str, float]]:
        """Train until `num_epochs` epochs are finished, those before a checkpoint included.

        Parameters
        ----------
        train_loader
            Batches, as the docstring of each trainer describes them.
        num_epochs
            Epochs in all.
        val_loader
            Batches of the validation loss.
        save_dir
            Folder for checkpoints; None: none are written. ``best_model.pth``
            has the lowest total loss so far, on validation batches if there
            are any, ``checkpoint_epoch_<n>.pth`` all that `load_checkpoint`
            reads.
        save_freq
            Epochs between two of the latter; the last epoch always has one.

        Returns
        -------
        list[dict[str, float]]
            The `history`.

        Raises
        ------
        UserError
            If as many epochs are finished already, or a loader is empty.
        DivergedError
            If the loss is not finite.
        """
        if self.epoch >= num_epochs:
            raise UserError(
                f"{self.epoch} epochs are finished already; set num_epochs, which includes them, to"
                " more"
            )
        settings = OptimizerSettings(
            epochs=num_epochs,
            patience_epochs=num_epochs,
            gradient_clip=self.gradient_clip if math.isfinite(self.gradient_clip) else None,
            precision="float32",
        )
        schedule = _RatesOfOptimizer(self.optimizer, settings, steps_per_epoch=1)
        course = Course(self, self.optimizer, schedule, torch.Generator(), None, self.device)
        course.epoch = self.epoch + 1
        watched = "train_total" if val_loader is None else "val_total"
        progress = Progress("training", num_epochs)
        with self._writer() as writer:
            for of_loop in epochs(
                course,
                lambda order, n_done: ((None, batch) for batch in self._batches(train_loader)),
                lambda: iter(()) if val_loader is None else self._batches(val_loader),
                settings,
                loss_name="train_loss" if val_loader is None else watched,
            ):
                best = min((row[watched] for row in self.history if watched in row), default=None)
                row = {"epoch": of_loop["epoch"]}
                row |= {f"train_{k}": float(v) / self._n_windows for k, v in self._sums.items()}
                row |= {k: v for k, v in of_loop.items() if k.startswith("val_")}
                self.epoch += 1
                self.history.append(row)
                progress.epoch({**row, "loss": row[watched]})
                if writer is not None:
                    for name in row.keys() - {"epoch"}:
                        writer.add_scalar(name, row[name], self.epoch)
                if save_dir is None:
                    continue
                if best is None or row[watched] < best:
                    self.save_checkpoint(Path(save_dir) / "best_model.pth")
                if self.epoch % save_freq == 0 or self.epoch == num_epochs:
                    self.save_checkpoint(Path(save_dir) / f"checkpoint_epoch_{self.epoch}.pth")
        progress.end(f"{self.epoch} epochs, {watched} {self.history[-1][watched]:.4g}")
        return self.history

    def save_checkpoint(self, path: str | Path) -> None:
        """Write all that a training needs to resume; `torch.load(weights_only=True)` reads it."""
        state = {
            "model_state_dict": self.model.state_dict(),
            "optimizer_state_dict": self.optimizer.state_dict(),
            "epoch": self.epoch,
            "history": self.history,
            "random_state": torch.get_rng_state(),
        }
        with replacing(Path(path)) as temporary:
            torch.save(state, temporary)

    def load_checkpoint(self, path: str | Path) -> None:
        """Restore weights, optimiser, epochs, history and torch's random state.

        On a CPU, `fit` then trains exactly as without the interruption.

        Raises
        ------
        UserError
            If the file is not a checkpoint of this trainer, or is of another model.
        """
        content = Path(path).read_bytes()
        try:
            state = torch.load(BytesIO(content), map_location="cpu", weights_only=True)
            weights, moments = state["model_state_dict"], state["optimizer_state_dict"]
            epoch, history, chance = (state[k] for k in ("epoch", "history", "random_state"))
        except Exception as error:  # damaged and unsafe files raise nearly anything
            reason = one_line(f"{type(error).__name__}: {error!s:.200}")
            raise UserError(
                f"{path} is no checkpoint of this trainer, is damaged, or holds more than tensors"
                f" ({reason}); save_checkpoint writes one"
            ) from error
        try:
            self.model.load_state_dict(weights)
        except RuntimeError as error:
            raise UserError(
                f"{path} holds the weights of another model; use the same arguments: {error}"
            ) from error
        self.optimizer.load_state_dict(moments)
        self.epoch, self.history = epoch, history
        torch.set_rng_state(chance)

    def _batches(self, loader: Iterable[Item]) -> Iterator[Batch]:
        is_empty = True
        for item in loader:
            is_empty = False
            yield self.batch(item)
        if is_empty:
            raise UserError("a loader gives no batch")

    def begin_epoch(self, epoch: int) -> None:
        """Reset the sums of the terms of the loss."""
        self._sums, self._n_windows = {}, 0

    def loss(self, batch: Batch) -> Tensor:
        """Return the total loss of a batch, shape (); add its terms to the sums of the epoch."""
        terms = self._terms(batch)
        for name, value in terms.items():
            total = self._sums.get(name, torch.zeros((), device=self.device))
            self._sums[name] = total + len(batch) * value.detach()
        self._n_windows += len(batch)
        return terms["total"]

    def watch(self, batch: Batch) -> dict[str, Tensor]:
        """Return the terms of the loss of a validation batch."""
        return {f"val_{name}": value for name, value in self._terms(batch).items()}

    @abstractmethod
    def batch(self, item: Any) -> Batch:
        """Return a batch of a loader on the device of the trainer."""

    @abstractmethod
    def _terms(self, batch: Batch) -> dict[str, Tensor]:
        """Return the terms of the loss of a batch, shape () each, ``total`` among them."""

    def _writer(self) -> AbstractContextManager[Any]:
        if self.log_dir is None:
            return nullcontext()
        from torch.utils.tensorboard import SummaryWriter

        writer: AbstractContextManager[Any] = SummaryWriter(str(self.log_dir))
        return writer


class LossTrainer(Trainer):
    """A trainer with a loss apart from the model; see `Trainer`.

    Parameters
    ----------
    loss_fn
        Called with the outputs of the model, then the target of a batch;
        returns terms of shape (), ``total`` among them.
    """

    def __init__(
        self,
        model: nn.Module,
        loss_fn: nn.Module,
        optimizer: torch.optim.Optimizer,
        device: str | torch.device | None = None,
        log_dir: str | Path | None = None,
        **options: float,
    ) -> None:
        super().__init__(model, optimizer, device, log_dir, **options)
        self.loss_fn = loss_fn.to(self.device)

    def _terms(self, batch: Batch) -> dict[str, Tensor]:
        terms: dict[str, Tensor] = self.loss_fn(*self.model(batch.x, batch.lengths), *batch.target)
        return terms


class SupervisedTrainer(LossTrainer):
    """Trains a classifier of timed events; see `Trainer`.

    Parameters
    ----------
    model
        Called with windows (B, T, C) and their lengths or None.
    loss_fn
        Called with the outputs of the model, then labels and times (B, K);
        returns terms of shape (), ``total`` among them.
    optimizer, device, log_dir, gradient_clip
        As in `Trainer`. Batches hold ``input``, ``event_labels``,
        ``event_timings`` and, if windows differ in length, ``lengths``.
    """

    def batch(self, item: dict[str, Tensor]) -> Batch:
        """Return windows, lengths, and labels with times as the target."""
        x = item["input"].to(self.device)
        names = ("event_labels", "event_timings")
        return Batch(x, _lengths(item, x), tuple(item[name].to(self.device) for name in names))


class UnsupervisedTrainer(LossTrainer):
    """Trains a model to reconstruct windows; see `Trainer`.

    Parameters
    ----------
    model
        Called with windows (B, T, C) and their lengths or None.
    loss_fn
        Called with the outputs of the model, then windows and lengths; returns
        terms of shape (), ``total`` among them.
    optimizer, device, log_dir, gradient_clip
        As in `Trainer`. A batch is windows (B, T, C), or holds them as
        ``input`` with their ``lengths``.
    """

    def batch(self, item: Item) -> Batch:
        """Return windows and lengths, and both as the target."""
        if isinstance(item, Tensor):
            item = {"input": item}
        x = item["input"].to(self.device)
        lengths = _lengths(item, x)
        return Batch(x, lengths, (x, lengths))


class ContrastiveTrainer(Trainer):
    """Trains a model to distinguish the views of a window from those of others; see `Trainer`.

    Parameters
    ----------
    model
        Returns unit vectors of windows (B, T, C); `contrastive_loss` compares two views.
    optimizer, device, log_dir, gradient_clip
        As in `Trainer`. Batches hold ``view1`` and ``view2``, and ``lengths``
        if windows differ in length.
    """

    model: ContrastiveLSTM

    def batch(self, item: dict[str, Tensor]) -> Batch:
        """Return first views and lengths, and second views as the target."""
        first, second = (item[view].to(self.device) for view in ("view1", "view2"))
        return Batch(first, _lengths(item, first), second)

    def _terms(self, batch: Batch) -> dict[str, Tensor]:
        vectors = [self.model(view, batch.lengths) for view in (batch.x, batch.target)]
        return {"total": self.model.contrastive_loss(*vectors)}


class _RatesOfOptimizer(Schedule):
    """A schedule that leaves the learning rates as they are."""

    def step(self) -> None:
        self.rate = self.optimizer.param_groups[0]["lr"]


def _lengths(item: dict[str, Tensor], x: Tensor) -> Tensor | None:
    """Return the lengths of windows; None if all fill the batch, so that models skip masks."""
    lengths = item.get("lengths")
    return None if lengths is None or bool((lengths == x.shape[1]).all()) else lengths
