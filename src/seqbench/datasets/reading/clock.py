"""The clock of a recording: a time column with uniform steps."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seqbench.datasets.base import DataError, fault

MISFIT_LIMIT = 0.5  # of a step: times rounded to milliseconds pass, a missing sample does not
GRID_HINT = (
    "put the samples on a uniform grid, or remove the column and set `sampling_rate_hz`;"
    " rename the column if it is not a time in seconds"
)


class Clock:
    """A time column in seconds, checked for uniform steps block by block.

    The usual step is the mean from the first time to the last one so far. A
    step may differ from it by less than `MISFIT_LIMIT` of it, and a time by one
    step from the line that it draws. Of each earlier block, the last time and
    those furthest from the line stand for all when the line is drawn anew.

    Parameters
    ----------
    path, column
        Named in messages.
    line_of
        Returns the line of a sample.
    """

    def __init__(self, path: Path, column: str, line_of: Callable[[int], int]) -> None:
        self._path = path
        self._column = column
        self._line_of = line_of
        self._samples = np.zeros(0, dtype=np.int64)  # of the times kept, the last one at the end
        self._times = np.zeros(0)
        self._mean = math.nan
        self._drift = math.nan

    def extend(self, times: NDArray[np.float64]) -> None:
        """Check the next times, (n,), at least one and finite; raise `DataError` at a fault."""
        if len(self._samples):  # a block starts with the last time of the one before
            times = np.concatenate([self._times[-1:], times])
        else:
            self._samples, self._times = np.zeros(1, dtype=np.int64), times[:1].copy()
        first = int(self._samples[-1])
        if len(times) < 2:
            return
        steps = np.diff(times)
        if (steps <= 0).any():
            at = int(np.argmax(steps <= 0)) + 1
            problem = f"{times[at]:.10g} s is not after {times[at - 1]:.10g} s"
            raise self._fault(first + at, problem)
        mean = float(times[-1] - self._times[0]) / (first + len(steps))
        misfit = np.abs(steps - mean)
        if misfit.max() >= MISFIT_LIMIT * mean:
            at = int(np.argmax(misfit)) + 1
            usual = float(np.median(steps))
            problem = f"the step of {steps[at - 1]:.6g} s is not uniform with {usual:.6g} s"
            raise self._fault(first + at, problem)
        samples = np.concatenate([self._samples, first + np.arange(1, len(times))])
        times = np.concatenate([self._times, times[1:]])
        drift = times - times[0] - mean * samples
        self._drift = float(np.abs(drift).max())
        if self._drift > mean:
            problem = "the steps are not uniform: the clock drifts by over one sample"
            raise self._fault(int(samples[np.argmax(np.abs(drift))]), problem)
        n_kept = len(self._samples)
        ahead, behind = n_kept + drift[n_kept:].argmax(), n_kept + drift[n_kept:].argmin()
        kept = np.unique([*range(n_kept), ahead, behind, len(times) - 1])
        self._samples, self._times, self._mean = samples[kept], times[kept], mean

    def rate_hz(self) -> float | None:
        """Return the rate so far, a whole number if the rounding of the times allows for one.

        None while there are fewer than two times.
        """
        if len(self._samples) < 2:
            return None
        rate = 1 / self._mean
        slack = rate * (2 * self._drift / float(self._times[-1] - self._times[0]) + 1e-9)
        whole = round(rate)
        return float(whole) if whole and abs(whole - rate) <= slack else float(rate)

    def _fault(self, sample: int, problem: str) -> DataError:
        row = self._line_of(sample)
        return fault(self._path, problem, GRID_HINT, row=row, column=self._column)
