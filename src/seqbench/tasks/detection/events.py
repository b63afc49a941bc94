"""Events of windows, in numpy."""

import numpy as np
from numpy.typing import NDArray

from seqbench.storage.timeline import Timeline
from seqbench.storage.windows import WindowSet


def timeline_of(windows: WindowSet) -> Timeline:
    """Return the recordings and events of a split.

    Raises
    ------
    ValueError
        If the windows are of a dataset without events.
    """
    if windows.timeline is None:
        raise ValueError(f"windows of {windows.task} have no events")
    return windows.timeline


def event_ranges(windows: WindowSet) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return which events of the timeline, [first, last), begin in each window, (N,) each."""
    onset = timeline_of(windows).onset
    first, last = (
        np.searchsorted(onset, at) for at in (windows.start, windows.start + windows.length)
    )
    return first, last
