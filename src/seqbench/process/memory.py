"""How much memory a step needed beyond what its process held before."""

import resource
import sys
from pathlib import Path

STATUS = Path("/proc/self/status")
CLEAR_REFS = Path("/proc/self/clear_refs")


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


def _status_bytes(key: str) -> int:
    for line in STATUS.read_text(encoding="ascii").splitlines():
        name, _, rest = line.partition(":")
        if name == key:
            return int(rest.split()[0]) * 1024
    raise KeyError(key)
