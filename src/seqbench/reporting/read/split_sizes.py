"""How much there is in train, val and test: counted from tables, no signal is read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqbench.config.registry import TASKS
from seqbench.storage.windows import Split, WindowSet


@dataclass(frozen=True, kw_only=True)
class SplitSize:
    """One split of a dataset.

    Parameters
    ----------
    n_groups
        Recordings that belong together count once.
    n_samples
        Of all that stands in the signal: padding, and what windows look back
        at before a cut in time, included.
    seconds
        Duration of these samples; None without a sampling rate.
    known_s
        Detection: duration of what is labelled of them.
    counts
        Labelled things of each class, (K,): windows in classification, samples
        in labelling, events in detection.
    """

    split: Split
    n_recordings: int
    n_groups: int
    n_windows: int
    n_samples: int
    seconds: float | None
    known_s: float | None
    counts: NDArray[np.int64]

    @property
    def n_labelled(self) -> int:
        """Labelled things of all classes."""
        return int(self.counts.sum())


def split_size(windows: WindowSet) -> SplitSize:
    """Count what stands in a split; its signal is not looked at."""
    recordings = np.unique(windows.recording)
    rate_hz, timeline = windows.sampling_rate_hz, windows.timeline
    n_samples = len(windows.signal)
    known_s = None
    if timeline is not None and rate_hz:
        known_s = float((timeline.known_stop - timeline.known_start).sum() / rate_hz)
    inside = TASKS[windows.task]().labels_inside(windows)
    labels = windows.label if inside is None else inside[0][np.isfinite(inside[0])]
    counts = np.bincount(labels[labels >= 0].astype(np.int64), minlength=len(windows.classes))
    return SplitSize(
        split=windows.split,
        n_recordings=len(recordings),
        n_groups=len({windows.groups[i] for i in recordings}),
        n_windows=len(windows),
        n_samples=n_samples,
        seconds=n_samples / rate_hz if rate_hz else None,
        known_s=known_s,
        counts=counts,
    )
