"""From frames to candidates: one for each peak of presence."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqbench.tasks.detection.stitching import Frames

LEAST_SCORE = 0.02  # what is less likely never becomes an event, whatever its threshold
REACH = 2  # frames on either side that a peak must exceed
BESIDE = 1  # frames on either side that give the time together
LIMIT = 1.4  # frames that a time may lie from its peak: less than half of what separates two peaks


@dataclass(frozen=True)
class Grid:
    """When frames are: frame f stands for the samples around ``first_centre + f * hop_samples``."""

    hop_samples: int
    first_centre: float


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
    grid
        When frames are.
    n_types
        Event types K.
    """

    def __init__(self, grid: Grid, n_types: int) -> None:
        self.grid = grid
        # Frames before the recording hold nothing, so that its first frame can be a peak.
        self._held = np.zeros((REACH, 2, n_types), dtype=np.float32)
        self._first = -REACH  # number of the first frame held
        self._n_types = n_types

    def push(self, frames: Frames) -> Peaks:
        """Take frames (F, 2, K), presence before offset in samples; give the peaks now certain."""
        held = np.concatenate([self._held, frames])
        n = len(held) - 2 * REACH  # frames with neighbours on both sides
        if n <= 0:
            self._held = held
            return _none()
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
        middle = (self._first + REACH) * self.grid.hop_samples  # of the earliest possible peak
        # Term by term as the times themselves, so that rounding cannot separate the two.
        return self.grid.first_centre + (middle - LIMIT * self.grid.hop_samples)

    def _among(self, held: Frames, n: int) -> Peaks:
        presence = held[:, 0]
        centre = presence[REACH : REACH + n]
        is_peak = centre >= LEAST_SCORE
        for step in range(1, REACH + 1):  # of equals the first is the peak
            is_peak &= centre > presence[REACH - step : REACH - step + n]
            is_peak &= centre >= presence[REACH + step : REACH + step + n]
        frame, kind = np.nonzero(is_peak)
        weights = np.zeros((2 * BESIDE + 1, len(frame)))
        times = np.zeros_like(weights)
        for row, step in enumerate(range(-BESIDE, BESIDE + 1)):
            at = frame + REACH + step
            number = self._first + at
            weights[row] = held[at, 0, kind]
            times[row] = self.grid.hop_samples * number + held[at, 1, kind]
        middle = (self._first + REACH + frame) * self.grid.hop_samples
        reach = LIMIT * self.grid.hop_samples
        mean = (weights * times).sum(axis=0) / weights.sum(axis=0)
        time = self.grid.first_centre + np.clip(mean, middle - reach, middle + reach)
        score = centre[frame, kind].astype(np.float64)
        order = np.argsort(time, kind="stable")
        return Peaks(time[order], kind[order].astype(np.int64), score[order])


def _none() -> Peaks:
    return Peaks(np.zeros(0), np.zeros(0, dtype=np.int64), np.zeros(0))
