"""Recordings along a signal and the events in them, as `windows.h5` keeps them for detection.

Layout of the group: ``recording``, ``start``, ``stop``, ``known_start`` and
``known_stop`` (S,) int64; ``onset``, ``offset`` and ``type`` (E,) int64; where
known ``amplitude`` (E,) float64; the attributes ``refractory_s`` (NaN
where unknown) and ``tolerance_ms``; where some rank ``ranked_types``, text.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import h5py

from seqbench.storage.mapping import read_record


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """The recordings of one split and their events, in rows of the split's signal.

    Parameters
    ----------
    recording
        Index of each recording into the names of the dataset, (S,), in the
        order of the signal.
    start, stop
        Rows [start, stop) of each recording, (S,).
    known_start, known_stop
        Rows [start, stop) in which every event is labelled, (S,); equal where
        nothing is.
    onset, offset
        First row of each event and the row behind its last, (E,), by onset.
    type
        Index of the class of each event, (E,).
    amplitude
        Factor of the template of each event, (E,); None: not known.
    ranked_types
        Types whose mean F1 is the headline; None: F1 over all events is.
    refractory_s
        Shortest time between two events of one type; None: none known.
    tolerance_ms
        Tolerance of the headline and of the choice of thresholds.
    """

    recording: NDArray[np.int64]
    start: NDArray[np.int64]
    stop: NDArray[np.int64]
    known_start: NDArray[np.int64]
    known_stop: NDArray[np.int64]
    onset: NDArray[np.int64]
    offset: NDArray[np.int64]
    type: NDArray[np.int64]
    refractory_s: float | None
    tolerance_ms: float
    amplitude: NDArray[np.float64] | None = None
    ranked_types: list[str] | None = None

    def __len__(self) -> int:
        return len(self.recording)

    @property
    def place(self) -> NDArray[np.int64]:
        """Position among the split's recordings of each event, (E,)."""
        return np.searchsorted(self.start, self.onset, side="right") - 1

    @property
    def duration(self) -> NDArray[np.float64]:
        """Samples from the onset to the end of each event, (E,); NaN where the end is not known.

        A label without an end covers one sample. One that reaches the end of its recording may
        go on behind it.
        """
        duration = self.offset - self.onset
        is_known = (duration > 1) & (self.offset < self.stop[self.place])
        return np.where(is_known, duration, np.nan)

    def median_durations(self, n_types: int) -> tuple[float | None, ...]:
        """Return the median duration of each type in samples, (K,); None: no end is known."""
        duration = self.duration
        of_type = [duration[(self.type == kind) & np.isfinite(duration)] for kind in range(n_types)]
        return tuple(float(np.median(own)) if len(own) else None for own in of_type)

    def only(self, start: NDArray[np.int64], stop: NDArray[np.int64]) -> Timeline:
        """Return labelled spans [start, stop) of rows as recordings of their own.

        Parameters
        ----------
        start, stop
            (n,) each, each span within one recording, by start; those that touch become one.
        """
        place = np.searchsorted(self.start, start, side="right") - 1
        start = np.maximum(start, self.known_start[place])
        stop = np.minimum(stop, self.known_stop[place])
        place, start, stop = (one[start < stop] for one in (place, start, stop))
        furthest = np.maximum.accumulate(stop)
        begins = np.ones(len(start), dtype=bool)
        begins[1:] = (start[1:] > furthest[:-1]) | (place[1:] != place[:-1])
        first = np.flatnonzero(begins)
        stop = furthest[np.append(first[1:], len(start)) - 1] if len(start) else stop
        start = start[first]
        inside = np.searchsorted(start, self.onset, side="right") - 1
        kept = (inside >= 0) & (self.onset < stop[inside]) if len(start) else inside >= 0
        return replace(
            self,
            recording=self.recording[place[first]],
            start=start,
            stop=stop,
            known_start=start,
            known_stop=stop,
            onset=self.onset[kept],
            offset=self.offset[kept],
            type=self.type[kept],
            amplitude=None if self.amplitude is None else self.amplitude[kept],
        )

    def without_events(self) -> Timeline:
        """Return the recordings alone: nothing is known of their events."""
        none = np.zeros(0, dtype=np.int64)
        return replace(
            self,
            known_start=self.start,
            known_stop=self.start,
            onset=none,
            offset=none,
            type=none,
            amplitude=None,
        )


def read_timeline(group: h5py.Group, *, events: bool = True) -> Timeline:
    """Read a timeline, with its events or as if nothing were known of them."""
    timeline = read_record(group, Timeline)
    return timeline if events else timeline.without_events()
