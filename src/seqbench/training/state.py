"""Where a training stands, kept on disk so that an interrupted one goes on from there.

A state holds all that decides the rest of a training, so that the rest is the
same, bit for bit on one kind of CPU, as if nothing had happened: weights, their
average and running statistics, moments of the optimiser, the schedule, every source of
chance, the place in the epoch, the history, and the best weights so far. The
order of batches is kept as it stood at the beginning of the epoch; drawing it
again and leaving out the batches that are done gives the others.

The file is that of a model, safetensors with a JSON header, so reading one
cannot run code. It names the training it belongs to (settings, digests of the
inputs and of the code, seed, versions). One of another training, or one whose
digest shows that it is damaged, is logged and left unused.
"""

import copy
import hashlib
import logging
import math
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import NoReturn

import numpy as np
import torch
from torch import Tensor, nn

from seqbench.config.stages import STATES_STAY
from seqbench.errors import FormatError
from seqbench.process.client import TO_END
from seqbench.storage.atomic import WriteError
from seqbench.storage.model_header import CourseRecord, StateHeader
from seqbench.storage.models import StoredModel, read_model, write_model
from seqbench.storage.states import state_file
from seqbench.training.reproducibility import random_state, restore_random_state
from seqbench.training.schedule import Schedule
from seqbench.training.trainable import Trainable

INTERRUPTED = 75  # the exit code that the system reserves for "try again" (EX_TEMPFAIL)
logger = logging.getLogger("seqbench")


class Course:
    """Where a training stands between two steps.

    Parameters
    ----------
    trainable, optimizer, schedule
        As in the loop, before the first step.
    order
        Draws the order of batches.
    augmentation
        Draws how windows move; None: they do not.
    device
        Where the training runs.
    ema
        Decay of a moving average of the weights; None: there is no average.

    Attributes
    ----------
    epoch
        The epoch under way, from 1.
    losses, norms
        Loss and gradient norm, shape () each, of every step of it so far.
    history
        One row per finished epoch.
    best_loss, best_epoch, best_weights
        Of the epoch with the lowest held-out loss.
    average
        Moving average of the weights by name; empty without `ema`.
    """

    def __init__(
        self,
        trainable: Trainable,
        optimizer: torch.optim.Optimizer,
        schedule: Schedule,
        order: torch.Generator,
        augmentation: torch.Generator | None,
        device: torch.device,
        ema: float | None = None,
    ) -> None:
        self.trainable = trainable
        self.ema = ema
        self.average = {} if ema is None else _copied(trainable.module)
        self.optimizer = optimizer
        self.schedule = schedule
        self.augmentation = augmentation
        self.device = device
        self.epoch = 1
        self.losses: list[Tensor] = []
        self.norms: list[Tensor] = []
        self.history: list[dict[str, float]] = []
        self.best_loss, self.best_epoch = math.inf, 0
        self.best_weights = copy.deepcopy(trainable.module.state_dict())
        self._order = order
        self._order_at_start = order.get_state()
        self._began, self._began_cpu = time.perf_counter(), time.process_time()

    @property
    def train_s(self) -> float:
        """Wall seconds so far, those before an interruption included."""
        return time.perf_counter() - self._began

    @property
    def train_cpu_s(self) -> float:
        """Processor seconds so far, those before an interruption included."""
        return time.process_time() - self._began_cpu

    def order(self) -> torch.Generator:
        """Return what draws the order of the epoch under way, as it stood at its beginning."""
        return self._order.set_state(self._order_at_start)

    def end_step(self, loss: Tensor, norm: Tensor) -> None:
        """Note the loss and gradient norm, shape () each, of a step; bring the average on.

        The decay begins low, so that the average soon forgets the first weights.
        """
        self.losses.append(loss)
        self.norms.append(norm)
        if self.ema is not None:
            n_done = self.schedule.n_done
            decay = min(self.ema, (1 + n_done) / (10 + n_done))
            for name, weights in self.trainable.module.named_parameters():
                self.average[name].lerp_(weights.detach(), 1 - decay)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Let the module hold the average, if there is one, as long as this lasts.

        Statistics of batch norms stay those of training.
        """
        own = _copied(self.trainable.module) if self.average else {}
        _fill(self.trainable.module, self.average)
        try:
            yield
        finally:
            _fill(self.trainable.module, own)

    def end_epoch(self, row: dict[str, float], held_out_loss: float) -> None:
        """Add the epoch to the history, keep its weights if they are the best, begin the next."""
        self.history.append(row)
        if held_out_loss < self.best_loss:
            self.best_loss, self.best_epoch = held_out_loss, self.epoch
            self.best_weights = copy.deepcopy(self.trainable.module.state_dict())
        self.epoch += 1
        self.losses, self.norms = [], []
        self._order_at_start = self._order.get_state()

    def to_stored(self, identity: dict[str, str]) -> StoredModel[StateHeader]:
        """Return all of it, to be written before the next step."""
        tensors = {
            **_named("weights", self.trainable.module.state_dict()),
            **_named("best", self.best_weights),
            **_named("average", self.average),
            **_named("beside_weights", self.trainable.memory()),
            **_named("chance", random_state(self.device)),
            "order_at_start": self._order_at_start,
            "losses": torch.stack(self.losses) if self.losses else torch.empty(0),
            "norms": torch.stack(self.norms) if self.norms else torch.empty(0),
        }
        for number, moments in self.optimizer.state_dict()["state"].items():
            tensors |= _named(f"moments/{number}", moments)
        if self.augmentation is not None:
            tensors["augmentation"] = self.augmentation.get_state()
        return StoredModel(
            {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()},
            StateHeader(
                identity=identity,
                course=CourseRecord(
                    epoch=self.epoch,
                    history=self.history,
                    best_loss=self.best_loss,
                    best_epoch=self.best_epoch,
                    schedule=self.schedule.memory(),
                    train_s=self.train_s,
                    train_cpu_s=self.train_cpu_s,
                ),
            ),
        )

    def restore(self, stored: StoredModel[StateHeader]) -> None:
        """Take over what `to_stored` gave of a training that was set up the same."""
        tensors = {name: torch.from_numpy(array).clone() for name, array in stored.arrays.items()}
        numbers = stored.header.course
        self.trainable.module.load_state_dict(_under("weights", tensors))
        self.trainable.recall(_under("beside_weights", tensors))
        self.best_weights = {
            name: tensor.to(self.device) for name, tensor in _under("best", tensors).items()
        }
        for name, tensor in _under("average", tensors).items():
            self.average[name] = tensor.to(self.device)
        self.best_loss, self.best_epoch = numbers.best_loss, numbers.best_epoch
        self._restore_optimizer(_under("moments", tensors))
        self.schedule.recall(numbers.schedule)
        self.epoch, self.history = numbers.epoch, numbers.history
        self.losses = list(tensors["losses"].to(self.device))
        self.norms = list(tensors["norms"].to(self.device))
        self._order_at_start = tensors["order_at_start"]
        if self.augmentation is not None:
            self.augmentation.set_state(tensors["augmentation"])
        self._began -= numbers.train_s
        self._began_cpu -= numbers.train_cpu_s
        restore_random_state(_under("chance", tensors), self.device)

    def _restore_optimizer(self, tensors: dict[str, Tensor]) -> None:
        moments: dict[int, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            number, _, kind = name.partition("/")
            moments.setdefault(int(number), {})[kind] = tensor
        # The rate of each group is set by the schedule before every step.
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": moments, "param_groups": groups})


class StateKeeper:
    """Writes the state of one training from time to time, and finds it again.

    Parameters
    ----------
    folder
        Of this training alone; no output of a workflow, which would be removed
        before the job is run again.
    identity
        Returns what decides the course of the training; called when a state is
        first read or written. A state of another identity is not continued.
    every_s
        Seconds between two states; 0: after every step.
    """

    def __init__(
        self, folder: Path, identity: Callable[[], dict[str, str]], every_s: float
    ) -> None:
        self.path = state_file(folder)
        self.every_s = every_s
        self.stays = bool(os.environ.get(STATES_STAY))
        self._identify = identity
        self._last = time.monotonic()
        self._signal: int | None = None

    @cached_property
    def identity(self) -> dict[str, str]:
        """What decides the course of the training."""
        return self._identify()

    def restore(self, course: Course) -> None:
        """Let a training go on from its state, if there is one that fits."""
        stored = self.stored()
        if stored is None:
            return
        course.restore(stored)
        logger.info(
            "%s: training goes on after step %d of epoch %d",
            self.path,
            len(course.losses),
            course.epoch,
        )

    def stored(self) -> StoredModel[StateHeader] | None:
        """Return a state that fits, if there is one."""
        if not self.path.exists():
            return None
        try:
            return self._read()
        except FormatError as error:
            logger.warning("%s; training starts anew", error)
            return None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take signals to end as the wish to write a state at the next step and leave."""
        before = {number: signal.signal(number, self._note) for number in TO_END}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def is_due(self) -> bool:
        """Return whether it is time for a state."""
        return self._signal is not None or time.monotonic() - self._last >= self.every_s

    def keep(self, course: Course) -> None:
        """Write a state; leave the process if a signal requested it.

        A full disk does not end a training: the state before stays in place.
        """
        stored = course.to_stored(self.identity)
        try:
            write_model(self.path, stored)
        except (OSError, WriteError) as error:
            logger.warning("%s: not written (%s); the state before stays", self.path, error)
        self._last = time.monotonic()
        if self._signal is not None:
            self._leave(course, self._signal)

    def end(self, course: Course) -> None:
        """Write the last state of a training that is done, if it is to stay or a signal came."""
        if self.stays or self._signal is not None:
            self.keep(course)

    def forget(self) -> None:
        """Remove the state, when the training needs it no more."""
        self.path.unlink(missing_ok=True)

    def _note(self, number: int, _: object) -> None:
        self._signal = number

    def _leave(self, course: Course, number: int) -> NoReturn:
        logger.warning(
            "%s: stopped by %s after step %d of epoch %d; run this again to go on",
            self.path,
            signal.Signals(number).name,
            len(course.losses),
            course.epoch,
        )
        raise SystemExit(INTERRUPTED)

    def _read(self) -> StoredModel[StateHeader]:
        """Return a state of this very training.

        Raises
        ------
        FormatError
            If there is none that can be used.
        """
        stored = read_model(self.path)
        if not isinstance(stored.header, StateHeader):
            raise FormatError(f"{self.path}: no state of a training")
        theirs = stored.header.identity
        changed = [
            key
            for key in sorted(theirs.keys() | self.identity.keys())
            if theirs.get(key) != self.identity.get(key)
        ]
        if changed:
            raise FormatError(f"{self.path}: of a training with other {', '.join(changed)}")
        return StoredModel(stored.arrays, stored.header)


def _copied(module: nn.Module) -> dict[str, Tensor]:
    """Return copies of the weights of a module, without its statistics."""
    return {name: weights.detach().clone() for name, weights in module.named_parameters()}


@torch.no_grad()
def _fill(module: nn.Module, weights: dict[str, Tensor]) -> None:
    """Give weights by name to a module."""
    parameters = dict(module.named_parameters())
    for name, values in weights.items():
        parameters[name].copy_(values)


def state_arrays(module: nn.Module) -> dict[str, np.ndarray]:
    """Return the weights and statistics of a module as arrays."""
    return {name: t.detach().cpu().numpy() for name, t in module.state_dict().items()}


def file_digest(path: Path) -> str:
    """Return a digest of what a file holds."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _named(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}/{name}": tensor for name, tensor in tensors.items()}


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors whose names begin with a prefix, without it."""
    return {
        name.removeprefix(f"{prefix}/"): tensor
        for name, tensor in tensors.items()
        if name.startswith(f"{prefix}/")
    }
