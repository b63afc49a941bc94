"""What the readers of all formats share: an open file, its blocks, its channels and checks."""

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.config.options import Gaps, TimeUnit
from seqbench.config.registry import suggestion
from seqbench.datasets.base import explained, fault
from seqbench.datasets.csv_text import plain
from seqbench.datasets.reading.clock import MISFIT_LIMIT, RecordingClock, SampleTimes
from seqbench.datasets.reading.column_names import meaning_of
from seqbench.datasets.reading.precision import Precision
from seqbench.extras import install

BLOCK_SAMPLES = 1 << 16  # most samples of a block
BLOCK_CELLS = 1 << 22  # the same for many channels: 32 MiB in double precision
WHOLE_BYTES = 1 << 28  # most that is read in one piece where memory is bounded
FILL_HINT = "cut it out or fill it in before reading the recording"

FEWEST_COUNTED = 10  # samples from which a column that rises evenly is no coincidence
FEWEST_RISING = 100  # the same of one that never falls, and takes `FEWEST_VALUES` values or more
FEWEST_VALUES = 20
MOST_RESTARTS = 0.1  # of the steps of a counter that begins again, as that of a byte does
LARGEST_WHOLE = 1 << 53  # double precision has no odd numbers above

Blocks = Iterator[NDArray[Any]]


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """What a user says about the files of recordings; a reader takes what its format leaves open.

    Parameters
    ----------
    channels
        Names of the channels to take, in this order; None takes all. What is
        named is a channel, whatever its name or values look like.
    preferred
        Those of a model: the same where `channels` is None and the file has names.
    targets
        Names of channels that are targets.
    header
        Whether the first row of a table names its columns; None: by its cells.
    time_column
        Name of the time column; None: by the names of the columns.
    time_unit
        Of the time column; None: by its name or values.
    sampling_rate_hz
        Stated rate; it decides the unit of times that have none.
    subtracted
        Numbers to subtract from the channels, in their order, before they become single
        precision; empty: none.
    gaps
        Whether a recording may have gaps: "split" keeps its segments.
    resample
        Whether `sampling_rate_hz` is that to bring the recording to, not its own.
    bounded
        Whether blocks must be short, whatever that costs.
    """

    channels: tuple[str, ...] | None = None
    preferred: tuple[str, ...] | None = None
    targets: tuple[str, ...] = ()
    header: bool | None = None
    time_column: str | None = None
    time_unit: TimeUnit | None = None
    sampling_rate_hz: float | None = None
    subtracted: tuple[float, ...] = ()
    gaps: Gaps = "refuse"
    resample: bool = False
    bounded: bool = True

    def __post_init__(self) -> None:
        """Bring names into the form in which those of files are compared with them."""
        for option in ("channels", "preferred", "targets"):
            names = getattr(self, option)
            object.__setattr__(self, option, names and tuple(map(plain, names)))

    @property
    def stated_hz(self) -> float | None:
        """Samples per second of the file, where the user knows them."""
        return None if self.resample else self.sampling_rate_hz

    def is_named(self, channel: str) -> bool:
        """Return whether the user named a channel."""
        return channel in (*(self.channels or ()), *self.targets)

    def among(self, path: Path, names: Sequence[str]) -> "ReadOptions":
        """Return the options for a file that names its channels.

        Raises
        ------
        DataError
            If it lacks one that is preferred, and both have other names than
            those of channels without.
        """
        if self.channels is not None or not self.preferred:
            return self
        missing = [name for name in self.preferred if name not in names]
        if not missing:
            return replace(self, channels=self.preferred)
        if any(list(some) == numbered_names(len(some)) for some in (names, self.preferred)):
            return self
        held = ", ".join(names[:12])
        problem = f"it has no channel '{missing[0]}' of the model, but {held}"
        raise fault(path, problem, "name the channels to take in `channels`, in the model's order")


@dataclass(frozen=True, kw_only=True)
class Source:
    """An open recording: its header, and its samples as blocks.

    Parameters
    ----------
    channels, units
        One per channel, names unique; a unit is "" where the file has none.
    n_samples
        None where only reading shows it, as in a CSV file.
    blocks
        Consecutive samples, (n, C).
    header_rate_hz
        Sampling rate in the header of the file; None without one.
    starts
        First sample of each segment, and its time in the header, on the clock of the file.
    clock
        Of the time column, which `blocks` extends; None without one.
    may_miss
        Names of channels of which a value may be unknown, NaN.
    subtracted
        As in `ReadOptions`.
    files
        All files of the recording.
    original
        The recording before it was resampled; None: it is as in its file.
    """

    channels: list[str]
    units: list[str]
    n_samples: int | None
    blocks: Blocks
    files: list[Path]
    header_rate_hz: float | None = None
    starts: tuple[tuple[int, float], ...] = ((0, 0.0),)
    clock: RecordingClock | None = None
    may_miss: tuple[str, ...] = ()
    subtracted: tuple[float, ...] = ()
    original: "Source | None" = None

    @cached_property
    def precision(self) -> Precision:
        """What the blocks so far lost in single precision."""
        return Precision.of(len(self.channels))

    @property
    def sampling_rate_hz(self) -> float | None:
        """Samples per second, by the header or by the times of the blocks so far."""
        return self.header_rate_hz if self.clock is None else self.clock.rate_hz()

    def sample_times(self) -> SampleTimes | None:
        """Return when each sample read so far was taken; None where the file does not say."""
        if self.clock is not None:
            return self.clock.sample_times()
        if (rate := self.header_rate_hz) is None:
            return None
        segments = [SampleTimes.uniform(rate, start_s) for _, start_s in self.starts]
        return SampleTimes.joined(segments, [sample for sample, _ in self.starts])

    def file_times(self) -> SampleTimes | None:
        """Return when each sample of the file read so far was taken, whatever was resampled."""
        return (self.original or self).sample_times()

    @property
    def segment_starts(self) -> list[int]:
        """First sample of each segment, of the blocks so far."""
        return [at for at, _ in self.starts] if self.clock is None else self.clock.starts

    def check(self) -> None:
        """Refuse a recording that is empty or has an impossible rate."""
        path, rate = self.files[0], self.sampling_rate_hz
        if not self.channels:
            raise fault(path, "it holds no channels", "add a column of numbers or remove the file")
        if self.n_samples == 0:
            raise fault(path, "it holds no samples", "add rows or remove the file")
        if rate is not None and not (math.isfinite(rate) and rate > 0):
            hint = "correct it to the number of samples per second"
            raise fault(path, f"its sampling rate is {rate:g} Hz", hint)

    def samples(self) -> Iterator[NDArray[np.float32]]:
        """Yield the blocks in single precision, (n, C) float32, finite but in `may_miss`."""
        n_done = 0
        with damage_explained(self.files[0]):
            for given in self.blocks:
                refuse_wide_integers(self.files[0], given, self.channels, n_done)
                block = given if not self.subtracted else given - np.array(self.subtracted)
                rows = finite(self.files[0], block, self.channels, n_done, self.may_miss)
                self.precision.look_at(block)
                yield rows
                n_done += len(block)


def refuse_wide_integers(
    path: Path, block: NDArray[Any], channels: Sequence[str], n_before: int
) -> None:
    """Refuse integers (n, C) that double precision cannot hold."""
    if block.dtype.kind not in "iu" or block.dtype.itemsize < 8:
        return
    is_wide = (block > LARGEST_WHOLE) | (block < -LARGEST_WHOLE)
    if is_wide.any():
        row, column = np.argwhere(is_wide)[0]
        problem = f"double precision cannot hold the value {block[row, column]}"
        hint = "subtract the offset of the channel in the file"
        raise fault(path, problem, hint, row=n_before + int(row) + 1, column=channels[column])


def damage_explained(path: Path) -> AbstractContextManager[None]:
    """Turn whatever reading a recording raises into a `DataError`."""
    hint = f"it may be cut short or damaged: write the {path.suffix.lower()} file anew"
    return explained(path, hint)


def package(path: Path, name: str) -> ModuleType:
    """Import the package that reads `path`; raise `DataError` with its extra if it is missing."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        problem = f"{path.suffix} files are read by the package {error.name}, which is missing"
        raise fault(path, problem, install(name.partition(".")[0])) from None


def block_samples(n_channels: int) -> int:
    """Return the most samples of a block of so many channels."""
    return max(1, min(BLOCK_SAMPLES, BLOCK_CELLS // max(1, n_channels)))


def block_lengths(n_samples: int, longest: int) -> list[int]:
    """Return the lengths of the blocks of a recording."""
    return [min(longest, n_samples - start) for start in range(0, n_samples, longest)]


def finite(
    path: Path,
    values: NDArray[Any],
    channels: list[str],
    n_before: int = 0,
    may_miss: Sequence[str] = (),
) -> NDArray[np.float32]:
    """Return samples (n, C) in single precision; `n_before` stand above them.

    Raises
    ------
    DataError
        If single precision cannot hold one of them, but for NaN in `may_miss`.
    """
    result = single(values)
    if not (is_good := np.isfinite(result)).all():
        is_good |= np.isnan(result) & np.isin(channels, may_miss)
        if not is_good.all():
            row, column = np.argwhere(~is_good)[0]
            problem = f"the value {values[row, column]} is not finite in single precision"
            name = channels[column]
            raise fault(path, problem, FILL_HINT, row=n_before + int(row) + 1, column=name)
    return result


def refuse_counters(
    path: Path, block: NDArray[Any], channels: list[str], options: ReadOptions
) -> None:
    """Refuse a channel that counts rows or time and that nobody named; see `Clock` for times.

    Parameters
    ----------
    path
        The file.
    block
        Its first samples, (n, C).
    channels
        Their names, (C,).
    options
        Names the channels that may be anything.
    """
    if len(block) < FEWEST_COUNTED:
        return
    for i, what in _counting(block.astype(np.float64)):
        if not options.is_named(channels[i]):
            problem = f"'{channels[i]}' {what}, as times and row numbers do"
            hint = "name the time in `time_column`, or the channels in `channels`"
            raise fault(path, problem, hint)


def _counting(block: NDArray[np.float64]) -> Iterator[tuple[int, str]]:
    """Yield the columns of a block (n, C) that count, and in which way."""
    with np.errstate(invalid="ignore", over="ignore"):  # what is not finite is no even step
        steps = np.diff(block, axis=0)
        usual = steps.mean(axis=0)
        is_even = (np.abs(steps - usual) < MISFIT_LIMIT * np.abs(usual)).all(axis=0)
    for i in np.flatnonzero(is_even & (usual != 0)):
        yield int(i), "changes by the same step in every row"
    if len(block) < FEWEST_RISING:
        return
    n_values = 1 + np.count_nonzero(steps, axis=0)
    is_one_way = (steps >= 0).all(axis=0) | (steps <= 0).all(axis=0)
    for i in np.flatnonzero(is_one_way & (n_values >= FEWEST_VALUES)):
        yield int(i), "never falls" if usual[i] > 0 else "never rises"
    step = np.median(steps, axis=0)
    is_other = steps != step
    few = (step != 0) & (is_other.sum(axis=0) <= MOST_RESTARTS * len(steps))
    for i in np.flatnonzero(few):
        if len({*block[1:, i][is_other[:, i]].tolist()}) == 1:
            yield int(i), "changes by the same step in every row and begins again"


def refuse_named(path: Path, channels: Sequence[str], options: ReadOptions) -> None:
    """Refuse a channel whose name is that of times, row numbers or labels, and that nobody named.

    For formats that have a clock of their own; in tables such a column is one.
    """
    for name in channels:
        meaning = meaning_of(name)
        if meaning is not None and not options.is_named(name):
            what = {"time": "times", "index": "row numbers", "label": "labels"}[meaning.kind]
            problem = f"its channel '{name}' holds {what}, by its name"
            raise fault(path, problem, "name the channels to read in `channels`")


def single(values: NDArray[Any]) -> NDArray[np.float32]:
    """Return `values` in single precision; what it cannot hold becomes infinite."""
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(values, dtype=np.float32)


def select_channels(
    path: Path, names: list[str], requested: Sequence[str] | None, option: str = "channels"
) -> list[int]:
    """Return the positions of the channels that an option names, in its order; None: of all."""
    if requested is None:
        return list(range(len(names)))
    position = {name: i for i, name in enumerate(names)}
    for name in requested:
        if name not in position:
            problem = f"it has no channel '{name}', which `{option}` names"
            raise fault(path, problem, suggestion(name, list(position)))
        if list(requested).count(name) > 1:
            raise fault(path, f"`{option}` names '{name}' twice", "name each channel once")
    return [position[name] for name in requested]


def numbered_names(n_channels: int) -> list[str]:
    """Return names for channels without."""
    return [f"ch{i}" for i in range(n_channels)]


def unique_names(names: list[str]) -> list[str]:
    """Return names that differ: a repeated one gets a number, an empty one its position."""
    taken: dict[str, int] = {}
    for i, raw in enumerate(names):
        name = unique = plain(raw.replace("\0", "")) or f"ch{i}"
        while unique in taken:
            taken[name] += 1
            unique = f"{name}.{taken[name]}"
        taken[unique] = 1
    return list(taken)


def plain_unit(unit: str | None) -> str:
    """Return a unit without the padding of headers."""
    return (unit or "").replace("\0", "").strip()


def same_unit(one: str, other: str) -> bool:
    """Return whether two units are the same, however micro is written: µV is uV."""
    return re.sub("[µμ]", "u", one) == re.sub("[µμ]", "u", other)


def common_rate_hz(
    path: Path, channels: list[str], rates: list[float], *, may_resample: bool = False
) -> float | None:
    """Return the one sampling rate of channels; None without channels."""
    if not rates:
        return None
    for name, rate in zip(channels, rates, strict=True):
        if rate != rates[0]:
            problem = f"mixed rates: '{channels[0]}' at {rates[0]:g} Hz, '{name}' at {rate:g} Hz"
            hint = "select channels of one rate with `channels`"
            resample = "set `resample: true` and the rate to bring them to in `sampling_rate_hz`"
            raise fault(path, problem, f"{resample}, or {hint}" if may_resample else hint)
    return float(rates[0])
