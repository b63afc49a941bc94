"""Recordings brought to one sampling rate, block by block, each on its own clock.

A polyphase filter (SciPy's `resample_poly`) changes the rate by a ratio of whole
numbers. Where none is exact, the clock of the result has the difference, so that
a time stays on the sample that was taken then.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.datasets.base import fault
from seqbench.datasets.reading.clock import (
    RATE_TOLERANCE,
    RecordingClock,
    SampleTimes,
    rounded_rate_hz,
)
from seqbench.datasets.reading.gaps import cut_at_gaps
from seqbench.datasets.reading.source import Blocks, Source, block_samples, finite

LARGEST_TERM = 10_000  # of a ratio; the filter has 20 times as many taps
MOST_TAPS = 1 << 24
REACH = 10  # samples of the slower rate to either side that make a value, as in SciPy
KAISER_BETA = 5.0  # of the window, as in SciPy

Values = NDArray[np.float64]


def ratio_of(rate_hz: float, target_hz: float) -> Fraction:
    """Return by what to multiply a rate, 1 if it is near enough to the target."""
    exact = target_hz / rate_hz
    if abs(exact - 1) <= RATE_TOLERANCE:
        return Fraction(1)
    larger = max(exact, 1 / exact)
    ratio = Fraction(larger).limit_denominator(max(1, int(LARGEST_TERM / larger)))
    return ratio if exact > 1 else 1 / ratio


def resampled(source: Source, target_hz: float) -> Source:
    """Return an open recording at another rate; the same if its rate is near enough.

    A table has the rate of its first block. Between gaps each segment is
    resampled by itself; ahead of its first sample and behind its last one those
    values go on.

    Raises
    ------
    DataError
        If the rate of the recording is unknown.
    """
    source.check()
    rate_hz = source.sampling_rate_hz
    if rate_hz is None:
        problem = "its sampling rate is unknown, so it cannot be resampled"
        hint = "store the rate or a time column in the file, or leave `resample` out"
        raise fault(source.files[0], problem, hint)
    if (ratio := ratio_of(rate_hz, target_hz)) == 1:
        return source
    return _resampled(source, ratio)


def at_one_rate(
    path: Path,
    channels_of: Callable[[int], tuple[Source, list[int]]],
    counts: Collection[int],
    target_hz: float | None,
) -> Source:
    """Return channels of a file of data records as a recording of one rate.

    Parameters
    ----------
    path
        The file.
    channels_of
        Returns the channels of so many samples in a data record, and their places among all.
    counts
        Samples in a data record of the channels to read, each number once; of several, `target_hz`
        is the rate to bring them to.

    Raises
    ------
    DataError
        If no filter brings them exactly to one.
    """
    parts = [(*channels_of(n), n) for n in sorted(counts, reverse=True) or [0]]
    fastest, _, n_fastest = parts[0]
    if len(parts) == 1 or target_hz is None or fastest.header_rate_hz is None:
        return fastest
    ratio = ratio_of(fastest.header_rate_hz, target_hz)
    sources = []
    for source, _, n_per_record in parts:
        own = ratio * Fraction(n_fastest, n_per_record)  # exact, or channels would drift apart
        if 2 * REACH * max(own.numerator, own.denominator) > MOST_TAPS:
            problem = f"its rates differ by {n_fastest} to {n_per_record}, too much to resample"
            raise fault(path, problem, "select channels of one rate with `channels`")
        sources.append(source if own == 1 else _resampled(source, own))
    order = np.argsort([i for _, places, _ in parts for i in places])
    channels = [name for one in sources for name in one.channels]
    units = [unit for one in sources for unit in one.units]
    return replace(
        sources[0],
        original=fastest,
        channels=[channels[i] for i in order],
        units=[units[i] for i in order],
        blocks=(rows[:, order] for rows in _side_by_side([one.blocks for one in sources])),
    )


def _resampled(source: Source, ratio: Fraction) -> Source:
    up, down = ratio.as_integer_ratio()
    taps = _taps(up, down)

    def checked() -> Blocks:
        n_done = 0
        for block in source.blocks:
            finite(source.files[0], block, source.channels, n_done, source.may_miss)
            n_done += len(block)
            yield block

    def blocks() -> Blocks:
        for _, parts in groupby(cut_at_gaps(source, checked()), key=lambda pair: pair[0]):
            yield from _polyphase((part for _, part in parts), up, down, taps)

    if source.clock is not None:
        clock = _ResampledClock(source.clock, up, down)
        return replace(source, blocks=blocks(), n_samples=None, clock=clock, original=source)
    n_samples = source.n_samples or 0
    firsts = resampled_starts([*source.segment_starts, n_samples], up, down)
    return replace(
        source,
        blocks=blocks(),
        n_samples=None if source.n_samples is None else firsts[-1],
        header_rate_hz=(source.header_rate_hz or 0.0) * up / down,
        original=source,
        starts=tuple(zip(firsts, (time_s for _, time_s in source.starts), strict=False)),
    )


def resampled_starts(starts: Sequence[int], up: int, down: int) -> list[int]:
    """Return where segments start once each is resampled, by where they started."""
    lengths = [-(-(stop - start) * up // down) for start, stop in pairwise(starts)]
    return [0, *np.cumsum(lengths, dtype=np.int64).tolist()]


class _ResampledClock:
    """The clock of a table whose samples are resampled."""

    def __init__(self, clock: RecordingClock, up: int, down: int) -> None:
        self._clock, self._up, self._down = clock, up, down

    @property
    def starts(self) -> list[int]:
        """First sample of each segment so far."""
        return resampled_starts(self._clock.starts, self._up, self._down)

    def rate_hz(self) -> float | None:
        """Return the rate so far."""
        rate = self._clock.rate_hz()
        return None if rate is None else rounded_rate_hz(rate * self._up / self._down, 0.0)

    def sample_times(self) -> SampleTimes | None:
        """Return when each sample so far was taken."""
        times, rate = self._clock.sample_times(), self.rate_hz()
        if times is None or rate is None:
            return None
        segments = [self._times(one, rate) for one in times.segments]
        return SampleTimes.joined(segments, self.starts)

    def _times(self, times: SampleTimes, rate_hz: float) -> SampleTimes:
        """Return the times of a segment: of the samples around each knot, which lie on its line."""
        before = times.samples * self._up // self._down
        behind = -(-times.samples * self._up // self._down)
        samples = np.column_stack([before, behind]).ravel()
        samples = samples[np.diff(samples, prepend=-1) > 0]
        places = samples * self._down / self._up
        times_s = np.interp(places, times.samples, times.times_s)
        n_behind = np.maximum(places - times.samples[-1], 0.0)
        return SampleTimes(samples, times_s + n_behind / times.rate_hz, rate_hz)


def _taps(up: int, down: int) -> Values:
    """Return SciPy's low-pass filter, whose phases keep a constant to the last digit.

    SciPy's own phases differ by some thousandths, which beside a large offset is a signal.
    """
    from scipy.signal import firwin

    longer = max(up, down)
    taps: Values = firwin(2 * REACH * longer + 1, 1 / longer, window=("kaiser", KAISER_BETA))
    for phase in range(up):
        taps[phase::up] /= up * taps[phase::up].sum()
    return taps


def _polyphase(blocks: Blocks, up: int, down: int, taps: Values) -> Blocks:
    """Yield the blocks of a segment at `up` / `down` times their rate, (n, C)."""
    from scipy.signal import resample_poly

    reach = -(-REACH * max(up, down) // up)
    n_pad = -(-reach // down) * down  # so that what is ahead is a whole number of results
    held: Values | None = None  # from `n_pad` ahead of the next result on

    def results(ahead: Values, n_inside: int) -> Values:
        span = ahead[: n_pad + n_inside + n_pad]
        found = resample_poly(span, up, down, axis=0, window=taps)
        skipped = n_pad * up // down
        return np.asarray(found[skipped : skipped - (-n_inside * up // down)])

    for block in blocks:
        rows = np.asarray(block, dtype=np.float64)
        if held is None:
            held = np.repeat(rows[:1], n_pad, axis=0)
        held = np.concatenate([held, rows])
        longest = max(1, block_samples(rows.shape[1]) // up) * down
        while (n_inside := min(longest, (len(held) - 2 * n_pad) // down * down)) > 0:
            yield results(held, n_inside)
            held = held[n_inside:]
    if held is None:
        return
    held, n_rest = np.concatenate([held, np.repeat(held[-1:], n_pad, axis=0)]), len(held) - n_pad
    longest = max(1, block_samples(held.shape[1]) // up) * down
    while n_rest > 0:
        n_inside = min(longest, n_rest)
        yield results(held, n_inside)
        held, n_rest = held[n_inside:], n_rest - n_inside


def _side_by_side(streams: Sequence[Blocks]) -> Iterator[NDArray[Any]]:
    """Yield the rows of blocks that are as long on the whole, columns side by side."""
    held: list[NDArray[Any] | None] = [None] * len(streams)
    while True:
        held = [
            next(stream, None) if rest is None or not len(rest) else rest
            for rest, stream in zip(held, streams, strict=True)
        ]
        rows = [one for one in held if one is not None]
        if len(rows) < len(held):
            return
        n = min(map(len, rows))
        yield np.concatenate([one[:n] for one in rows], axis=1)
        held = [one[n:] for one in rows]
