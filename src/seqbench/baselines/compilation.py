"""Compilation by numba of what baselines of aeon run: once a machine, and no cost of theirs."""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from seqbench.storage.lock import locked

PATIENCE_S = 600.0  # for another process that compiles


def compiled(name: str, run: Callable[[], object]) -> float:
    """Run what makes numba compile and store it on disk, one process at a time.

    The first use on a machine compiles for about a minute. Without the lock,
    jobs that start side by side would all do so.

    Parameters
    ----------
    name
        Of what is compiled.
    run
        Called once.

    Returns
    -------
    float
        Seconds it took in this process.
    """
    began = time.perf_counter()
    lock = Path(tempfile.gettempdir()) / f"seqbench-{name}-{os.getuid()}" / "lock"
    with locked(lock, PATIENCE_S, required=False):
        run()
    return time.perf_counter() - began


def keep_numba_threads() -> None:
    """Set the environment to the number of threads that numba was imported with.

    Numba reads its environment again at every compilation and refuses another
    number; a fork has the environment of its client, not that of the fork server.
    """
    import numba

    os.environ["NUMBA_NUM_THREADS"] = str(numba.config.NUMBA_NUM_THREADS)
