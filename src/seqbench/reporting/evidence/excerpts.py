"""Which parts of a test recording are shown, and what was found there."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqbench.storage.detections import Detections
from seqbench.storage.windows import WindowSet
from seqbench.tasks.detection.comparison import Decoded, Events, decoded

Ints = NDArray[np.int64]

N_EVENTS = 10  # that a excerpt holds on average
LONGEST_S = 3.0
FEWEST_SAMPLES = 64
N_SPREAD = 2  # excerpts spread evenly over test, beside the one that shows an error


class Mark(NamedTuple):
    """A labelled event or a detection.

    Parameters
    ----------
    time_s
        From the start of the recording.
    type
        Index of the class.
    is_matched
        False: a miss, or a false alarm.
    """

    time_s: float
    type: int
    is_matched: bool


@dataclass(frozen=True, kw_only=True)
class Excerpt:
    """A part of a recording.

    Parameters
    ----------
    recording
        Its name.
    start_s
        From the start of the recording.
    rate_hz
        Samples per second.
    signal
        As models see it, (n_samples, C).
    labelled, found
        By time.
    """

    recording: str
    start_s: float
    rate_hz: float
    signal: NDArray[np.float32]
    labelled: list[Mark]
    found: list[Mark]

    @property
    def n_missed(self) -> int:
        """Labelled events that nothing matches."""
        return sum(not mark.is_matched for mark in self.labelled)

    @property
    def n_false(self) -> int:
        """Detections that match nothing."""
        return sum(not mark.is_matched for mark in self.found)


def excerpts_of(windows: WindowSet, detections: Detections) -> list[Excerpt]:
    """Cut test into equal excerpts and choose a few of them, the same ones every time.

    Two are spread evenly over those with at least a middling number of labelled
    events. One more holds a miss and a false alarm, or one of the two, or is
    like the others if there is no error at all: of those there are, the middle
    one, not the worst.

    Parameters
    ----------
    windows
        Of the split in which `detections` were found.
    """
    compared = decoded(detections)
    known, rate_hz = detections.known, detections.sampling_rate_hz
    is_matched = _matched(compared)
    n_known = int(np.diff(known, axis=1).sum())
    per_event = n_known / max(len(compared.reference), 1)
    longest = round(LONGEST_S * rate_hz)
    n_samples = int(np.clip(N_EVENTS * per_event, FEWEST_SAMPLES, max(longest, FEWEST_SAMPLES)))
    cuts = _cuts(known, n_samples)
    if not len(cuts):
        return []
    missed, false = compared.reference[~is_matched[0]], compared.found[~is_matched[1]]
    counts = [_count(events, cuts) for events in (compared.reference, missed, false)]
    starts = windows.events.start
    return [
        Excerpt(
            recording=detections.recording[place],
            start_s=start / rate_hz,
            rate_hz=rate_hz,
            signal=windows.signal[starts[place] + start : starts[place] + stop].copy(),
            labelled=_marks(compared.reference, is_matched[0], cut, rate_hz),
            found=_marks(compared.found, is_matched[1], cut, rate_hz),
        )
        for cut in cuts[_chosen(*counts)]
        for place, start, stop in [cut.tolist()]
    ]


def _matched(compared: Decoded) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which labelled events and which detections have a partner."""
    pairs = compared.pairs(compared.detections.tolerance_ms)
    matched = (np.zeros(len(compared.reference), bool), np.zeros(len(compared.found), bool))
    for flags, index in zip(matched, pairs, strict=True):
        flags[index] = True
    return matched


def _cuts(known: Ints, n_samples: int) -> Ints:
    """Return place, start and stop of the excerpts of what is known, (n, 3).

    A rest that is too short is left out, unless it is all there is.
    """
    rows = [
        (place, begin, min(begin + n_samples, stop))
        for place, (start, stop) in enumerate(known.tolist())
        for begin in range(start, max(stop - n_samples + 1, min(start + 1, stop)), n_samples)
    ]
    return np.array(rows, dtype=np.int64).reshape(-1, 3)


def _count(events: Events, cuts: Ints) -> Ints:
    """Count events in each of the cuts, which stand by place and time, (n,)."""
    width = int(max(cuts[:, 2].max(), events.sample.max(initial=0))) + 1
    cut_at, at = cuts[:, 0] * width + cuts[:, 1], events.place * width + events.sample
    index = np.searchsorted(cut_at, at, side="right") - 1
    inside = (index >= 0) & (events.place == cuts[index, 0]) & (events.sample < cuts[index, 2])
    return np.bincount(index[inside], minlength=len(cuts))


def _chosen(n_labelled: Ints, n_missed: Ints, n_false: Ints) -> Ints:
    """Return which cuts to show, by time."""
    with_events = n_labelled[n_labelled > 0]
    usual = np.flatnonzero(n_labelled >= (np.median(with_events) if len(with_events) else 0))
    spread = _evenly(usual, N_SPREAD)
    for wrong in ((n_missed > 0) & (n_false > 0), (n_missed > 0) | (n_false > 0)):
        left = np.setdiff1d(np.flatnonzero(wrong), spread)
        if len(left):
            return np.append(spread, _evenly(left, 1))
    return _evenly(usual, N_SPREAD + 1)


def _evenly(index: Ints, n: int) -> Ints:
    """Return at most n of several indices, from the middle of as many equal parts."""
    n = min(n, len(index))
    return index[((np.arange(n) + 0.5) * len(index) / max(n, 1)).astype(np.int64)]


def _marks(events: Events, is_matched: NDArray[np.bool_], cut: Ints, rate_hz: float) -> list[Mark]:
    place, start, stop = cut
    inside = (events.place == place) & (events.sample >= start) & (events.sample < stop)
    own, matched = events[inside], is_matched[inside]
    order = np.argsort(own.time, kind="stable")
    return [Mark(float(own.time[i]) / rate_hz, int(own.type[i]), bool(matched[i])) for i in order]
