"""How much memory a step needed beyond what its process held before, and how much it may need."""

import contextlib
import ctypes
import os
import re
import resource
import sys
from pathlib import Path

AUTO = "auto"  # half of the memory that is available
SHARED = re.compile(rf"{AUTO}(?:/([1-9]\d*))?")
LIMIT = re.compile(r"(\d+(?:\.\d+)?) ?([KMGT]?)B")
UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
AVAILABLE = Path("/proc/meminfo")
GROUPS = Path("/proc/self/cgroup")
GROUP_FOLDER = Path("/sys/fs/cgroup")
STATUS = Path("/proc/self/status")
CLEAR_REFS = Path("/proc/self/clear_refs")
# Of glibc: parameters of mallopt, and the largest threshold it takes.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LARGEST_KEPT_BYTES, MOST_FREE_BYTES = 32 << 20, 1 << 30


class PeakMemory:
    """The growth of this process since the object was made.

    A step forked from the fork server begins with the libraries in its memory,
    shared with all others; only what it takes in addition is its own.
    """

    def __init__(self) -> None:
        self._held: int | None = None
        try:
            CLEAR_REFS.write_text("5", encoding="ascii")  # resets the peak
            self._held = _status_bytes("VmRSS")
        except (OSError, KeyError):  # no Linux, or a kernel or container without it
            return

    def peak_bytes(self) -> int:
        """Return the largest growth so far in bytes; the whole peak where none can be reset."""
        if self._held is not None:
            return max(0, _status_bytes("VmHWM") - self._held)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return int(peak) * (1 if sys.platform == "darwin" else 1024)


def keep_freed_memory() -> None:
    """Let this process reuse the memory that it frees, up to a limit, until it ends.

    A training step takes and frees the same tensors again and again. By default, the C library
    of Linux gives them back to the system, which clears every page that is taken anew. Arrays
    above 32 MB are still given back; without glibc nothing changes.
    """
    with contextlib.suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT_BYTES)
        mallopt(M_TRIM_THRESHOLD, MOST_FREE_BYTES)


def limit_bytes(limit: str) -> int:
    """Return how large data may be to be held in memory.

    Parameters
    ----------
    limit
        A size such as "4GB" or "500MB"; "auto", half of what is available now; or "auto/4",
        the share of that of each of four jobs that run at once.

    Raises
    ------
    ValueError
        If it is neither.
    """
    if shared := SHARED.fullmatch(limit):
        return available_bytes() // (2 * int(shared[1] or 1))
    found = LIMIT.fullmatch(limit)
    if found is None:
        raise ValueError(f"'{limit}' is no size in memory; write one such as 4GB, or {AUTO}")
    return int(float(found[1]) * UNITS[found[2]])


def available_bytes() -> int:
    """Return the memory that this process can still take: of the machine, and of its group."""
    found = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    with contextlib.suppress(OSError, KeyError):  # no Linux
        found.append(_status_bytes("MemAvailable", AVAILABLE))
    with contextlib.suppress(OSError):
        for line in GROUPS.read_text(encoding="ascii").splitlines():
            folder = GROUP_FOLDER / line.split("::")[-1].lstrip("/")
            for group in (folder, *folder.parents):  # the limit of any group above holds as well
                with contextlib.suppress(OSError, ValueError):  # "max": no limit
                    limit = int((group / "memory.max").read_text(encoding="ascii"))
                    used = int((group / "memory.current").read_text(encoding="ascii"))
                    found.append(max(0, limit - used))
    return min(found)


def _status_bytes(key: str, path: Path = STATUS) -> int:
    for line in path.read_text(encoding="ascii").splitlines():
        name, _, rest = line.partition(":")
        if name == key:
            return int(rest.split()[0]) * 1024
    raise KeyError(key)
