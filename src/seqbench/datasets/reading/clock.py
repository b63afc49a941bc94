"""The clock of a recording: what its time column says, and when each sample was taken."""

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from seqbench.config.options import TimeUnit
from seqbench.datasets.base import DataError, fault
from seqbench.datasets.reading.column_names import SECONDS

MISFIT_LIMIT = 0.5  # of a step: times rounded to milliseconds pass, a missing sample does not
HALF = 0.5  # sample: a time that is nearer to one belongs to it
DRIFT_LIMIT = 1e-3  # of the samples so far, and one sample: how far a clock may leave its mean rate
PIECE_SAMPLES = 1 << 12  # between two knots
KNOT_MISFIT = 0.25  # of a step; a piece whose times leave its chord by more keeps them all
LARGEST_BARE_STEP = 0.1  # of a time without a unit that is taken for seconds
LEAST_BARE_STEP = 1e-6  # the same: less is a fraction of a day, as Excel and MATLAB have times
DAY_S = 86_400
RATE_TOLERANCE = 1e-3  # relative; rates that come from rounded times differ by less
SAME_RATE = 1e-2  # relative; how near a stated rate makes a unit likely
EPOCHS: dict[TimeUnit, float] = {"s": 1e9, "ms": 1e12, "us": 1e15, "ns": 1e18}  # September 2001
GRID_HINT = (
    "put the samples on a uniform grid, or remove the column and set `sampling_rate_hz`;"
    " if it is no time, name the channels in `channels`"
)
SPLIT_HINT = "set `gaps: split`, which makes recordings of what is before and behind it"
GAP_HINT = f"{SPLIT_HINT}, or {GRID_HINT}"


@dataclass(frozen=True)
class SampleTimes:
    """When each sample of a recording was taken, on the clock of its file.

    Parameters
    ----------
    samples, times_s
        Knots (K,), K > 0, both increasing, one at the start of each segment; times
        between those of a segment lie on a line.
    rate_hz
        Samples per second behind the last knot of a segment, and on the whole.
    starts
        First sample of each segment, that is behind each gap; the first is 0.
    """

    samples: NDArray[np.int64]
    times_s: NDArray[np.float64]
    rate_hz: float
    starts: tuple[int, ...] = (0,)

    @classmethod
    def uniform(cls, rate_hz: float, start_s: float = 0.0) -> "SampleTimes":
        """Return the times of samples at exactly this rate."""
        return cls(np.zeros(1, dtype=np.int64), np.array([start_s]), rate_hz)

    @classmethod
    def joined(cls, segments: Sequence["SampleTimes"], starts: Sequence[int]) -> "SampleTimes":
        """Return the times of segments that begin at the samples `starts`."""
        pairs = list(zip(segments, starts, strict=True))
        samples = np.concatenate([one.samples + start for one, start in pairs])
        times_s = np.concatenate([one.times_s for one in segments])
        return cls(samples, times_s, segments[0].rate_hz, tuple(map(int, starts)))

    @cached_property
    def segments(self) -> list["SampleTimes"]:
        """The times of each segment, whose own first sample is 0."""
        if len(self.starts) == 1:
            return [self]
        cuts = np.searchsorted(self.samples, self.starts[1:])
        parts = zip(np.split(self.samples, cuts), np.split(self.times_s, cuts), strict=True)
        return [SampleTimes(of - of[0], times, self.rate_hz) for of, times in parts]

    @property
    def start_s(self) -> float:
        """The time of the first sample."""
        return float(self.times_s[0])

    def is_in_gap(self, time_s: float) -> bool:
        """Return whether no sample was taken near a time between two segments."""
        return self._place(time_s)[1]

    def sample_at(self, time_s: float) -> float:
        """Return the place of a time among the samples, whole at the time of a sample.

        That of a time in a gap is the first sample behind it.
        """
        return self._place(time_s)[0]

    def _place(self, time_s: float) -> tuple[float, bool]:
        """Return the place of a time, and whether it is in a gap."""
        if len(self.starts) == 1:
            return self._place_in_line(time_s), False
        starts_s = [one.start_s - HALF / self.rate_hz for one in self.segments]
        i = max(0, bisect_right(starts_s, time_s) - 1)
        place = self.starts[i] + self.segments[i].sample_at(time_s)
        if i + 1 < len(self.starts) and place > self.starts[i + 1] - HALF:
            return float(self.starts[i + 1]), True
        return place, False

    def _place_in_line(self, time_s: float) -> float:
        if time_s >= self.times_s[-1]:
            return int(self.samples[-1]) + (time_s - float(self.times_s[-1])) * self.rate_hz
        if time_s < self.start_s:
            return (time_s - self.start_s) * self.rate_hz
        return float(np.interp(time_s, self.times_s, self.samples))

    def time_s_at(self, sample: float) -> float:
        """Return the time of a sample, or of a place near one."""
        if len(self.starts) > 1:
            i = max(0, bisect_right(self.starts, sample + HALF) - 1)
            return self.segments[i].time_s_at(sample - self.starts[i])
        if sample >= self.samples[-1]:
            return float(self.times_s[-1] + (sample - self.samples[-1]) / self.rate_hz)
        if sample < 0:
            return self.start_s + sample / self.rate_hz
        return float(np.interp(sample, self.samples, self.times_s))


class RecordingClock(Protocol):
    """What knows when the samples so far were taken."""

    @property
    def starts(self) -> list[int]:
        """First sample of each segment so far."""

    def rate_hz(self) -> float | None:
        """Return the rate so far; None while it is unknown."""

    def sample_times(self) -> SampleTimes | None:
        """Return when each sample so far was taken; None while the rate is unknown."""


class Clock:
    """A time column, checked for uniform steps block by block.

    The usual step is the mean from the first time to the last one so far. A
    step may differ from it by less than `MISFIT_LIMIT` of it, and a time from
    the line that it draws by one sample and `DRIFT_LIMIT` of those so far. Of
    each earlier block, the last time and those furthest from the line stand for
    all when the line is drawn anew.

    Parameters
    ----------
    path, column
        Named in messages.
    line_of
        Returns the line of a sample.
    unit
        Of the times; "samples" are row numbers; None: by `unit_of`.
    stated_hz
        Samples per second, where the user knows them: decides the unit, and is
        the rate of row numbers.
    """

    def __init__(
        self,
        path: Path,
        column: str,
        line_of: Callable[[int], int],
        unit: TimeUnit | None = "s",
        stated_hz: float | None = None,
    ) -> None:
        self._path = path
        self._column = column
        self._line_of = line_of
        self._unit = unit
        self._stated_hz = stated_hz
        self._samples = np.zeros(0, dtype=np.int64)  # of the times kept, the last one at the end
        self._times = np.zeros(0)
        self._drift = math.nan
        self._knots: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []
        self._piece = np.zeros(0)  # times behind the last knot
        self._n_in_knots = 0

    @property
    def unit(self) -> TimeUnit | None:
        """Unit of the times; None until two of them show it."""
        return self._unit

    @property
    def starts(self) -> list[int]:
        """First sample of each segment so far: there are no gaps."""
        return [0]

    @property
    def span(self) -> tuple[int, float, float]:
        """Steps so far, how long they take, and how far a time is off a line, in the unit."""
        if len(self._samples) < 2:
            return 0, 0.0, 0.0
        return int(self._samples[-1]), float(self._times[-1] - self._times[0]), self._drift

    def extend(self, times: NDArray[np.float64]) -> None:
        """Check the next times, (n,), at least one and finite; raise `DataError` at a fault."""
        if self._unit == "samples" and (is_fraction := times % 1 != 0).any():
            at = int(np.argmax(is_fraction))
            problem = f"{times[at]:.10g} is no row number"
            hint = "name the column time_s or time_ms, or name it in `time_column`"
            row = self._line_of(self._n_in_knots + len(self._piece) + at)
            raise fault(self._path, problem, hint, row=row, column=self._column)
        self._keep_knots(times)
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
            problem = f"{self._quoted(times[at])} is not after {self._quoted(times[at - 1])}"
            raise self._fault(first + at, problem)
        mean = float(times[-1] - self._times[0]) / (first + len(steps))
        misfit = np.abs(steps - mean)
        if misfit.max() >= MISFIT_LIMIT * mean:
            at = int(np.argmax(misfit)) + 1
            usual = self._quoted(float(np.median(steps)), ".6g")
            problem = (
                f"the step of {self._quoted(steps[at - 1], '.6g')} is not uniform with {usual}"
            )
            is_gap = steps[at - 1] > mean
            raise self._fault(first + at, problem, GAP_HINT if is_gap else GRID_HINT)
        samples = np.concatenate([self._samples, first + np.arange(1, len(times))])
        times = np.concatenate([self._times, times[1:]])
        drift = times - times[0] - mean * samples
        self._drift = float(np.abs(drift).max())
        if self._drift > mean * (1 + DRIFT_LIMIT * samples[-1]):
            problem = "the steps are not uniform: the clock drifts by over one sample"
            raise self._fault(int(samples[np.argmax(np.abs(drift))]), problem)
        n_kept = len(self._samples)
        ahead, behind = n_kept + drift[n_kept:].argmax(), n_kept + drift[n_kept:].argmin()
        kept = np.unique([*range(n_kept), ahead, behind, len(times) - 1])
        self._samples, self._times = samples[kept], times[kept]
        if self._unit is None:
            self._unit = unit_of(self._path, self._column, times[0], mean, self._stated_hz)

    def rate_hz(self) -> float | None:
        """Return the rate so far, a whole number if the rounding of the times allows for one.

        None while there are fewer than two times, or of row numbers.
        """
        if len(self._samples) < 2 or self._unit == "samples" or self._unit is None:
            return None
        n_steps, duration, drift = self.span
        rate_hz = n_steps / (duration * SECONDS[self._unit])
        return rounded_rate_hz(rate_hz, 2 * drift / duration, self._stated_hz)

    def sample_times(self) -> SampleTimes | None:
        """Return when each sample so far was taken; None while `rate_hz` is None."""
        rate = self.rate_hz()
        if rate is None or self._unit is None:
            return None
        samples, times = self.knots()
        return SampleTimes(samples, times * SECONDS[self._unit], rate)

    def knots(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return samples and their times so far, in the unit, between which times lie on a line."""
        knots = [*self._knots, _knots(self._piece, self._n_in_knots)]
        samples, times = (np.concatenate(column) for column in zip(*knots, strict=True))
        return samples, times

    def _keep_knots(self, times: NDArray[np.float64]) -> None:
        self._piece = np.concatenate([self._piece, times])
        while len(self._piece) > PIECE_SAMPLES:
            samples, kept = _knots(self._piece[: PIECE_SAMPLES + 1], self._n_in_knots)
            self._knots.append((samples[:-1], kept[:-1]))
            self._piece = self._piece[PIECE_SAMPLES:]
            self._n_in_knots += PIECE_SAMPLES

    def _quoted(self, time: float, form: str = ".10g") -> str:
        """Return a time or a step with its unit."""
        return f"{time:{form}} {self._unit or ''}".rstrip()

    def _fault(self, sample: int, problem: str, hint: str = GRID_HINT) -> DataError:
        row = self._line_of(sample)
        return fault(self._path, problem, hint, row=row, column=self._column)


def rounded_rate_hz(rate_hz: float, error: float, stated_hz: float | None = None) -> float:
    """Return a rate, a whole number if its relative error allows for one.

    Rounding takes it no further from a stated rate than `RATE_TOLERANCE`.
    """
    whole = float(round(rate_hz))
    if not whole or abs(whole - rate_hz) > rate_hz * (error + 1e-9):
        return float(rate_hz)
    if stated_hz and abs(rate_hz / stated_hz - 1) <= RATE_TOLERANCE < abs(whole / stated_hz - 1):
        return float(rate_hz)
    return whole


def _knots(
    piece: NDArray[np.float64], n_before: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the samples and times of both ends of a piece, or of all of it if it is no line."""
    n = len(piece)
    places = np.arange(n)
    misfit = np.abs(piece - np.linspace(piece[0], piece[-1], n))
    if misfit.max() <= KNOT_MISFIT * (piece[-1] - piece[0]) / max(1, n - 1):
        places = np.unique([0, n - 1])
    return n_before + places, piece[places]


def unit_of(
    path: Path, column: str, start: float, step: float, stated_hz: float | None
) -> TimeUnit:
    """Return the unit of a time column whose name has none.

    A stated sampling rate decides. Else times since 1970 show their unit by their
    size, and steps of `LEAST_BARE_STEP` to `LARGEST_BARE_STEP` are seconds.

    Raises
    ------
    DataError
        If it may be one or another.
    """
    if stated_hz is not None:
        fitting = [
            unit
            for unit in EPOCHS
            if math.isclose(step * SECONDS[unit] * stated_hz, 1, rel_tol=SAME_RATE)
        ]
        if fitting:
            return fitting[0]
    for unit, least in EPOCHS.items():
        if least <= start < 10 * least and step * SECONDS[unit] <= 1:
            return unit
    if LEAST_BARE_STEP <= step <= LARGEST_BARE_STEP and start < EPOCHS["s"]:
        return "s"
    problem = f"its step of {step:.6g} has no unit: it may be {1 / step:.6g} or {1e3 / step:.6g} Hz"
    hint = "name the column time_s or time_ms, or set `time_unit`"
    if step < LEAST_BARE_STEP:
        problem = f"its step of {step:.6g} has no unit: in days it is {1 / (step * DAY_S):.6g} Hz"
        hint = "write seconds or dates, or set `time_unit`"
    raise fault(path, problem, hint, column=column)
