"""The processes of one training: which one this is, what they agree on, and their one state.

The first writes; no other has a state of its own, so that one file is all there is to resume from.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import torch
import torch.distributed as dist
from torch.distributed.distributed_c10d import Store
from torch.distributed.rendezvous import rendezvous

from seqbench.errors import UserError
from seqbench.process.fork_server import end_with
from seqbench.storage.model_header import StateHeader
from seqbench.storage.models import StoredModel
from seqbench.training.state import INTERRUPTED, Course, StateKeeper

TIMEOUT = timedelta(minutes=30)  # of one that waits for the others, such as for data to be read
PEER_ENDED = "by peer"  # in the errors of gloo
NOTHING, STATE, LEAVE = range(3)  # what a process wishes to do after a step
logger = logging.getLogger("seqbench")
Shared = TypeVar("Shared")


@dataclass(frozen=True)
class Ranks:
    """Which of the processes of a training this one is.

    Parameters
    ----------
    rank
        From 0.
    n
        Processes in all.
    """

    rank: int
    n: int

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def part(self, n_windows: int) -> slice:
        """Return which windows of a batch are this process's; parts differ by one at most."""
        bounds = [n_windows * rank // self.n for rank in (self.rank, self.rank + 1)]
        return slice(*bounds)

    def largest(self, value: int) -> int:
        """Return the largest of the values of all processes."""
        values = torch.tensor([value])
        dist.all_reduce(values, dist.ReduceOp.MAX)
        return int(values)

    def total(self, value: float) -> float:
        """Return the sum of the values of all processes."""
        values = torch.tensor([value], dtype=torch.float64)
        dist.all_reduce(values)
        return float(values)

    def from_first(self, value: Shared) -> Shared:
        """Return the value that the first process has."""
        held = [value]
        dist.broadcast_object_list(held)
        return held[0]


@contextmanager
def joined(n: int, device: torch.device) -> Iterator[Ranks]:
    """Join the other processes of a training, as long as this lasts.

    Parameters
    ----------
    n
        Processes that the settings request.
    device
        Of this process.

    Raises
    ------
    UserError
        If this is not one of so many processes that `torchrun` has started.
    SystemExit
        If another one has ended.
    """
    started = int(os.environ.get("WORLD_SIZE", "1"))
    if started != n:
        raise UserError(
            f"`gpus: {n}` is a training in {n} processes, and this is one of {started}; run the"
            f" step by itself, or by `torchrun --nproc-per-node {n}`"
        )
    if sys.platform == "linux":
        end_with(os.getppid())
    backend = "gloo" if device.type == "cpu" else "cpu:gloo,cuda:nccl"
    if device.type == "cuda":
        torch.cuda.set_device(device)
    warnings.filterwarnings("ignore", "Grad strides do not match")  # no more than a little slower
    store, rank, n = next(rendezvous("env://", timeout=TIMEOUT))
    dist.init_process_group(backend, timeout=TIMEOUT, store=store, rank=rank, world_size=n)
    ranks = Ranks(rank, n)
    if not ranks.is_first:
        logger.setLevel(logging.ERROR)
    try:
        yield ranks
        _wait_for_all(store, ranks)
    except SystemExit as end:
        if end.code == INTERRUPTED:
            _wait_for_all(store, ranks)
        raise
    except RuntimeError as error:
        if isinstance(error, dist.DistError) or PEER_ENDED in str(error):
            raise SystemExit(1) from None  # torchrun reports the one that ended
        raise
    finally:
        dist.destroy_process_group()


def _wait_for_all(store: Store, ranks: Ranks) -> None:
    """Wait until all processes are here: who closes its connections early can lose a message."""
    store.set(f"done {ranks.rank}", "")
    with suppress(dist.DistError):  # the store ends with a `torchrun` that ends
        store.wait([f"done {rank}" for rank in range(ranks.n)])


class RankKeeper(StateKeeper):
    """The state of a training in several processes: the first writes and reads it, for all.

    Parameters
    ----------
    folder, identity, every_s
        As one process has them.
    ranks
        Processes of the training.
    """

    def __init__(
        self, folder: Path, identity: Callable[[], dict[str, str]], every_s: float, ranks: Ranks
    ) -> None:
        super().__init__(folder, identity, every_s)
        self.ranks = ranks

    def stored(self) -> StoredModel[StateHeader] | None:
        """Return the state that the first process finds."""
        return self.ranks.from_first(super().stored() if self.ranks.is_first else None)

    def is_due(self) -> bool:
        """Return whether it is time for a state, or one of the processes was sent a signal."""
        wish = NOTHING
        if self._signal is not None:
            wish = LEAVE
        elif self.ranks.is_first and time.monotonic() - self._last >= self.every_s:
            wish = STATE
        wish = self.ranks.largest(wish)
        if wish == LEAVE and self._signal is None:
            self._signal = signal.SIGTERM
        return wish != NOTHING

    def keep(self, course: Course) -> None:
        """Write a state, if this is the first process; leave if one was sent a signal."""
        if self.ranks.is_first:
            super().keep(course)
        elif self._signal is not None:
            raise SystemExit(INTERRUPTED)

    def end(self, course: Course) -> None:
        """Write the last state, if this is the first process."""
        if self.ranks.is_first:
            super().end(course)

    def forget(self) -> None:
        """Remove the state, if this is the first process."""
        if self.ranks.is_first:
            super().forget()
