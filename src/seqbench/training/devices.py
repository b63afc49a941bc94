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

import torch
from filelock import FileLock, Timeout

from seqbench.errors import UserError
from seqbench.storage.lock import acquired
from seqbench.training.reproducibility import choose_device

SHARING = "SEQBENCH_JOBS_PER_GPU"
POLL_S = 0.5

_held: list[FileLock] = []  # until this process ends


def claim_device(name: str) -> torch.device:
    """Return the device that a name stands for; of several GPUs one with room for a job.

    The environment variable `SEQBENCH_JOBS_PER_GPU` sets how many jobs share a
    GPU, one by default; while all are taken, this waits.
    """
    device = choose_device(name)
    n_visible = torch.cuda.device_count() if device.type == "cuda" else 0
    if device.index is not None or n_visible < 2:
        return device
    return torch.device(device.type, claim_gpu(visible_names(n_visible), jobs_per_gpu()))


def jobs_per_gpu() -> int:
    """Return how many jobs may share a GPU.

    Raises
    ------
    UserError
        If the variable is no number above 0.
    """
    value = os.environ.get(SHARING, "1")
    if not value.isdecimal() or int(value) < 1:
        raise UserError(f"{SHARING}={value}: write how many jobs share a GPU, 1 or more")
    return int(value)


def visible_names(n_visible: int) -> list[str]:
    """Return unique names of the GPUs this process sees, whatever others see."""
    named = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")]
    return named[:n_visible] if all(named) else [str(i) for i in range(n_visible)]


def claim_gpu(names: list[str], n_jobs: int) -> int:
    """Wait for a GPU with fewer than `n_jobs` jobs, hold a place on it, return its position."""
    folder = Path(tempfile.gettempdir()) / f"seqbench-gpus-{os.getuid()}"
    while True:
        for place in range(n_jobs):  # a second job joins another only where no GPU is free
            for position, name in enumerate(names):
                with suppress(Timeout):
                    _held.append(acquired(folder / f"{name}.{place}.lock".replace("/", "_")))
                    return position
        time.sleep(POLL_S)
