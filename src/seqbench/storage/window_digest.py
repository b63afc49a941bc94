"""Digests of windows: equal ones mean the same windows of the same recordings, labelled alike.

Numbers of the signal are left out. They are normalised by train, and the last digit of a mean
differs from machine to machine; the checksums of source files stand for them.
"""

from pathlib import Path

import numpy as np

from seqbench.storage.timeline import Timeline
from seqbench.storage.value_digest import ValueDigest
from seqbench.storage.windows import Split, WindowSet, read_windows


def window_digest(path: Path, split: Split) -> str:
    """Return the digest of the windows of one split, 64 hexadecimal digits.

    Parameters
    ----------
    path
        A `windows.h5`.
    split
        The only split that is read, and of it no signal.

    Raises
    ------
    FormatError
        If the file is missing, damaged or no `windows.h5`.
    """
    windows = read_windows(path, split, signal=False)
    events, targets = windows.timeline, windows.targets
    used, place = np.unique(windows.recording, return_inverse=True)
    described = [
        (windows.task, windows.sample, windows.sampling_rate_hz),
        (windows.channels, windows.units, windows.classes),
        (windows.start, windows.length, windows.label, place),
        [(windows.names[i], windows.groups[i]) for i in used],
        windows.cutting.model_dump(mode="json"),
        sorted(dict(windows.source.get("files") or {}).items()),
        targets and (targets.names, targets.units, targets.horizon_samples),
        events and _events(events, windows),
    ]
    return ValueDigest()(described)


def _events(events: Timeline, windows: WindowSet) -> list[object]:
    return [
        [windows.names[i] for i in events.recording],
        (events.start, events.stop, events.known_start, events.known_stop),
        (events.onset, events.offset, events.type),
        (events.refractory_s, events.tolerance_ms, events.ranked_types),
    ]
