"""One process at a time in a folder, here and on every machine that shares it."""

import errno
import logging
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from seqbench.errors import UserError
from seqbench.storage.atomic import unwritable

POLL_S = 0.2
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
logger = logging.getLogger("seqbench")


@contextmanager
def locked(path: Path, patience_s: float, *, required: bool = True) -> Iterator[None]:
    """Hold a lock file, which is gone afterwards.

    The kernel frees the lock when its process ends, however that happens, so
    a lock is never stale; on NFS the server does so once the machine is back
    or its lease has run out. The file names its holder.

    Parameters
    ----------
    path
        The file; missing folders are made.
    patience_s
        How long to wait for another process.
    required
        Whether to refuse to go on without the lock; if not, a warning is logged.

    Raises
    ------
    UserError
        If another process still holds it then.
    WriteError
        If the file cannot be made.
    """
    try:
        lock = _awaited(path, patience_s)
    except UserError as error:
        if required:
            raise
        logger.warning("%s; going on without this lock", error)
        yield
        return
    try:
        with suppress(OSError):  # a full disk has no room for the name, but the lock holds
            path.write_text(f"{os.getpid()} {platform.node()}", encoding="utf-8")
        yield
    finally:
        with suppress(OSError):
            path.unlink()  # while it is held: who opened it before finds it is no longer the one
        lock.release()


def _awaited(path: Path, patience_s: float) -> FileLock:
    with suppress(Timeout):
        return acquired(path)
    logger.info("waiting up to %.0f s for %s", patience_s, _holder(path))
    try:
        return acquired(path, patience_s)
    except Timeout:
        hint = "wait until that is done or end it, then run this again"
        raise UserError(f"{path}: held by {_holder(path)}; {hint}") from None


def acquired(path: Path, patience_s: float = 0.0) -> FileLock:
    """Return a lock that is held until it is released or this process ends.

    A file system without locks is a warning in the log, and nothing is held.

    Parameters
    ----------
    path
        The file; missing folders are made.
    patience_s
        How long to wait for another process.

    Raises
    ------
    filelock.Timeout
        If another process still holds it then.
    WriteError
        If the file cannot be made, or belongs to another user.
    """
    lock = FileLock(path)
    deadline = time.monotonic() + patience_s
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=max(0.0, deadline - time.monotonic()), poll_interval=POLL_S)
            return lock
        except Timeout:  # an OSError, too
            raise
        except FileNotFoundError:  # the folder went away with the lock of another process
            if time.monotonic() > deadline:
                raise Timeout(str(path)) from None
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise unwritable(path, error) from error
            logger.warning(
                "%s: this file system has no locks (%s); see to it that no other process does the"
                " same, or both take their time for one result",
                path,
                error.strerror,
            )
            return lock


def _holder(path: Path) -> str:
    """Return who holds a lock, in words."""
    with suppress(OSError, ValueError):
        process, machine = path.read_text(encoding="utf-8").split()
        return f"process {process} on {machine}"
    return "another process"
