"""Events of windows, in numpy."""

import numpy as np
from numpy.typing import NDArray

from seqbench.storage.windows import WindowSet


def event_ranges(windows: WindowSet) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return which events of the timeline, [first, last), begin in each window, (N,) each."""
    onset = windows.events.onset
    first, last = (
        np.searchsorted(onset, at) for at in (windows.start, windows.start + windows.length)
    )
    return first, last
