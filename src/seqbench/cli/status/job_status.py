"""The status of each job of a plan, from the files that the plan names."""

import os
import stat
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from seqbench.errors import FormatError
from seqbench.plan.workflow_jobs import Job
from seqbench.process.step_log import StepLog, is_alive, read_log
from seqbench.storage.metrics import read_metrics
from seqbench.storage.model_header import StateHeader
from seqbench.storage.models import read_outline

State = Literal["done", "running", "failed", "stopped", "waiting"]
STATES: tuple[State, ...] = ("done", "running", "failed", "stopped", "waiting")
FOLDER_TIME = ".snakemake_timestamp"
STARTING_S = 300.0  # so long a log may stay empty while libraries are loaded


@dataclass(frozen=True)
class Progress:
    """Where a training stood when it last wrote its state, steps counted in the epoch."""

    epoch: int
    n_steps: int
    train_s: float


@dataclass(frozen=True)
class Duration:
    """What a job took or takes: seconds, and processor seconds."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True, kw_only=True)
class JobStatus:
    """Status of one job.

    Parameters
    ----------
    log
        Content of its log; None: there is none.
    duration
        What the job took when it was last done, if that is known.
    progress
        Of a training that is not done, where its last state has it.
    sentence
        Why it failed or stopped.
    silent_s
        Seconds since a running job on another machine wrote anything; None: it
        is on this machine, where its process was seen.
    waits_for_failed
        Whether it needs what a failed job should have left, if only through others.
    is_outdated
        Whether all that it leaves is there, but older than what it was made from, if only through
        others: something was made anew, or the files are copies that lost their times.
    """

    job: Job
    state: State
    log: StepLog | None = None
    duration: Duration | None = None
    progress: Progress | None = None
    sentence: str = ""
    silent_s: float | None = None
    waits_for_failed: bool = False
    is_outdated: bool = False


def job_statuses(jobs: list[Job], root: Path) -> list[JobStatus]:
    """Return the status of each job.

    A job is done if its outputs are in place and no older than what they were
    made from; one that is gone is not missed where all that was made from it
    is done. Settings are not compared: what Snakemake will make anew for a
    changed config counts as done until its turn comes.

    Parameters
    ----------
    jobs
        Each behind those whose outputs it reads.
    root
        Folder that holds `results/`.
    """
    done = _done(jobs, root)
    lost: set[str] = set()  # what failed jobs should have left, and what is made from it
    found = []
    for job in jobs:
        waits = not lost.isdisjoint(job.inputs)
        one = _job_status(job, root, job in done, waits)
        if waits or one.state == "failed":
            lost.update(job.outputs)
        found.append(one)
    return found


def _done(jobs: list[Job], root: Path) -> set[Job]:
    files = {path for job in jobs for path in (*job.outputs, *job.inputs)}
    made = {path: when for path in files if (when := _modified(f"{root}/{path}")) is not None}
    is_old: set[str] = set()
    for job in jobs:
        last = max((made[path] for path in job.outputs if path in made), default=None)
        if not is_old.isdisjoint(job.inputs) or (
            last is not None
            and any(made.get(path, last) > last for path in {*job.inputs}.difference(job.ancient))
        ):
            is_old.update(job.outputs)
    missed: set[str] = set(jobs[-1].outputs)  # no job reads the last ones
    done: set[Job] = set()
    for job in reversed(jobs):
        if is_old.isdisjoint(job.outputs) and all(
            path in made or path not in missed for path in job.outputs
        ):
            done.add(job)
        else:
            missed.update(job.inputs)
    return done


def _job_status(job: Job, root: Path, is_done: bool, waits_for_failed: bool) -> JobStatus:
    log = read_log(root / job.log)
    duration = _duration(job, root, log)
    if is_done:
        return JobStatus(job=job, state="done", log=log, duration=duration)
    state, sentence, silent_s = _unfinished(job, root, log)
    return JobStatus(
        job=job,
        state=state,
        log=log,
        duration=duration,
        progress=None if job.state is None else read_progress(root / job.state),
        sentence=sentence,
        silent_s=silent_s,
        waits_for_failed=waits_for_failed and state == "waiting",
        is_outdated=state == "waiting" and all((root / path).exists() for path in job.outputs),
    )


def _unfinished(job: Job, root: Path, log: StepLog | None) -> tuple[State, str, float | None]:
    """Return the state of an unfinished job, its reason, and for how long it has been silent."""
    path = root / job.log
    if log is None or log.wall_s is not None:  # done once, to be done again
        return "waiting", "", None
    is_here = is_alive(path, log)
    if is_here:
        return "running", "", None
    if log.error is not None:
        return "failed", log.error, None
    if log.stopped is not None:
        return "stopped", log.stopped, None
    silent_s = _age_s([path, *([root / job.state] if job.state else [])])
    if is_here is None or (not log.last_line and silent_s < STARTING_S):
        return "running", "", silent_s
    return "stopped", "its process ended without a message, as when it is killed", None


def read_progress(path: Path) -> Progress | None:
    """Return where the state of a training has it; None where there is none that can be read.

    Its digest is not checked: that takes reading all of it, and a training does so itself.
    """
    try:
        header, shapes = read_outline(path)
    except FormatError:
        return None
    if not isinstance(header, StateHeader) or "losses" not in shapes:
        return None
    return Progress(header.course.epoch, shapes["losses"][0], header.course.train_s)


def _duration(job: Job, root: Path, log: StepLog | None) -> Duration | None:
    """Return what a job took, by its log, or without one of the whole of it by its costs.

    The log of an interrupted training covers the time since its last start; costs cover all of it.
    """
    if log is not None and log.wall_s is not None and log.cpu_s is not None and not log.was_resumed:
        return Duration(log.wall_s, log.cpu_s)
    if job.cost is None:
        return None
    path, stage = job.cost
    try:
        cost = read_metrics(root / path).cost
    except FormatError:
        return None
    wall_s, cpu_s = getattr(cost, f"{stage}_s"), getattr(cost, f"{stage}_cpu_s")
    return None if wall_s is None or cpu_s is None else Duration(wall_s, cpu_s)


def _modified(path: Path | str) -> float | None:
    """Return when a file was last made; of a folder, when Snakemake noted that it was."""
    try:
        found = os.stat(path)  # noqa: PTH116 (a path object costs more than the call)
        if stat.S_ISDIR(found.st_mode):
            with suppress(FileNotFoundError):
                return Path(path, FOLDER_TIME).stat().st_mtime
    except OSError:
        return None
    return found.st_mtime


def _age_s(paths: Iterable[Path]) -> float:
    """Return the seconds since the last change of any of these files."""
    latest = max((when for path in paths if (when := _modified(path)) is not None), default=0.0)
    return max(0.0, time.time() - latest)
