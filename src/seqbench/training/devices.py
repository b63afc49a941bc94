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
POLL_S = 0.5


class Place(NamedTuple):
    """Room for one job on the GPU at a position, as long as the lock is held."""

    position: int
    lock: FileLock


_held: list[Place] = []  # that of this process, until it ends


def claim_device(name: str) -> torch.device:
    """Return the device that a name stands for; of several GPUs one with room for a job.

    The environment variable `SEQBENCH_JOBS_PER_GPU` sets how many jobs share a
    GPU, one by default; while all are taken, this waits. A process that has a place keeps it:
    if it wanted a second, two that train anew could wait for each other for ever.
    """
    device = choose_device(name)
    n_visible = torch.cuda.device_count() if device.type == "cuda" else 0
    if device.index is not None or n_visible < 2:
        return device
    if not _held:
        _held.append(claim_gpu(visible_names(n_visible), jobs_per_gpu()))
    return torch.device(device.type, _held[0].position)


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


def claim_gpu(names: list[str], n_jobs: int) -> Place:
    """Wait for a GPU with fewer than `n_jobs` jobs and return a place on it.

    Jobs of a cluster have GPUs of their own, which may have the same names in each.
    """
    users = "-".join(["seqbench-gpus", str(os.getuid()), *filter(None, [allocation()])])
    folder = Path(tempfile.gettempdir()) / users
    while True:
        for number in range(n_jobs):  # a second job joins another only where no GPU is free
            for position, name in enumerate(names):
                with suppress(Timeout):
                    lock = acquired(folder / f"{name}.{number}.lock".replace("/", "_"))
                    return Place(position, lock)
        time.sleep(POLL_S)
