"""A job that trains: what it reads, with which settings, on which machine, and what it writes."""

import gc
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeVar

import torch

from seqbench.config.stages import STATE_EVERY_S
from seqbench.errors import UserError
from seqbench.plan.job_settings import FinetuneJobSettings, PretrainJobSettings
from seqbench.process.memory import AUTO, limit_bytes
from seqbench.process.origin import versions
from seqbench.storage.atomic import remove_leftovers
from seqbench.storage.lock import locked
from seqbench.storage.states import remove_empty
from seqbench.training.curves import Curves
from seqbench.training.devices import claim_device
from seqbench.training.loop import DivergedError
from seqbench.training.ranks import RankKeeper, Ranks, joined
from seqbench.training.reproducibility import choose_device
from seqbench.training.state import StateKeeper, file_digest

PATIENCE_S = 60.0
LEAST_HALF = 2  # batch norm needs two windows
logger = logging.getLogger("seqbench")


@dataclass(frozen=True, kw_only=True)
class TrainingJob:
    """What pretraining and fine-tuning have in common.

    Parameters
    ----------
    windows
        `windows.h5` that is read.
    settings
        Of the model and its optimizer; all that follows is no setting of the run.
    device, threads
        auto, cpu, cuda or cuda:N, and threads of one training, of all its processes.
    tensorboard
        Folder for TensorBoard logs; None: none are written.
    out_of_memory
        Where a GPU has no room for a batch: stop, or train once more with half of it.
    state, state_every_s
        Folder from which an interrupted training goes on, None: it begins anew;
        seconds between two states.
    code
        Digest of the code: a training goes on with the same code only.
    memory_limit
        Larger data stay on disk; see `limit_bytes`.
    halved
        Whether the batch size is half of what the configuration has.
    ranks
        Which of several processes of the training this one is; None: there is one.
    """

    windows: Path
    settings: FinetuneJobSettings | PretrainJobSettings
    device: str = "auto"
    threads: int = 1
    tensorboard: Path | None = None
    out_of_memory: Literal["refuse", "halve"] = "refuse"
    state: Path | None = None
    state_every_s: float = STATE_EVERY_S
    code: str = ""
    memory_limit: str = AUTO
    halved: bool = False
    ranks: Ranks | None = None

    @property
    def inputs(self) -> dict[str, Path | None]:
        """Files that are read, by name."""
        return {"windows": self.windows}

    @property
    def outputs(self) -> list[Path]:
        """Files that are written."""
        return []

    @property
    def names(self) -> dict[str, object]:
        """What distinguishes this job from others with the same settings."""
        return {}

    @property
    def writes(self) -> bool:
        """Whether this process writes what is trained: the only one, or the first of several."""
        return self.settings.optimizer.gpus == 1 or os.environ.get("RANK", "0") == "0"

    def of_all(self, cpu_s: float) -> float:
        """Return the sum of the processor seconds of all processes."""
        return cpu_s if self.ranks is None else self.ranks.total(cpu_s)

    @property
    def curves(self) -> Curves | None:
        """Where curves are drawn, with the settings that TensorBoard shows beside them."""
        if self.tensorboard is None or not self.writes:
            return None
        settings = self.settings.model_dump(mode="json")
        return Curves(self.tensorboard, {**self.names, **settings})

    def identity(self) -> dict[str, str]:
        """Return what decides the course of the training; a state of another is not continued."""
        return {
            **{name: str(value) for name, value in self.names.items()},
            **{name: file_digest(path) for name, path in self.inputs.items() if path is not None},
            "settings": self.settings.to_json(),
            "device": choose_device(self.device).type,
            "threads": str(self.threads),
            "code": self.code,
            "version of torch": versions()["torch"],
        }


Job = TypeVar("Job", bound=TrainingJob)
Train = Callable[[Job, StateKeeper | None], None]


@contextmanager
def keeping_state(job: TrainingJob) -> Iterator[StateKeeper | None]:
    """Keep the state of a training, if requested, until its outputs are in place, or for good.

    Halves of outputs that a killed process left are removed.

    Raises
    ------
    UserError
        If another process trains the same.
    """
    if job.state is None:
        yield None
        return
    if not job.code:
        raise UserError("--state needs --code: a training goes on with the same code only")
    keeper = StateKeeper(job.state, job.identity, job.state_every_s)
    if job.ranks is not None:
        keeper = RankKeeper(job.state, job.identity, job.state_every_s, job.ranks)
    if not job.writes:
        yield keeper
        return
    try:
        with locked(job.state / "lock", PATIENCE_S):
            remove_leftovers(keeper.path, *job.outputs)
            try:
                yield keeper
            except DivergedError:
                keeper.forget()  # it would only diverge again
                raise
            if not keeper.stays:
                keeper.forget()
    finally:
        remove_empty(job.state)


def run_training(job: Job, train: Train[Job]) -> None:
    """Train, keeping the state; where a GPU has no room, once more with half the batch size.

    The second training is the one that half the `batch_size` in the
    configuration gives; its states differ from those of the first.

    Parameters
    ----------
    job
        Its `out_of_memory` decides whether there is a second training.
    train
        Trains a job and writes its outputs.

    Raises
    ------
    UserError
        If there is no room, and the batch size may not or cannot be halved, or was.
    """
    if job.settings.optimizer.gpus > 1 and job.ranks is None:
        with _ranked(job) as one:
            run_training(one, train)
        return
    with keeping_state(job) as keeper:
        if _fits(job, train, keeper):
            return
        size = job.settings.optimizer.batch_size
        half = size // 2
        no_room = f"the GPU has no room for batches of {size} windows"
        lower = "lower `batch_size`, cut shorter windows or set `device: cpu`"
        if job.ranks is not None:
            raise UserError(f"{no_room}; take more `gpus`, or {lower}")
        if job.out_of_memory == "refuse":
            halve = "set `out_of_memory: halve` to train with half of it"
            raise UserError(f"{no_room}; {halve}, or {lower}")
        if half < LEAST_HALF:
            raise UserError(f"{no_room}, which cannot be halved; {lower}")
        logger.warning("%s; training begins anew with %d", no_room, half)
        if keeper is not None:
            keeper.identity["batch_size"] = str(half)
        optimizer = job.settings.optimizer.model_copy(update={"batch_size": half})
        settings = job.settings.model_copy(update={"optimizer": optimizer})
        if not _fits(replace(job, settings=settings, halved=True), train, keeper):
            raise UserError(f"{no_room}, nor for {half}; {lower}")


@contextmanager
def _ranked(job: Job) -> Iterator[Job]:
    """Give the job of this process, with its share of the threads, and of its machine's memory."""
    n_here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    with joined(job.settings.optimizer.gpus, claim_device(job.device)) as ranks:
        yield replace(
            job,
            ranks=ranks,
            threads=max(1, job.threads // ranks.n),
            memory_limit=f"{limit_bytes(job.memory_limit) // n_here}B",
        )


def _fits(job: Job, train: Train[Job], keeper: StateKeeper | None) -> bool:
    """Train, and return whether there was room; what took it is free again if not."""
    try:
        train(job, keeper)
    except torch.OutOfMemoryError as error:
        logger.warning("%s", " ".join(str(error).split()))
    else:
        return True
    gc.collect()  # the error, gone by now, held all that the training had made
    torch.cuda.empty_cache()
    return False
