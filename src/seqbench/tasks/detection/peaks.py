"""From frames to candidates: one for each peak of presence."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.storage.detections import Candidates, Pace
from seqbench.tasks.detection.stitching import Frames

LEAST_SCORE = 0.02  # what is less likely never becomes an event, whatever its threshold
REACH = 2  # frames on either side that a peak must exceed
BESIDE = 1  # frames on either side that give the time together
LIMIT = 1.4  # frames that a time may lie from its peak: less than half of what separates two peaks


@dataclass(frozen=True)
class Peaks:
    """Peaks in order of their time in samples, their type, score and frame, (M,) each.

    With frames that have one also the duration in samples, NaN where there is none.
    """

    time: NDArray[np.float64]
    type: NDArray[np.int64]
    score: NDArray[np.float64]
    frame: NDArray[np.int64]
    duration: NDArray[np.float64] | None = None

    def candidates(self, pace: Pace, *, place: int, n_samples: int) -> Candidates:
        """Return the peaks of a recording of so many samples as candidates."""
        found_at = pace.n_samples(self.frame + REACH + 1)
        return Candidates(
            place=np.full(len(self.time), place),
            time=np.clip(self.time, 0, n_samples - 1),
            type=self.type,
            score=self.score,
            found_at=np.minimum(found_at, n_samples),
            duration=self.duration,
            pace=pace,
        )


class PeakPicker:
    """Finds peaks in frames that come piece by piece.

    The time of a peak is the mean of those of its frame and the two beside it,
    weighted by their presence, and so is its duration.

    Parameters
    ----------
    pace
        When frames are.
    n_types
        Event types K.
    """

    def __init__(self, pace: Pace, n_types: int) -> None:
        self.pace = pace
        # Frames before the recording hold nothing, so that its first frame can be a peak.
        self._held = np.zeros((REACH, 2, n_types), dtype=np.float32)
        self._first = -REACH  # number of the first frame held

    def push(self, frames: Frames) -> Peaks:
        """Take frames (F, 2 or 3, K), see `FrameStream`; give the peaks that are now certain."""
        if frames.shape[1] > self._held.shape[1]:  # the first ones show that there are durations
            self._held = np.pad(self._held, ((0, 0), (0, 1), (0, 0)))
        held = np.concatenate([self._held, frames])
        n = max(len(held) - 2 * REACH, 0)  # frames with neighbours on both sides
        peaks = self._among(held, n)
        self._held = held[n:]
        self._first += n
        return peaks

    def finish(self) -> Peaks:
        """Give the peaks among the last frames."""
        return self.push(np.zeros((REACH, *self._held.shape[1:]), dtype=np.float32))

    @property
    def certain_before(self) -> float:
        """Time in samples before which no further peak will be found."""
        return certain_before(self.pace, self._first + 2 * REACH)

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
        times = self.pace.hop_samples * (self._first + at) + held[at, 1, kind]
        middle = (self._first + REACH + frame) * self.pace.hop_samples
        reach = LIMIT * self.pace.hop_samples
        mean = (weights * times).sum(axis=0) / weights.sum(axis=0)
        time = self.pace.first_centre + np.clip(mean, middle - reach, middle + reach)
        score = centre[frame, kind].astype(np.float64)
        order = np.argsort(time, kind="stable")
        number = self._first + REACH + frame
        duration = None
        if held.shape[1] > 2:
            lasting = (weights * held[at, 2, kind]).sum(axis=0) / weights.sum(axis=0)
            duration = np.where(lasting > 0, lasting, np.nan)[order]
        return Peaks(
            time[order], kind[order].astype(np.int64), score[order], number[order], duration
        )


def certain_before(pace: Pace, n_frames: int) -> float:
    """Return the time in samples before which no peak will be found beyond so many final frames."""
    return float(_certain_before(pace, n_frames))


def samples_until(pace: Pace, time: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how many samples must have come until no peak can be found before times (M,)."""
    n_frames = np.ceil((time - pace.first_centre) / pace.hop_samples + LIMIT).astype(np.int64)
    n_frames += REACH - 1
    for _ in range(2):  # rounding may have cost the last one
        n_frames += _certain_before(pace, n_frames) < time
    return pace.n_samples(np.maximum(n_frames, 1))


def _certain_before(pace: Pace, n_frames: Any) -> Any:
    """Return a time for one number of frames or for each of an array."""
    middle = (n_frames - REACH) * pace.hop_samples  # of the earliest possible peak
    # Term by term as the times themselves, so that rounding cannot separate the two.
    return pace.first_centre + (middle - LIMIT * pace.hop_samples)
