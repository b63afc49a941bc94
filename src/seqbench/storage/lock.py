"""One process at a time in a folder, here and on every machine that shares it."""

import fcntl
import logging
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from seqbench.errors import UserError
from seqbench.storage.atomic import unwritable

POLL_S = 0.2
logger = logging.getLogger("seqbench")


@contextmanager
def locked(path: Path, patience_s: float) -> Iterator[None]:
    """Hold a lock file, which is gone afterwards.

    The kernel frees the lock when its process ends, however that happens, so
    a lock is never stale; on NFS the server does so once the machine is back
    or its lease has run out. The file says who holds it. A file system without
    locks is told in the log, and nothing is held.

    Parameters
    ----------
    path
        The file; missing folders are made.
    patience_s
        How long to wait for another process.

    Raises
    ------
    UserError
        If another process still holds it then.
    WriteError
        If the file cannot be made.
    """
    descriptor = _try(path)
    if descriptor is None:
        logger.info("waiting up to %.0f s for %s", patience_s, _holder(path))
    deadline = time.monotonic() + patience_s
    while descriptor is None:
        if time.monotonic() > deadline:
            raise UserError(
                f"{path}: held by {_holder(path)}; wait until that is done or end it, then run"
                " this again"
            )
        time.sleep(POLL_S)
        descriptor = _try(path)
    try:
        with suppress(OSError):  # a full disk has no room for the name, but the lock holds
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()} {platform.node()}".encode())
        yield
    finally:
        with suppress(OSError):
            path.unlink()  # while it is held: who opened it before finds it is no longer the one
        os.close(descriptor)


def _try(path: Path) -> int | None:
    """Return a descriptor that holds the lock, or None if another process has it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except FileNotFoundError:  # the folder went away with the lock of another process
        return None
    except OSError as error:
        raise unwritable(path, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), path.stat()):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    except OSError as error:
        logger.warning(
            "%s: this file system has no locks (%s); see to it that no other process does the"
            " same, or both take their time for one result",
            path,
            error.strerror,
        )
        return descriptor
    os.close(descriptor)
    return None


def _holder(path: Path) -> str:
    """Return who holds a lock, in words."""
    with suppress(OSError, ValueError):
        process, machine = path.read_text(encoding="utf-8").split()
        return f"process {process} on {machine}"
    return "another process"
