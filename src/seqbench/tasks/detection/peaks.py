"""From frames to candidates: one for each peak of presence."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from seqbench.storage.detections import Candidates
from seqbench.storage.windows import WindowSet
from seqbench.tasks.detection.stitching import Blend, Frames, Layout
from seqbench.windowing.normalize import standardize

Score = Callable[[NDArray[np.float32]], Frames]
BATCH = 32  # windows scored at a time
LEAST_SCORE = 0.02  # what is less likely never becomes an event, whatever its threshold
REACH = 2  # frames on either side that a peak must exceed
BESIDE = 1  # frames on either side that give the time together
LIMIT = 1.4  # frames that a time may lie from its peak: less than half of what separates two peaks


@dataclass(frozen=True)
class Peaks:
    """Peaks in order of their frames: time in samples, type, score, (M,) each."""

    time: NDArray[np.float64]
    type: NDArray[np.int64]
    score: NDArray[np.float64]


class PeakPicker:
    """Finds peaks in frames that come piece by piece.

    The time of a peak is the mean of those of its frame and the two beside it,
    weighted by their presence.

    Parameters
    ----------
    layout
        When frames are.
    n_types
        Event types K.
    """

    def __init__(self, layout: Layout, n_types: int) -> None:
        self.layout = layout
        # Frames before the recording hold nothing, so that its first frame can be a peak.
        self._held = np.zeros((REACH, 2, n_types), dtype=np.float32)
        self._first = -REACH  # number of the first frame held
        self._n_types = n_types

    def push(self, frames: Frames) -> Peaks:
        """Take frames (F, 2, K), presence before offset in samples; give the peaks now certain."""
        held = np.concatenate([self._held, frames])
        n = max(len(held) - 2 * REACH, 0)  # frames with neighbours on both sides
        peaks = self._among(held, n)
        self._held = held[n:]
        self._first += n
        return peaks

    def finish(self) -> Peaks:
        """Give the peaks among the last frames."""
        return self.push(np.zeros((REACH, 2, self._n_types), dtype=np.float32))

    @property
    def certain_before(self) -> float:
        """Time in samples before which no further peak will be found."""
        middle = (self._first + REACH) * self.layout.hop_samples  # of the earliest possible peak
        # Term by term as the times themselves, so that rounding cannot separate the two.
        return self.layout.first_centre + (middle - LIMIT * self.layout.hop_samples)

    def _among(self, held: Frames, n: int) -> Peaks:
        presence = held[:, 0]
        centre = presence[REACH : REACH + n]
        is_peak = centre >= LEAST_SCORE
        for step in range(1, REACH + 1):  # of equals the first is the peak
            is_peak &= centre > presence[REACH - step : REACH - step + n]
            is_peak &= centre >= presence[REACH + step : REACH + step + n]
        frame, kind = np.nonzero(is_peak)
        at = frame + REACH + np.arange(-BESIDE, BESIDE + 1)[:, None]  # (3, peaks)
        weights = held[at, 0, kind].astype(np.float64)
        times = self.layout.hop_samples * (self._first + at) + held[at, 1, kind]
        middle = (self._first + REACH + frame) * self.layout.hop_samples
        reach = LIMIT * self.layout.hop_samples
        mean = (weights * times).sum(axis=0) / weights.sum(axis=0)
        time = self.layout.first_centre + np.clip(mean, middle - reach, middle + reach)
        score = centre[frame, kind].astype(np.float64)
        order = np.argsort(time, kind="stable")
        return Peaks(time[order], kind[order].astype(np.int64), score[order])


def find_candidates(score: Score, windows: WindowSet, layout: Layout) -> Candidates:
    """Stitch and search every recording of a split.

    Parameters
    ----------
    score
        From normalised windows (B, T, C) to presence and offset, (B, F, 2, K).
    windows
        Of a dataset with a timeline.
    layout
        How windows and frames lie in a recording.
    """
    timeline = windows.events
    bounds = list(zip(timeline.start.tolist(), timeline.stop.tolist(), strict=True))
    spans = [
        (start + first, start + last)
        for start, stop in bounds
        for first, last in layout.spans(stop - start)
    ]
    scored = _scored(score, windows, spans)
    parts = []
    for place, (start, stop) in enumerate(bounds):
        blend, picker = Blend(layout), PeakPicker(layout, len(windows.classes))
        found = [picker.push(blend.add(next(scored))) for _ in layout.spans(stop - start)]
        found += [picker.push(blend.finish()), picker.finish()]
        parts += [
            Candidates(
                place=np.full(len(peaks.time), place),
                time=np.clip(peaks.time, 0, stop - start - 1),
                type=peaks.type,
                score=peaks.score,
            )
            for peaks in found
        ]
    return Candidates.joined(parts)


def _scored(score: Score, windows: WindowSet, spans: list[tuple[int, int]]) -> Iterator[Frames]:
    """Yield the frames of each span in turn; neighbours of one length share a batch."""
    per_window = windows.normalization.mode == "per_window"
    for _, of_one_length in groupby(spans, key=lambda span: span[1] - span[0]):
        alike = list(of_one_length)
        for first in range(0, len(alike), BATCH):
            cut = [windows.signal[start:stop] for start, stop in alike[first : first + BATCH]]
            yield from score(np.stack([standardize(x) for x in cut] if per_window else cut))
