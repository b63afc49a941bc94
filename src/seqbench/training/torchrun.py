"""Starts the processes of one training, by `torchrun`, and ends with the first that fails."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from seqbench.errors import UserError
from seqbench.plan.gpus import nodes_from_here
from seqbench.process.client import ADDRESS, LESS, TO_END, allocation
from seqbench.process.execute import RANK_ERRORS
from seqbench.training.devices import claim_several
from seqbench.training.job import Job
from seqbench.training.state import INTERRUPTED

if TYPE_CHECKING:
    from torch.distributed.elastic.multiprocessing.errors import ProcessFailure

LOOPBACK = "127.0.0.1"
RENDEZVOUS = "SEQBENCH_RENDEZVOUS"  # in the environment of a node: where all of a training meet
logger = logging.getLogger("seqbench")


def train_in_processes(train: Callable[[Job], None], job: Job, command: Sequence[str]) -> None:
    """Train in this process, or in as many as the settings of the job request.

    Parameters
    ----------
    train
        Trains the job, as the whole training or as one of its processes.
    job
        Its `gpus` are the processes.
    command
        Step and arguments that made the job; the processes run them again.

    Raises
    ------
    UserError
        If this machine has not so many GPUs, or a process failed with a sentence.
    SystemExit
        With the code of a process that failed otherwise, or `INTERRUPTED` after a signal.
    """
    n = job.settings.optimizer.gpus
    if n == 1 or RANK_ERRORS in os.environ:
        train(job)
        return
    if ":" in job.device:
        raise UserError(f"`device: {job.device}` is one GPU, and `gpus: {n}`; write `device: cuda`")
    n_nodes = nodes_from_here(n)
    n_here = n // n_nodes
    os.environ.pop(ADDRESS, None)  # forks of the fork server would not be children of torchrun
    # Else DistributedDataParallel warns that all weights were used, and a node that another left.
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    if n_nodes > 1 and RENDEZVOUS not in os.environ:
        _run_on_nodes(n_nodes, n_here, job.device, command)
        return
    if job.device != "cpu":
        claim_several(n_here)
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, job.threads // n)))
    place = ["--standalone", f"--local-addr={LOOPBACK}"]
    if n_nodes > 1:
        endpoint = f"--rdzv-endpoint={os.environ[RENDEZVOUS]}"
        place = [
            f"--nnodes={n_nodes}",
            "--rdzv-backend=c10d",
            endpoint,
            f"--rdzv-id={allocation()}",
        ]
    _run([*place, f"--nproc-per-node={n_here}", "-m", "seqbench.steps", *command], n)


def _run_on_nodes(n_nodes: int, n_here: int, device: str, command: Sequence[str]) -> None:
    """Run the step again on each node of the allocation, where it starts the processes.

    Raises
    ------
    SystemExit
        With the code of a node that failed.
    """
    with socket.socket() as free:
        free.bind(("", 0))
        os.environ[RENDEZVOUS] = f"{socket.gethostname()}:{free.getsockname()[1]}"
    of_each = ["--ntasks-per-node=1", f"--cpus-per-task={n_here}"]
    if device != "cpu":
        of_each.append(f"--gpus-per-node={n_here}")
    step = [sys.executable, "-m", "seqbench.steps", *command]
    with subprocess.Popen(
        ["srun", "--overlap", f"--nodes={n_nodes}", f"--ntasks={n_nodes}", *of_each, *step]
    ) as running:
        for number in TO_END:
            signal.signal(number, lambda *_: running.send_signal(signal.SIGTERM))
    if running.returncode:
        raise SystemExit(running.returncode)


def _run(arguments: list[str], n: int) -> None:
    """Run `torchrun` in this process, and end as the processes that it starts do."""
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import parse_args, run

    # It passes this signal on, the other one not.
    signal.signal(signal.SIGUSR1, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    with tempfile.TemporaryDirectory(prefix="seqbench-torchrun-") as logs:  # its own ones stay
        try:
            with _silent():
                run(parse_args([f"--log-dir={logs}", *arguments]))
        except SignalException as stopped:
            logger.warning("stopped by %s; run this again", signal.Signals(stopped.sigval).name)
            raise SystemExit(INTERRUPTED) from None
        except ChildFailedError as error:
            _fail(error.failures.values(), n)


@contextmanager
def _silent() -> Iterator[None]:
    """Log nothing: what goes wrong is said once, at the end."""
    logging.disable()
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def _fail(failures: Iterable[ProcessFailure], n: int) -> NoReturn:
    """End as the process that failed first, and not as those that failed with it."""
    failed = sorted(failures, key=lambda one: one.timestamp)
    for one in failed:
        if Path(one.error_file).is_file():
            raise UserError(one.message) from None
    for one in failed:
        if one.exitcode < 0:
            raise UserError(
                f"process {one.local_rank + 1} of {n} was ended by {one.signal_name()}, as the"
                f" system does where memory is used up; if so, {LESS}"
            ) from None
    raise SystemExit(max(one.exitcode for one in failed)) from None
