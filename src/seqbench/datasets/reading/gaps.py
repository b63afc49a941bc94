"""Gaps: where a recording stops and goes on later, whatever its format.

What is between two gaps is a segment. Its samples have a uniform clock of their
own, at the rate of the whole recording.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqbench.config.options import Gaps, TimeUnit
from seqbench.datasets.base import fault
from seqbench.datasets.reading.clock import (
    DRIFT_LIMIT,
    MISFIT_LIMIT,
    SPLIT_HINT,
    Clock,
    SampleTimes,
    rounded_rate_hz,
)
from seqbench.datasets.reading.column_names import SECONDS
from seqbench.datasets.reading.source import Source

N_USUAL = 1000  # steps at the start of a time column whose median is the usual one

Block = NDArray[np.float32]


def segment_starts(
    path: Path,
    samples: ArrayLike,
    times_s: ArrayLike,
    step_s: float,
    gaps: Gaps,
    *,
    subject: str = "it",
    shown: Callable[[float], str] = "{:.10g} s".format,
) -> list[int]:
    """Return which of the runs of samples that a header times begin a segment, the first included.

    Parameters
    ----------
    path
        The file.
    samples, times_s
        First sample of each run, (K,), and when it was taken.
    step_s
        From one sample to the next.
    gaps
        What to do with a gap; an overlap is refused.
    subject
        What has the gap, for messages.
    shown
        Returns a time for messages.

    Raises
    ------
    DataError
        If a run starts half a sample or more from where the one before it ends.
    """
    samples, times = np.asarray(samples), np.asarray(times_s, dtype=np.float64)
    late = np.diff(times) - step_s * np.diff(samples)
    is_gap, is_overlap = late >= MISFIT_LIMIT * step_s, late <= -MISFIT_LIMIT * step_s
    refused = is_overlap if gaps == "split" else is_overlap | is_gap
    if refused.any():
        at = int(refused.argmax())
        end_s, next_s = float(times[at + 1] - late[at]), float(times[at + 1])
        what = "a gap" if is_gap[at] else "an overlap"
        problem = (
            f"{subject} has {what} of {abs(late[at]):.6g} s:"
            f" it ends at {shown(end_s)} and goes on at {shown(next_s)}"
        )
        otherwise = "write what is before and behind it as two files"
        hint = f"{SPLIT_HINT}, or {otherwise}" if is_gap[at] else otherwise
        raise fault(path, problem, hint)
    return [0, *(np.flatnonzero(is_gap) + 1).tolist()]


class SegmentedClock(Clock):
    """A time column that may have gaps: a `Clock` for each segment, all of one rate.

    A gap is a step of at least `MISFIT_LIMIT` more than the usual one. The times of a segment
    are held to a line as those of a recording without gaps are. Parameters are those of `Clock`.
    """

    def __init__(
        self,
        path: Path,
        column: str,
        line_of: Callable[[int], int],
        unit: TimeUnit | None = "s",
        stated_hz: float | None = None,
    ) -> None:
        super().__init__(path, column, line_of, unit, stated_hz)
        self._usual: float | None = None
        self._last = np.zeros(0)
        self._n_samples = 0
        self._starts: list[int] = []
        self._clocks: list[Clock] = []

    @property
    def starts(self) -> list[int]:
        """First sample of each segment so far."""
        return self._starts or [0]

    def extend(self, times: NDArray[np.float64]) -> None:
        """Check the next times, (n,), at least one and finite; raise `DataError` at a fault."""
        if not self._clocks:
            self._begin(0)
        steps = np.diff(np.concatenate([self._last, times]))
        if self._usual is None and len(steps):
            self._usual = float(np.median(steps[:N_USUAL]))
        cuts: list[int] = []
        if self._usual is not None and self._usual > 0:
            is_wide = steps >= (1 + MISFIT_LIMIT) * self._usual
            cuts = (np.flatnonzero(is_wide) + 1 - len(self._last)).tolist()
        for start, stop in pairwise([*sorted({0, *cuts}), len(times)]):
            if start in cuts:
                self._begin(self._n_samples + start)
            if start < stop:
                self._clocks[-1].extend(times[start:stop])
        self._n_samples += len(times)
        self._last = times[-1:].copy()

    def rate_hz(self) -> float | None:
        """Return the rate of all segments so far, as that of `Clock`.

        Row numbers with gaps have the rate that is stated.
        """
        n_steps, duration, drift = self._total()
        if not n_steps:
            return None
        if self.unit == "samples":
            return self._stated_hz if len(self._starts) > 1 else None
        seconds = SECONDS[self.unit or "s"]
        rate_hz = n_steps / (duration * seconds)
        return rounded_rate_hz(rate_hz, 2 * drift / duration, self._stated_hz)

    def sample_times(self) -> SampleTimes | None:
        """Return when each sample so far was taken; None without a rate.

        Raises
        ------
        DataError
            If segments differ in their rate, or nothing states that of row numbers.
        """
        n_steps, duration, _ = self._total()
        rate = self.rate_hz()
        if rate is None and self.unit == "samples" and len(self._starts) > 1:
            problem = "these row numbers have gaps, and nothing states how long one is in seconds"
            raise self._fault(self._starts[1], problem, "set `sampling_rate_hz`, or name the time")
        if rate is None or not n_steps:
            return None
        usual = duration / n_steps
        seconds = 1 / (rate * usual) if self.unit == "samples" else SECONDS[self.unit or "s"]
        segments = []
        for start, clock in zip(self._starts, self._clocks, strict=True):
            n, taken, _ = clock.span
            if abs(taken - n * usual) > usual * (1 + DRIFT_LIMIT * n):
                problem = f"its steps are {taken / n:.6g} here, but {usual:.6g} on the whole"
                raise self._fault(start, problem)
            samples, times = clock.knots()
            segments.append(SampleTimes(samples, times * seconds, rate))
        return SampleTimes.joined(segments, self._starts)

    def _begin(self, sample: int) -> None:
        """Begin a segment; refuse one of a single sample, as where the rate changes."""
        if self._starts and sample == self._starts[-1] + 1:
            problem = "there is a gap before this sample and one behind it"
            raise self._fault(self._starts[-1], problem)
        self._starts.append(sample)
        unit = self._clocks[0].unit if self._clocks else self._unit
        line_of = self._line_of
        clock = Clock(
            self._path, self._column, lambda at: line_of(sample + at), unit, self._stated_hz
        )
        self._clocks.append(clock)

    @property
    def unit(self) -> TimeUnit | None:
        """Unit of the times; None until two of them show it."""
        return self._clocks[0].unit if self._clocks else self._unit

    def _total(self) -> tuple[int, float, float]:
        """Return the steps within segments, how long they take, and their errors together."""
        spans = [clock.span for clock in self._clocks]
        return sum(n for n, _, _ in spans), sum(t for _, t, _ in spans), sum(d for _, _, d in spans)


def cut_at_gaps(
    source: Source, blocks: Iterator[NDArray[Any]]
) -> Iterator[tuple[int, NDArray[Any]]]:
    """Yield the blocks of a recording, cut at its gaps, with the number of their segment."""
    n_done = 0
    for block in blocks:
        starts = np.array(source.segment_starts)
        first = int(np.searchsorted(starts, n_done, side="right")) - 1
        inside = starts[(starts > n_done) & (starts < n_done + len(block))] - n_done
        yield from enumerate(np.split(block, inside), start=first)
        n_done += len(block)
