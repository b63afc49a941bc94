"""How much memory a step needed beyond what its process held before."""

import resource
import sys
from pathlib import Path

STATUS = Path("/proc/self/status")


class PeakMemory:
    """The growth of this process since the object was made.

    A step forked from a warm process begins with the libraries in its memory,
    shared with all others; only what it takes in addition is its own.
    """

    def __init__(self) -> None:
        self._held = 0
        if STATUS.exists():
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forgets the peak
            self._held = _status_bytes("VmRSS")

    def peak_bytes(self) -> int:
        """Return the largest growth so far, in bytes; where Linux is absent, the whole peak."""
        if STATUS.exists():
            return max(0, _status_bytes("VmHWM") - self._held)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return int(peak) * (1 if sys.platform == "darwin" else 1024)


def _status_bytes(key: str) -> int:
    for line in STATUS.read_text(encoding="ascii").splitlines():
        name, _, rest = line.partition(":")
        if name == key:
            return int(rest.split()[0]) * 1024
    raise KeyError(key)
