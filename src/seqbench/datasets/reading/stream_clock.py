"""The clock of a running stream: each time is checked as it comes, and the latest ones are kept."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seqbench.config.options import TimeUnit
from seqbench.datasets.base import DataError, fault
from seqbench.datasets.reading.clock import MISFIT_LIMIT, RATE_TOLERANCE, SampleTimes, unit_of
from seqbench.datasets.reading.column_names import SECONDS

KEPT_SAMPLES = 1 << 18  # at least so many of the latest times are kept: 2 MiB
HINT = "send every sample once, or leave the time column out"


class StreamClock:
    """A time column whose end is not known, in memory that does not grow.

    Parameters
    ----------
    path, column
        Named in messages.
    unit
        Of the times; "samples" are row numbers; None: by `unit_of`.
    rate_hz
        Samples per second that the times must have, within `RATE_TOLERANCE`;
        None: those of the first steps, and no times are given.
    """

    def __init__(
        self, path: Path, column: str, unit: TimeUnit | None, rate_hz: float | None
    ) -> None:
        self._path = path
        self._column = column
        self._unit = unit
        self._rate_hz = rate_hz
        self._step: float | None = None
        self._first = 0.0
        self._n = 0
        self._kept = np.empty(0)  # the last times, and room for more
        self._n_kept = 0

    def extend(self, times: NDArray[np.float64], lines: Sequence[int]) -> None:
        """Take the times (n,), n > 0, of samples on `lines`; raise `DataError` at a fault."""
        if self._n == 0:
            self._first = float(times[0])
        n_before = min(1, self._n)
        steps = np.diff(np.concatenate([self._last(n_before), times]))
        self._keep(times)
        if not len(steps):
            return
        if self._step is None:
            self._step = self._expected_step(float(np.median(steps)))
        wrong = (steps <= 0) | (np.abs(steps - self._step) >= MISFIT_LIMIT * self._step)
        if wrong.any():
            at = int(np.argmax(wrong)) + 1 - n_before
            step, last = float(steps[at - 1 + n_before]), self._last(len(times) - at + 1)[0]
            problem = f"{times[at]:.10g} is not after {last:.10g}"
            if step > 0:
                problem = f"the step of {step:.6g} is not uniform with {self._step:.6g}"
            raise self._fault(lines[at], problem, HINT)
        n_steps = np.arange(self._n - len(times), self._n)
        drift = np.abs(times - self._first - self._step * n_steps)
        wrong = drift > self._step * (1 + RATE_TOLERANCE * n_steps)
        if wrong.any() and self._rate_hz is not None:
            at = int(np.argmax(wrong))
            mean = (times[at] - self._first) / n_steps[at]
            problem = f"its rate is {self._rate_hz * self._step / mean:.6g} Hz so far"
            hint = f"resample to {self._rate_hz:g} Hz, or leave the time column out"
            raise self._fault(lines[at], problem, hint)

    def sample_times(self) -> SampleTimes | None:
        """Return when samples were taken: the first one, and the latest ones.

        None of row numbers, and while unit or rate are unknown.
        """
        if self._n == 0 or self._unit in (None, "samples") or self._rate_hz is None:
            return None
        n = min(self._n_kept, self._n - 1)
        samples = np.concatenate([[0], np.arange(self._n - n, self._n)])
        times = np.concatenate([[self._first], self._last(n)])
        return SampleTimes(samples, times * SECONDS[self._unit], self._rate_hz)

    def _last(self, n: int) -> NDArray[np.float64]:
        return self._kept[self._n_kept - n : self._n_kept]

    def _keep(self, times: NDArray[np.float64]) -> None:
        if self._n_kept + len(times) > len(self._kept):
            latest = self._last(min(self._n_kept, KEPT_SAMPLES))
            room = np.empty(max(2 * KEPT_SAMPLES, len(latest) + len(times)))
            room[: len(latest)] = latest
            self._kept, self._n_kept = room, len(latest)
        self._kept[self._n_kept : self._n_kept + len(times)] = times
        self._n_kept += len(times)
        self._n += len(times)

    def _expected_step(self, step: float) -> float:
        """Return the step by the rate; without one, or of row numbers, the usual one so far."""
        if self._rate_hz is None or self._unit == "samples":
            return step
        if self._unit is None:
            self._unit = unit_of(self._path, self._column, self._first, step, self._rate_hz)
        return 1 / (self._rate_hz * SECONDS[self._unit])

    def _fault(self, line: int, problem: str, hint: str) -> DataError:
        return fault(self._path, problem, hint, row=line, column=self._column)
