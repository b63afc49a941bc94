"""The training loop."""

import csv
import logging
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import islice, tee
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from seqbench.config.stages import OptimizerSettings
from seqbench.errors import UserError
from seqbench.storage.atomic import replacing
from seqbench.storage.records import Cost
from seqbench.training.batches import Batch, WindowTable, shuffled
from seqbench.training.curves import Curves, drawing
from seqbench.training.optimizer import AdamW
from seqbench.training.schedule import Schedule
from seqbench.training.state import Course, StateKeeper
from seqbench.training.trainable import Trainable

EVALUATION_BATCH = 256
MOST_NAMED = 8  # windows of a step that diverged
LOG_EVERY_S = 15.0
logger = logging.getLogger("seqbench")


class Progress:
    """Epochs passed and the numbers of the last one.

    Parameters
    ----------
    label
        What is being trained.
    n_epochs
        Epochs at most.
    """

    def __init__(self, label: str, n_epochs: int) -> None:
        self.label = label
        self.n_epochs = n_epochs
        self._bar: Any = None
        self._last = time.monotonic()
        # Of several processes the first alone logs. Where nothing sets up logs, the bar is shown.
        if sys.stderr.isatty() and logger.level <= logging.INFO:
            from tqdm import tqdm

            self._bar = tqdm(total=n_epochs, desc=label, unit="epoch")

    def epoch(self, row: dict[str, float]) -> None:
        """Show that an epoch has passed."""
        losses = {key: f"{value:.4g}" for key, value in row.items() if key.endswith("loss")}
        if self._bar is not None:
            self._bar.set_postfix(losses)
            self._bar.update()
        elif time.monotonic() - self._last > LOG_EVERY_S:
            self._last = time.monotonic()
            logger.info("%s: epoch %d of %d, %s", self.label, row["epoch"], self.n_epochs, losses)

    def end(self, sentence: str) -> None:
        """Show how training ended."""
        if self._bar is not None:
            self._bar.close()
        logger.info("%s: %s", self.label, sentence)


@dataclass(frozen=True)
class Outcome:
    """A finished training; the module holds the best weights.

    Attributes
    ----------
    history
        One row per epoch.
    best_epoch
        The epoch whose weights were kept, from 1; 0: those before the first step.
    train_s, train_cpu_s
        Wall and processor seconds of the whole loop.
    """

    history: list[dict[str, float]]
    best_epoch: int
    train_s: float
    train_cpu_s: float

    def write_history(self, path: Path) -> None:
        """Write the history as CSV, atomically."""
        with (
            replacing(path) as temporary,
            temporary.open("w", encoding="utf-8", newline="") as file,
        ):
            writer = csv.DictWriter(file, fieldnames=list(self.history[0]))
            writer.writeheader()
            writer.writerows(self.history)

    def cost(self, stage: Literal["train", "pretrain"]) -> Cost:
        """Return the cost of the training under the name of its stage."""
        return Cost.model_validate(
            {
                f"{stage}_s": self.train_s,
                f"{stage}_cpu_s": self.train_cpu_s,
                "epochs": len(self.history),
                "best_epoch": self.best_epoch,
            }
        )


# The batches of an epoch in the order that a generator draws, without the first ones, each with the
# numbers (B,) of its windows, if they have any.
BatchSource = Callable[[torch.Generator, int], Iterator[tuple[Tensor | None, Batch]]]


def fit(
    trainable: Trainable,
    train: WindowTable,
    index: Tensor,
    held_out: Callable[[], Iterator[Batch]],
    settings: OptimizerSettings,
    *,
    loss_name: str,
    generator: torch.Generator,
    label: str,
    n_full: int | None = None,
    curves: Curves | None = None,
    keeper: StateKeeper | None = None,
    recorded: Sequence[float] | None = None,
) -> Outcome:
    """Train with AdamW until the loss on held-out windows stops falling.

    Parameters
    ----------
    trainable
        Holds the module, which is left with its best weights.
    train
        Windows to learn from.
    index
        The windows that are used, (N,) int64.
    held_out
        Returns an iterator over the batches of the watched loss.
    settings
        Optimiser, schedule and end.
    loss_name
        Column of the held-out loss; the lowest decides which weights are kept.
    generator
        Order of the batches.
    label
        What is being trained, for the bar or the log that shows every epoch.
    n_full
        Windows that set the steps of an epoch, so that a run with few labels
        takes as many steps as one with all; None: those of `index`.
    curves
        Where TensorBoard logs are written; None: none are.
    keeper
        Writes the state of the training, and restores it; None: an interrupted
        training starts again.
    recorded
        Held-out losses of a training before, up to its best epoch. They decide in place of
        held-out windows: this one takes as many epochs, at its learning rates, and keeps the last
        weights.

    Raises
    ------
    DivergedError
        If a loss or a gradient is not finite; nothing is written then.
    SystemExit
        If a signal stops the training.
    """
    module = trainable.module
    progress = Progress(label, settings.epochs if recorded is None else len(recorded))
    optimizer = AdamW(
        [p for p in module.parameters() if p.requires_grad],
        lr=settings.learning_rate,
        weight_decay=settings.weight_decay,
        fused=True,
    )
    n_steps = max(
        math.ceil((n_full or len(index)) / settings.batch_size), settings.min_steps_per_epoch
    )
    n_steps = min(n_steps, settings.max_steps_per_epoch or n_steps)
    schedule = Schedule(optimizer, settings, n_steps)
    course = Course(
        trainable,
        optimizer,
        schedule,
        generator,
        train.augmentation,
        train.device,
        settings.ema,
    )
    if keeper is not None:
        keeper.restore(course)
    if trainable.starts_fitted and math.isinf(course.best_loss):
        course.best_loss = evaluate(trainable, held_out(), settings)[loss_name]

    def batches(order: torch.Generator, n_done: int) -> Iterator[tuple[Tensor, Batch]]:
        drawn = shuffled(len(index), n_steps, settings.batch_size, order)
        numbers, windows = tee(index[part] for part in islice(drawn, n_done, None))
        yield from zip(numbers, train.stream(windows), strict=True)

    listening = nullcontext() if keeper is None else keeper.listening()
    with drawing(curves, course.history) as draw, listening:
        for row in epochs(
            course, batches, held_out, settings, loss_name=loss_name, keeper=keeper,
            recorded=recorded,
        ):  # fmt: skip
            progress.epoch(row)
            draw.epoch(row)
        if keeper is not None:
            keeper.end(course)
        draw.end(course.history, course.best_epoch)
    module.load_state_dict(course.best_weights)
    trainable.set_training(False)
    outcome = Outcome(course.history, course.best_epoch, course.train_s, course.train_cpu_s)
    progress.end(
        f"{len(outcome.history)} epochs in {outcome.train_s:.1f} s,"
        f" best {loss_name} {course.best_loss:.4g} in epoch {course.best_epoch}"
    )
    return outcome


def epochs(
    course: Course,
    batches: BatchSource,
    held_out: Callable[[], Iterator[Batch]],
    settings: OptimizerSettings,
    *,
    loss_name: str,
    keeper: StateKeeper | None = None,
    recorded: Sequence[float] | None = None,
) -> Iterator[dict[str, float]]:
    """Train from where `course` stands; yield the row of each epoch, once it is in the history.

    Parameters
    ----------
    course
        Trainable, optimiser, schedule and state; it is changed.
    batches
        To learn from.
    held_out, settings, loss_name, keeper, recorded
        As in `fit`; the optimiser and schedule are those of `course`.
    """
    trainable = course.trainable
    parameters = [p for p in trainable.module.parameters() if p.requires_grad]

    def look_for_divergence() -> None:
        step = first_bad_step(course.losses, course.norms)
        if step is not None:
            windows = drawn[step - n_done]
            raise diverged(course.losses[step], course.norms[step], course.epoch, step + 1, windows)

    n_epochs = settings.epochs if recorded is None else len(recorded)
    for epoch in range(course.epoch, n_epochs + 1):
        if epoch - 1 - course.best_epoch >= settings.patience_epochs:
            break
        trainable.begin_epoch(epoch)
        trainable.set_training(True)
        n_done = len(course.losses)  # all finite, or no state would have been written
        drawn: list[Tensor | None] = []
        for windows, batch in batches(course.order(), n_done):
            drawn.append(windows)
            with _precision(settings, course.device):
                loss = trainable.loss(batch)
            course.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            norm = nn.utils.clip_grad_norm_(parameters, settings.gradient_clip or math.inf)
            course.schedule.step()
            course.optimizer.step()
            course.end_step(loss.detach(), norm)
            if keeper is not None and keeper.is_due():
                look_for_divergence()
                keeper.keep(course)
        look_for_divergence()
        norm_of_last = float(course.norms[-1])
        row: dict[str, float] = {
            "epoch": epoch,
            "steps": epoch * len(course.losses),
            "learning_rate": course.schedule.rate,
            "train_loss": float(torch.stack(course.losses).double().mean()),
        }
        with course.averaged():
            row |= (
                evaluate(trainable, held_out(), settings)
                if recorded is None
                else {loss_name: recorded[epoch - 1]}
            )
            check_held_out(loss_name, row[loss_name], epoch, norm_of_last)
            row |= {"gradient_norm": norm_of_last, "seconds": course.train_s}
            course.schedule.watch(row[loss_name])
            course.end_epoch(row, row[loss_name])
        yield row


@torch.no_grad()
def evaluate(
    trainable: Trainable, batches: Iterator[Batch], settings: OptimizerSettings
) -> dict[str, float]:
    """Return the watched means over all windows of `batches`; without any, none."""
    trainable.set_training(False)
    totals: dict[str, float] = {}
    n = 0
    for batch in batches:
        with _precision(settings, batch.x.device):
            watched = trainable.watch(batch)
        for name, value in watched.items():
            totals[name] = totals.get(name, 0.0) + float(value) * len(batch)
        n += len(batch)
    return {name: total / n for name, total in totals.items()}


def _precision(settings: OptimizerSettings, device: torch.device) -> AbstractContextManager[object]:
    precision = settings.precision
    if precision == "bfloat16" or (precision == "auto" and device.type == "cuda"):
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return nullcontext()


class DivergedError(UserError):
    """A loss or gradient is not finite."""


def first_bad_step(losses: Sequence[Tensor], norms: Sequence[Tensor]) -> int | None:
    """Return the first step, from 0, whose loss or gradient norm is not finite, or None.

    All steps are checked at once: on a GPU every check waits for pending
    computations.
    """
    is_bad = ~(torch.stack(list(losses)).isfinite() & torch.stack(list(norms)).isfinite())
    return int(is_bad.int().argmax()) if is_bad.any() else None


def diverged(
    loss: Tensor, norm: Tensor, epoch: int, step: int, windows: Tensor | None
) -> DivergedError:
    """Return the error that names a step, from 1, its windows of train, and the gradient norm."""
    at = ""
    if windows is not None:
        at = f", on the windows {', '.join(str(n) for n in windows[:MOST_NAMED].tolist())}"
        at += f", … ({len(windows)} in all) of train" if len(windows) > MOST_NAMED else " of train"
    return DivergedError(
        f"train_loss is {float(loss):.4g} in epoch {epoch}, step {step}, with gradient norm"
        f" {float(norm):.3g}{at}; lower learning_rate or look for extreme values in"
        f" {'the data' if windows is None else 'these windows'}"
    )


def check_held_out(name: str, loss: float, epoch: int, norm: float) -> None:
    """Raise a `DivergedError` if a held-out loss is not finite."""
    if not math.isfinite(loss):
        raise DivergedError(
            f"{name} is {loss} in epoch {epoch} (last gradient norm {norm:.3g}); lower"
            " learning_rate or look for extreme values in the data"
        )
