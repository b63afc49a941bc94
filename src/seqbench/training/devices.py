"""Which of the GPUs that a job was given it trains on.

Snakemake and SLURM count GPUs. SLURM also assigns them: a job sees its own and no
other. On a workstation every job sees all of them, so each takes one that is
free, by a lock that the system lets go when the job ends, however it ends.
"""

import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import torch
from filelock import FileLock, Timeout

from seqbench.errors import UserError
from seqbench.process.client import allocation
from seqbench.storage.lock import acquired
from seqbench.training.reproducibility import choose_device

SHARING = "SEQBENCH_JOBS_PER_GPU"
LOCAL_RANK = "LOCAL_RANK"  # of a process among those of one training on this machine
POLL_S = 0.5


class Place(NamedTuple):
    """Room for one job on the GPU at a position, as long as the lock is held."""

    position: int
    lock: FileLock


_held: list[Place] = []  # that of this process, or those of its processes, until it ends


def claim_device(name: str) -> torch.device:
    """Return the device that a name stands for; of several GPUs one with room for a job.

    The environment variable `SEQBENCH_JOBS_PER_GPU` sets how many jobs share a
    GPU, one by default; while all are taken, this waits. A process that has a place keeps it:
    if it wanted a second, two that train anew could wait for each other for ever. Of the processes
    of one training each has one of the GPUs that are claimed for all.
    """
    device = choose_device(name)
    if device.type == "cuda" and LOCAL_RANK in os.environ:
        return torch.device(device.type, int(os.environ[LOCAL_RANK]))
    n_visible = torch.cuda.device_count() if device.type == "cuda" else 0
    if device.index is not None or n_visible < 2:
        return device
    if not _held:
        _held.extend(claim_gpus(visible_names(n_visible), jobs_per_gpu()))
    return torch.device(device.type, _held[0].position)


def check_gpus(n: int) -> int:
    """Return how many GPUs can be used here, at least `n`.

    Raises
    ------
    UserError
        If there are fewer.
    """
    n_visible = torch.cuda.device_count()
    if n_visible < n:
        raise UserError(
            f"`gpus: {n}` for one training, and {n_visible} can be used here; lower gpus, or try it"
            " with as many processes on the CPU by `device: cpu`"
        )
    return n_visible


def claim_several(n: int) -> None:
    """Hold places on `n` GPUs until this process ends; processes that it starts see no others."""
    names = visible_names(check_gpus(n))
    _held.extend(claim_gpus(names, jobs_per_gpu(), n))
    os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(names[one.position] for one in _held)


def jobs_per_gpu() -> int:
    """Return how many jobs may share a GPU; where the variable is empty or missing, one.

    Raises
    ------
    UserError
        If the variable is no number above 0.
    """
    value = os.environ.get(SHARING) or "1"
    if not value.isdecimal() or int(value) < 1:
        raise UserError(f"{SHARING}={value}: write how many jobs share a GPU, 1 or more")
    return int(value)


def visible_names(n_visible: int) -> list[str]:
    """Return unique names of the GPUs this process sees, whatever others see."""
    named = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")]
    return named[:n_visible] if all(named) else [str(i) for i in range(n_visible)]


def claim_gpus(names: list[str], n_jobs: int, n: int = 1) -> list[Place]:
    """Wait for `n` GPUs with fewer than `n_jobs` jobs each and return a place on each.

    All are held or none, so that no two trainings wait for each other. Jobs of a cluster have
    GPUs of their own, which may have the same names in each.
    """
    users = "-".join(["seqbench-gpus", str(os.getuid()), *filter(None, [allocation()])])
    folder = Path(tempfile.gettempdir()) / users
    while True:
        found: dict[int, Place] = {}
        for number in range(n_jobs):  # a second job joins another only where no GPU is free
            for position, name in enumerate(names):
                if len(found) < n and position not in found:
                    with suppress(Timeout):
                        lock = acquired(folder / f"{name}.{number}.lock".replace("/", "_"))
                        found[position] = Place(position, lock)
        if len(found) == n:
            return [found[position] for position in sorted(found)]
        for place in found.values():
            place.lock.release()
        time.sleep(POLL_S)
