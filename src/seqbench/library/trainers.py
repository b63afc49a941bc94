"""Trainers of whole models on batches of a `DataLoader`, for use as a library."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from seqbench.errors import UserError, one_line
from seqbench.library.pretraining import ContrastiveLSTM
from seqbench.storage.atomic import replacing
from seqbench.training.divergence import DivergedError
from seqbench.training.progress import Progress

Batch = Tensor | dict[str, Tensor]


class Trainer(ABC):
    """Trains a model epoch by epoch, and takes up where it stopped.

    Parameters
    ----------
    model
        What is trained.
    optimizer
        Of the model's parameters.
    device
        Where to train; None: where the model is.
    log_dir
        Folder for TensorBoard logs; None: none are written.
    gradient_clip
        Largest norm of a gradient; a larger one is scaled down to it.

    Attributes
    ----------
    epoch
        Epochs done, those of a loaded checkpoint included.
    history
        One row per epoch: ``epoch``, ``train_total`` and the other parts of
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
        self.model = model.to(self.device)
        self.optimizer = optimizer
        self.log_dir = log_dir
        self.gradient_clip = gradient_clip
        self.epoch = 0
        self.history: list[dict[str, float]] = []

    def fit(
        self,
        train_loader: Iterable[Batch],
        num_epochs: int = 100,
        val_loader: Iterable[Batch] | None = None,
        save_dir: str | Path | None = None,
        save_freq: int = 10,
    ) -> list[dict[str, float]]:
        """Train until `num_epochs` epochs are done, those before a checkpoint included.

        Parameters
        ----------
        train_loader
            Batches; what they hold is said of each trainer.
        num_epochs
            Epochs in all.
        val_loader
            Batches to watch the loss on.
        save_dir
            Folder for checkpoints; None: none are written. ``best_model.pth``
            has the lowest total loss so far, on validation batches if there
            are any, ``checkpoint_epoch_<n>.pth`` what `load_checkpoint` needs.
        save_freq
            Epochs between two of the latter; the last epoch always has one.

        Returns
        -------
        list[dict[str, float]]
            The `history`.

        Raises
        ------
        UserError
            If as many epochs are done already.
        DivergedError
            If the loss is no longer a number.
        """
        if self.epoch >= num_epochs:
            raise UserError(
                f"{self.epoch} epochs are done already; set num_epochs, which counts them too, to"
                " more"
            )
        watched = "train_total" if val_loader is None else "val_total"
        progress = Progress("training", num_epochs)
        with self._writer() as writer:
            while self.epoch < num_epochs:
                row: dict[str, float] = {"epoch": self.epoch + 1}
                row |= self._pass(train_loader, "train_", training=True)
                if val_loader is not None:
                    with torch.no_grad():
                        row |= self._pass(val_loader, "val_", training=False)
                best = min((old[watched] for old in self.history if watched in old), default=None)
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
        """Write all that training needs to go on; `torch.load(weights_only=True)` reads it."""
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
        """Return to a checkpoint: weights, optimiser, epochs, history and torch's random state.

        On a CPU, `fit` then gives what it would have given without the pause.

        Raises
        ------
        UserError
            If the file is no checkpoint of this trainer, or one of another model.
        """
        content = Path(path).read_bytes()
        try:
            state = torch.load(BytesIO(content), map_location="cpu", weights_only=True)
        except Exception as error:  # a damaged file raises nearly anything, an unsafe one too
            reason = one_line(f"{type(error).__name__}: {error!s:.200}")
            raise UserError(
                f"{path} is no checkpoint of this trainer, is damaged, or holds more than numbers"
                f" ({reason}); save_checkpoint writes one"
            ) from error
        needed = {"model_state_dict", "optimizer_state_dict", "epoch", "history", "random_state"}
        if not isinstance(state, dict) or not needed <= state.keys():
            raise UserError(f"{path} is no checkpoint of this trainer; save_checkpoint writes one")
        try:
            self.model.load_state_dict(state["model_state_dict"])
        except RuntimeError as error:
            raise UserError(
                f"{path} holds the weights of another model; build the model as it was: {error}"
            ) from error
        self.optimizer.load_state_dict(state["optimizer_state_dict"])
        self.epoch = state["epoch"]
        self.history = state["history"]
        torch.set_rng_state(state["random_state"])

    def _pass(self, loader: Iterable[Batch], prefix: str, *, training: bool) -> dict[str, float]:
        """Go through a loader once and return the mean parts of the loss."""
        self.model.train(training)
        sums: dict[str, Tensor] = {}
        n_windows = 0
        for batch in loader:
            n, parts = self._loss(batch)
            if training:
                self.optimizer.zero_grad(set_to_none=True)
                parts["total"].backward()
                nn.utils.clip_grad_norm_(self.model.parameters(), self.gradient_clip)
                self.optimizer.step()
            n_windows += n
            for name, value in parts.items():
                sums[name] = (
                    sums.get(name, torch.zeros((), device=self.device)) + n * value.detach()
                )
        if not n_windows:
            raise UserError(f"the {prefix.rstrip('_')} loader gives no batch")
        means = {f"{prefix}{name}": float(total) / n_windows for name, total in sums.items()}
        if not math.isfinite(means[f"{prefix}total"]):
            raise DivergedError(
                f"{prefix}total is {means[f'{prefix}total']} in epoch {self.epoch + 1}; lower the"
                " learning rate or look for extreme values in the data"
            )
        return means

    @abstractmethod
    def _loss(self, batch: Any) -> tuple[int, dict[str, Tensor]]:
        """Return the windows of a batch and the parts of its loss, shape () each."""

    def _writer(self) -> AbstractContextManager[Any]:
        if self.log_dir is None:
            return nullcontext()
        from torch.utils.tensorboard import SummaryWriter

        writer: AbstractContextManager[Any] = SummaryWriter(str(self.log_dir))
        return writer


class LossTrainer(Trainer):
    """A trainer whose loss stands apart from its model; see `Trainer` for the rest.

    Parameters
    ----------
    loss_fn
        Returns parts of shape (), ``total`` among them.
    """

    def __init__(
        self,
        model: nn.Module,
        loss_fn: nn.Module,
        optimizer: torch.optim.Optimizer,
        device: str | torch.device | None = None,
        log_dir: str | Path | None = None,
        *,
        gradient_clip: float = 1.0,
    ) -> None:
        super().__init__(model, optimizer, device, log_dir, gradient_clip=gradient_clip)
        self.loss_fn = loss_fn.to(self.device)


class SupervisedTrainer(LossTrainer):
    """Trains a classifier of timed events; see `Trainer`.

    Parameters
    ----------
    model
        Called with windows (B, T, C) and their lengths or None; what it
        returns goes to the loss as it is.
    loss_fn
        Called with the outputs of the model, then labels and times (B, K);
        returns parts of shape (), ``total`` among them.
    optimizer, device, log_dir, gradient_clip
        As in `Trainer`. Batches hold ``input``, ``event_labels``,
        ``event_timings`` and, if windows differ in length, ``lengths``.
    """

    def _loss(self, batch: dict[str, Tensor]) -> tuple[int, dict[str, Tensor]]:
        x = batch["input"].to(self.device)
        outputs = self.model(x, _lengths(batch, x))
        target = (batch[name].to(self.device) for name in ("event_labels", "event_timings"))
        return len(x), self.loss_fn(*outputs, *target)


class UnsupervisedTrainer(LossTrainer):
    """Trains a model to rebuild windows; see `Trainer`.

    Parameters
    ----------
    model
        Called with windows (B, T, C) and their lengths or None; what it
        returns goes to the loss as it is.
    loss_fn
        Called with the outputs of the model, then windows and lengths; returns
        parts of shape (), ``total`` among them.
    optimizer, device, log_dir, gradient_clip
        As in `Trainer`. A batch is windows (B, T, C), or holds them as
        ``input`` with their ``lengths``.
    """

    def _loss(self, batch: Batch) -> tuple[int, dict[str, Tensor]]:
        if isinstance(batch, Tensor):
            batch = {"input": batch}
        x = batch["input"].to(self.device)
        lengths = _lengths(batch, x)
        return len(x), self.loss_fn(*self.model(x, lengths), x, lengths)


class ContrastiveTrainer(Trainer):
    """Trains a model to know two views of a window from those of others; see `Trainer`.

    Parameters
    ----------
    model
        Gives unit vectors of windows (B, T, C), and the loss of those of two views.
    optimizer, device, log_dir, gradient_clip
        As in `Trainer`. Batches hold ``view1`` and ``view2``, and ``lengths``
        if windows differ in length.
    """

    model: ContrastiveLSTM

    def _loss(self, batch: dict[str, Tensor]) -> tuple[int, dict[str, Tensor]]:
        first, second = (batch[view].to(self.device) for view in ("view1", "view2"))
        lengths = _lengths(batch, first)
        vectors = [self.model(view, lengths) for view in (first, second)]
        return len(first), {"total": self.model.contrastive_loss(*vectors)}


def _lengths(batch: dict[str, Tensor], x: Tensor) -> Tensor | None:
    """Return the lengths of windows; None if all fill the batch, as models then skip masks."""
    lengths = batch.get("lengths")
    return None if lengths is None or bool((lengths == x.shape[1]).all()) else lengths
