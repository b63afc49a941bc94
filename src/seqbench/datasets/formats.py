"""Single recordings in files, one reader for each format.

Whatever is wrong with a file becomes a `DataError` of one sentence that names
the file, the row and the mend. What a format says before its samples come, and
the checks of samples, serve `chunks` as well, which reads piece by piece.
"""

import math
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqbench.config.registry import suggestion
from seqbench.datasets.base import DataError, explained, fault
from seqbench.datasets.tables import check_width, csv_rows, delimiter, number, plain

CLOCKS = ("time", "time_s", "t", "timestamp", "seconds")
LARGEST = float(np.finfo(np.float32).max)
MISFIT_LIMIT = 0.5  # of a step: times rounded to milliseconds pass, a missing sample does not
FINITE_MEND = "cut it out or fill it in before handing the recording over"
GRID_MEND = (
    "put the samples on a uniform grid, or remove the column and set `sampling_rate_hz`;"
    " rename the column if it is not a time in seconds"
)
BLOCK_SAMPLES = 1 << 16  # most samples that are read at once where a file is read in pieces
BLOCK_CELLS = 1 << 22  # the same for many channels: 32 MiB in double precision
RATE_KEY = "sampling_rate_hz"


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One recording as its file states it.

    Parameters
    ----------
    signal
        (n_samples, C) float32, finite, at least one sample and one channel.
    channels, units
        One per channel, names unique; a unit is "" where the file has none.
    sampling_rate_hz
        Samples per second; None where the file does not say.
    files
        What was read: the file itself, and the signal files of a WFDB header.
    """

    signal: NDArray[np.float32]
    channels: list[str]
    units: list[str]
    sampling_rate_hz: float | None
    files: list[Path]


def read_recording(path: Path, channels: Sequence[str] | None = None) -> Recording:
    """Read one recording, samples x channels.

    Parameters
    ----------
    path
        A file whose suffix is a key of `READERS`.
    channels
        Names of the channels to keep, in this order; None keeps all as they
        stand. A column that is not kept may hold anything.

    Raises
    ------
    DataError
        If the file is missing, damaged, empty, or holds other than finite numbers.
    """
    with readable(path) as suffix:
        return READERS[suffix](path, composed(channels))


@contextmanager
def readable(path: Path) -> Iterator[str]:
    """Yield the key of `READERS` for `path`; whatever reading raises becomes a `DataError`."""
    suffix = path.suffix.lower()
    if suffix not in READERS:
        known = "convert it to one of " + ", ".join(READERS)
        raise fault(path, f"'{suffix}' is no format of recordings", known)
    with explained(path, f"it may be cut short or damaged: write the {suffix} file anew"):
        if not path.is_file():
            raise fault(path, "there is no such file", "correct the name or restore the file")
        yield suffix


def composed(channels: Sequence[str] | None) -> list[str] | None:
    """Return names of channels in the form in which those of files are compared with them."""
    return None if channels is None else [plain(name) for name in channels]


def block_samples(n_channels: int) -> int:
    """Return how many samples of so many channels are read at once."""
    return max(1, min(BLOCK_SAMPLES, BLOCK_CELLS // max(1, n_channels)))


# Tables.


@dataclass(frozen=True)
class Columns:
    """What to take from a table.

    Parameters
    ----------
    positions, names
        Of the columns; that of the time comes first if there is one.
    has_clock
        Whether there is one.
    """

    positions: list[int]
    names: list[str]
    has_clock: bool

    @property
    def channels(self) -> list[str]:
        """The names without that of the time column."""
        return self.names[int(self.has_clock) :]


def table_columns(
    path: Path, header: list[str] | None, width: int, wanted: Sequence[str] | None
) -> Columns:
    """Return what to take from a table of `width` columns, which `header` may name."""
    if header is None:
        names, clock = _numbered(width), None
    else:
        names, clock = _unique(header), _clock(path, header, wanted)
    picked = _pick(path, names, wanted, leave_out=clock)
    positions = ([] if clock is None else [clock]) + picked
    return Columns(positions, [names[i] for i in positions], clock is not None)


def _csv(path: Path, wanted: Sequence[str] | None) -> Recording:
    table = CsvTable(path, wanted)
    nothing = np.empty((0, len(table.columns.positions)))
    values = np.concatenate([nothing, *table.blocks()])
    return _from_table(path, values, table.columns, table.line_of)


class CsvTable:
    """A CSV file with a recording: its columns, and its numbers block by block.

    Parameters
    ----------
    path
        UTF-8, separated by commas, semicolons or tabs; the first row may name
        the columns.
    wanted
        Names of the channels to take, in this order; None takes all.

    Raises
    ------
    DataError
        If the file is empty, or its first row mixes names and numbers.
    """

    def __init__(self, path: Path, wanted: Sequence[str] | None) -> None:
        first = next(csv_rows(path), None)
        if first is None:
            raise fault(path, "the file is empty", "fill it or remove it")
        line, cells = first
        header = header_names(path, line, cells)
        self.columns = table_columns(path, header, len(cells), wanted)
        self._path = path
        self._width = len(cells)
        self._n_rows_above = 0 if header is None else 1  # above the numbers
        self._n_lines_above = 0 if header is None else line

    def blocks(self) -> Generator[NDArray[np.float64], None, None]:
        """Yield the columns, (n, columns), finite in single precision, n up to `block_samples`.

        What the fast parser refuses is read cell by cell from there on; that
        finds the fault, or there is none.
        """
        import pandas as pd

        positions = self.columns.positions
        n_done = 0
        try:
            with pd.read_csv(
                self._path,
                sep=delimiter(self._path),
                header=None,
                skiprows=self._n_lines_above,
                dtype={i: float if i in positions else str for i in range(self._width)},
                chunksize=block_samples(self._width),
            ) as frames:
                for frame in frames:
                    if frame.shape[1] != self._width:
                        break
                    values = frame[positions].to_numpy(np.float64)
                    if not np.isfinite(single(values)).all():
                        break
                    yield values
                    n_done += len(values)
                else:
                    return
        except ValueError:  # parser errors and undecodable bytes, too
            pass
        rows = islice(csv_rows(self._path), self._n_rows_above + n_done, None)
        while block := list(islice(rows, block_samples(self._width))):
            yield row_numbers(self._path, block, self._width, self.columns)

    def line_of(self, sample: int) -> int:
        """Return the line, from 1, on which a sample stands."""
        return next(islice(csv_rows(self._path), self._n_rows_above + sample, None))[0]


def header_names(path: Path, line: int, cells: list[str]) -> list[str] | None:
    """Return the names in the first row; None if it holds numbers."""
    numbers = [cell for cell in cells if number(cell) is not None]
    if len(numbers) == len(cells):
        return None
    for cell in numbers:
        if not cell.strip().isdecimal():  # 0, 1, 2 are names that tools give
            problem = f"{_quoted(cell)} stands in the first row beside what is no number"
            mend = "write names alone or numbers alone"
            raise fault(path, problem, mend, row=line)
    for position, cell in enumerate(cells, start=1):
        if not cell.strip() or "\n" in cell or "\r" in cell:
            problem = f"column {position} has {'more lines in its' if cell.strip() else 'no'} name"
            raise fault(path, problem, "name it on one line or remove the column", row=line)
    return [plain(cell) for cell in cells]


def row_numbers(
    path: Path, rows: list[tuple[int, list[str]]], width: int, columns: Columns
) -> NDArray[np.float64]:
    """Return the numbers in rows, each a line and its cells, as (n, columns).

    Raises
    ------
    DataError
        If a row has not `width` cells, or one to take is no finite number.
    """
    values = []
    for line, cells in rows:
        check_width(path, line, cells, width)
        for name, i in zip(columns.names, columns.positions, strict=True):
            values.append(_number(path, line, name, cells[i]))
    return np.array(values, dtype=np.float64).reshape(len(rows), len(columns.positions))


def _number(path: Path, line: int, column: str, cell: str) -> float:
    value = number(cell)
    if value is None:
        if not cell.strip():
            raise fault(path, "the cell is empty", FINITE_MEND, row=line, column=column)
        mend = "write a number with a decimal point; comma, semicolon or tab separate cells"
        raise fault(path, f"{_quoted(cell)} is not a number", mend, row=line, column=column)
    if not abs(value) <= LARGEST:
        raise fault(path, f"{cell.strip()} is not finite", FINITE_MEND, row=line, column=column)
    return value


def _parquet(path: Path, wanted: Sequence[str] | None) -> Recording:
    import pandas as pd

    frame = index_as_columns(pd.read_parquet(path))
    columns = frame_columns(path, frame, wanted)
    values = frame_numbers(frame, columns)
    return _from_table(path, values, columns, lambda sample: sample + 1)


def index_as_columns(frame: Any) -> Any:
    """Return a data frame with its index as columns if that has names: a clock may be kept so."""
    named = any(name is not None for name in frame.index.names)
    return frame.reset_index() if named else frame


def frame_columns(path: Path, frame: Any, wanted: Sequence[str] | None) -> Columns:
    """Return what to take from a data frame, all of it numbers."""
    import pandas as pd

    header = [plain(str(name)) for name in frame.columns]
    columns = table_columns(path, header, len(header), wanted)
    for name, i in zip(columns.names, columns.positions, strict=True):
        if not pd.api.types.is_numeric_dtype(frame.dtypes.iloc[i]):
            problem = f"it holds {frame.dtypes.iloc[i]}, not numbers"
            mend = "convert it (a time column holds seconds) or leave it out"
            raise fault(path, problem, mend, column=name)
    return columns


def frame_numbers(frame: Any, columns: Columns) -> NDArray[np.float64]:
    """Return the columns of a data frame, (n, columns), NaN where a number is missing."""
    values: NDArray[np.float64] = frame.iloc[:, columns.positions].to_numpy(
        np.float64, na_value=np.nan
    )
    return values


def _clock(path: Path, header: list[str], wanted: Sequence[str] | None) -> int | None:
    """Return the position of the time column; None without one."""
    found = [
        i
        for i, name in enumerate(header)
        if name.lower() in CLOCKS and (wanted is None or name not in wanted)
    ]
    if len(found) > 1:
        names = " and ".join(f"'{header[i]}'" for i in found)
        mend = "rename what is a channel and remove what is not"
        raise fault(path, f"{names} are both names of a time column", mend)
    return found[0] if found else None


def _from_table(
    path: Path, values: NDArray[np.float64], columns: Columns, line_of: Callable[[int], int]
) -> Recording:
    """Return a recording from columns, of which the first may be the clock."""
    rate = None
    if columns.has_clock and len(values):
        check_finite(path, values[:, :1], columns.names[:1])
        clock = Clock(path, columns.names[0], line_of)
        clock.extend(values[:, 0])
        rate = clock.rate_hz()
    channels = columns.channels
    signal = values[:, int(columns.has_clock) :]
    return _recording(path, signal, channels, [""] * len(channels), rate)


class Clock:
    """A time column in seconds, held to uniform steps as its times come.

    The usual step is the mean from the first time to the last one so far. A
    step may differ from it by less than `MISFIT_LIMIT` of it, and a time by one
    step from the line that it draws. The last time of each earlier block stands
    for the others in it when the line is drawn anew.

    Parameters
    ----------
    path, column
        What a message names.
    line_of
        Returns the line on which a sample stands.
    """

    def __init__(self, path: Path, column: str, line_of: Callable[[int], int]) -> None:
        self._path = path
        self._column = column
        self._line_of = line_of
        self._samples: list[int] = []  # the first sample, and the last one of every block
        self._times: list[float] = []
        self._mean = math.nan
        self._drift = math.nan

    def extend(self, times: NDArray[np.float64]) -> None:
        """Check the next times, (n,), at least one and finite; raise `DataError` at a fault."""
        if self._samples:  # a block starts with the last time of the one before
            times = np.concatenate([self._times[-1:], times])
        else:
            self._samples, self._times = [0], [float(times[0])]
        first = self._samples[-1]
        if len(times) < 2:
            return
        steps = np.diff(times)
        if (steps <= 0).any():
            at = int(np.argmax(steps <= 0)) + 1
            problem = f"{times[at]:.10g} s is not after {times[at - 1]:.10g} s"
            raise self._fault(first + at, problem)
        self._samples.append(first + len(steps))
        self._times.append(float(times[-1]))
        mean = (self._times[-1] - self._times[0]) / self._samples[-1]
        misfit = np.abs(steps - mean)
        if misfit.max() >= MISFIT_LIMIT * mean:
            at = int(np.argmax(misfit)) + 1
            usual = float(np.median(steps))
            problem = f"the step of {steps[at - 1]:.6g} s is not uniform with {usual:.6g} s"
            raise self._fault(first + at, problem)
        samples = np.concatenate([self._samples, first + np.arange(len(times))])
        drift = np.concatenate([self._times, times]) - self._times[0] - mean * samples
        if np.abs(drift).max() > mean:
            problem = "the steps are not uniform: the clock drifts by over one sample"
            raise self._fault(int(samples[np.argmax(np.abs(drift))]), problem)
        self._mean = mean
        self._drift = float(np.abs(drift).max())

    def rate_hz(self) -> float | None:
        """Return the rate so far, a whole number if the rounding of the times allows for one.

        None while there are fewer than two times.
        """
        if len(self._samples) < 2:
            return None
        rate = 1 / self._mean
        slack = rate * (2 * self._drift / (self._times[-1] - self._times[0]) + 1e-9)
        whole = round(rate)
        return float(whole) if whole and abs(whole - rate) <= slack else float(rate)

    def _fault(self, sample: int, problem: str) -> DataError:
        row = self._line_of(sample)
        return fault(self._path, problem, GRID_MEND, row=row, column=self._column)


# Arrays and containers.


def _numpy(path: Path, wanted: Sequence[str] | None) -> Recording:
    with unpickled(path):
        with path.open("rb") as file:  # NumPy leaves a broken archive open
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return _from_array(path, wanted, loaded, None)
            signal = loaded[signal_key(path, [key for key in loaded.files if key != RATE_KEY])]
            rate = loaded[RATE_KEY] if RATE_KEY in loaded.files else None
        return _from_array(path, wanted, signal, rate)


@contextmanager
def unpickled(path: Path) -> Iterator[None]:
    """Turn the advice of NumPy to unpickle a file, which can run code, into a refusal."""
    try:
        yield
    except DataError:
        raise
    except ValueError as error:
        if "pickle" not in str(error):
            raise
        raise pickled(path) from None


def pickled(path: Path) -> DataError:
    """Return the refusal of a pickle."""
    problem = "it is damaged or holds Python objects (a pickle), which are not read"
    return fault(path, problem, "save plain numbers with np.save or np.savez")


def _hdf5(path: Path, wanted: Sequence[str] | None) -> Recording:
    import h5py

    with h5py.File(path, "r") as file:
        dataset, rate = hdf5_signal(path, file)
        return _from_array(path, wanted, dataset[()], rate)


def hdf5_signal(path: Path, file: Any) -> tuple[Any, ArrayLike | None]:
    """Return the data set that is the recording, and the rate if the file says it."""
    import h5py

    keys: list[str] = []
    file.visit(keys.append)
    dataset = file[signal_key(path, [key for key in keys if isinstance(file[key], h5py.Dataset)])]
    if dataset.external or dataset.is_virtual:
        mend = "copy the samples into this file"
        raise fault(path, f"the samples of '{dataset.name}' are in other files", mend)
    if not _is_stored(dataset):
        mend = "restore the complete file, or cut it to what was written"
        raise fault(path, f"'{dataset.name}' has samples that were never written", mend)
    return dataset, dataset.attrs.get(RATE_KEY, file.attrs.get(RATE_KEY))


def _is_stored(dataset: Any) -> bool:
    """Return whether every sample stands in the file: a header alone can claim any number."""
    if dataset.chunks is None:
        return bool(dataset.id.get_storage_size() >= dataset.size * dataset.dtype.itemsize)
    n_chunks = [-(-n // length) for n, length in zip(dataset.shape, dataset.chunks, strict=True)]
    return bool(dataset.id.get_num_chunks() == math.prod(n_chunks))


def signal_key(path: Path, keys: list[str]) -> str:
    """Return the key of the signal among those of a container."""
    if "signal" in keys:
        return "signal"
    if len(keys) != 1:
        held = f"arrays {', '.join(keys[:8])}" if keys else "no array"
        raise fault(path, f"it holds {held}", "name the one that is the recording 'signal'")
    return keys[0]


def _from_array(
    path: Path, wanted: Sequence[str] | None, array: ArrayLike, rate: ArrayLike | None
) -> Recording:
    array = np.asarray(array)
    check_array(path, array.dtype, array.shape)
    values = array if array.ndim == 2 else array[:, None]
    channels, picked = array_channels(path, values.shape[1], wanted)
    signal = values if picked is None else values[:, picked]
    return _recording(path, signal, channels, [""] * len(channels), array_rate_hz(path, rate))


def check_array(path: Path, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    """Refuse an array that is no recording."""
    if dtype.kind not in "biuf":
        raise fault(path, f"it holds {dtype}, not numbers", "save plain numbers")
    if len(shape) not in (1, 2):
        mend = "save it as (n_samples,) or (n_samples, n_channels)"
        raise fault(path, f"its array has the shape {shape}", mend)


def array_channels(
    path: Path, width: int, wanted: Sequence[str] | None
) -> tuple[list[str], list[int] | None]:
    """Return names of channels, and their columns if those are not all columns as they stand."""
    names = _numbered(width)
    picked = _pick(path, names, wanted)
    return [names[i] for i in picked], None if picked == list(range(width)) else picked


def array_rate_hz(path: Path, rate: ArrayLike | None) -> float | None:
    """Return the rate that a container states beside its array, as one number."""
    if rate is None:
        return None
    rate = np.asarray(rate)
    if rate.size != 1 or rate.dtype.kind not in "iuf":
        mend = "store one number of samples per second"
        raise fault(path, "its sampling_rate_hz is not a number", mend)
    return float(rate.item())


# Formats that name their signals.


@dataclass(frozen=True)
class Signals:
    """Which signals of a file are the channels, and what its header says of them."""

    positions: list[int]
    channels: list[str]
    units: list[str]
    sampling_rate_hz: float | None


def _edf(path: Path, wanted: Sequence[str] | None) -> Recording:
    import pyedflib

    with pyedflib.EdfReader(str(path), pyedflib.DO_NOT_READ_ANNOTATIONS) as file:
        signals = edf_signals(path, file, wanted)
        values = _stacked([file.readSignal(i) for i in signals.positions])
    return _recording(path, values, signals.channels, signals.units, signals.sampling_rate_hz)


def edf_signals(path: Path, file: Any, wanted: Sequence[str] | None) -> Signals:
    """Return what to take from an open EDF file."""
    labels = [label.strip() for label in file.getSignalLabels()]
    kept = [i for i, label in enumerate(labels) if label != "EDF Annotations"]
    names = _unique([labels[i] for i in kept])
    picked = _pick(path, names, wanted)
    positions = [kept[i] for i in picked]
    channels = [names[i] for i in picked]
    rate = _one_rate(path, channels, [file.getSampleFrequency(i) for i in positions])
    units = [file.getPhysicalDimension(i).strip() for i in positions]
    return Signals(positions, channels, units, rate)


def _wfdb(path: Path, wanted: Sequence[str] | None) -> Recording:
    import wfdb

    header, files = wfdb_header(path)
    signals = wfdb_signals(path, header, wanted)
    # Without smoothing a signal with several samples a frame keeps them all.
    record = wfdb.rdrecord(str(path.with_suffix("")), smooth_frames=False)
    values = wfdb_values(path, record, signals)
    rate = signals.sampling_rate_hz
    return _recording(path, values, signals.channels, signals.units, rate, files)


def wfdb_header(path: Path) -> tuple[Any, list[Path]]:
    """Return the header of a WFDB record, and the files it consists of."""
    import wfdb

    header = wfdb.rdheader(str(path.with_suffix("")))
    if isinstance(header, wfdb.MultiRecord):
        mend = "write it as one record, and leave its segments out of the folder"
        raise fault(path, "it joins several segments", mend)
    parts = sorted({str(name) for name in header.file_name or []})
    for name in parts:
        if not path.with_name(name).is_file():
            mend = "put that file beside the header"
            raise fault(path, f"its signal file {_quoted(name)} is not beside it", mend)
    return header, [path, *(path.with_name(name) for name in parts)]


def wfdb_signals(path: Path, header: Any, wanted: Sequence[str] | None) -> Signals:
    """Return what to take from a WFDB record."""
    names = _unique([str(name or "") for name in header.sig_name or []])
    picked = _pick(path, names, wanted)
    channels = [names[i] for i in picked]
    rate = _one_rate(path, channels, [header.fs * header.samps_per_frame[i] for i in picked])
    units = [str(header.units[i] or "") for i in picked]
    return Signals(picked, channels, units, rate)


def wfdb_values(path: Path, record: Any, signals: Signals) -> NDArray[np.float64]:
    """Return the samples of a WFDB record that was read without smoothing, (n_samples, C)."""
    values = [record.e_p_signal[i] for i in signals.positions]
    for one, i in zip(values, signals.positions, strict=True):
        n_samples = record.sig_len * record.samps_per_frame[i]
        if len(one) != n_samples:
            problem = f"its signal file holds {len(one)} of {n_samples} samples"
            raise fault(path, problem, "restore the complete file")
    return _stacked(values)


def _stacked(columns: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.column_stack(columns) if columns else np.empty((0, 0))


def _one_rate(path: Path, channels: list[str], rates: list[float]) -> float | None:
    if not rates:
        return None
    for name, rate in zip(channels, rates, strict=True):
        if rate != rates[0]:
            problem = f"mixed rates: '{channels[0]}' at {rates[0]:g} Hz, '{name}' at {rate:g} Hz"
            mend = "resample them, or select channels of one rate with `channels`"
            raise fault(path, problem, mend)
    return float(rates[0])


# What all formats share.


def _recording(
    path: Path,
    values: NDArray[Any],
    channels: list[str],
    units: list[str],
    rate: float | None,
    files: list[Path] | None = None,
) -> Recording:
    check_recording(path, channels, len(values), rate)
    check_finite(path, values, channels)
    return Recording(
        signal=single(values),
        channels=channels,
        units=plain_units(units),
        sampling_rate_hz=rate,
        files=files or [path],
    )


def check_recording(
    path: Path, channels: list[str], n_samples: int | None, rate: float | None
) -> None:
    """Refuse a recording that is empty, or has a rate that none can have."""
    if not channels:
        raise fault(path, "it holds no channels", "add a column of numbers or remove the file")
    if n_samples == 0:
        raise fault(path, "it holds no samples", "add rows or remove the file")
    if rate is not None and not (math.isfinite(rate) and rate > 0):
        mend = "correct it to the number of samples per second"
        raise fault(path, f"its sampling rate is {rate:g} Hz", mend)


def check_finite(path: Path, values: NDArray[Any], channels: list[str], n_before: int = 0) -> None:
    """Refuse samples, (n, C), that single precision cannot hold; `n_before` stand above them."""
    finite = np.isfinite(single(values))
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        problem = f"the value {values[row, column]} is not finite in single precision"
        name = channels[column]
        raise fault(path, problem, FINITE_MEND, row=n_before + int(row) + 1, column=name)


def plain_units(units: list[str]) -> list[str]:
    """Return units without what pads them in a header."""
    return [unit.replace("\0", "").strip() for unit in units]


def single(values: NDArray[Any]) -> NDArray[np.float32]:
    """Return `values` in single precision; what it cannot hold becomes infinite."""
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(values, dtype=np.float32)


def _pick(
    path: Path, names: list[str], wanted: Sequence[str] | None, leave_out: int | None = None
) -> list[int]:
    """Return the positions of the wanted channels, in the order they are wanted."""
    position = {name: i for i, name in enumerate(names) if i != leave_out}
    if wanted is None:
        return list(position.values())
    for name in wanted:
        if name not in position:
            problem = f"it has no channel '{name}', which `channels` names"
            raise fault(path, problem, suggestion(name, list(position)))
        if list(wanted).count(name) > 1:
            raise fault(path, f"`channels` names '{name}' twice", "name each channel once")
    return [position[name] for name in wanted]


def _numbered(n_channels: int) -> list[str]:
    return [f"ch{i}" for i in range(n_channels)]


def _unique(names: list[str]) -> list[str]:
    """Return names that differ: a repeated one gets a number, an empty one its position."""
    taken: dict[str, int] = {}
    for i, raw in enumerate(names):
        name = unique = plain(raw.replace("\0", "")) or f"ch{i}"
        while unique in taken:
            taken[name] += 1
            unique = f"{name}.{taken[name]}"
        taken[unique] = 1
    return list(taken)


def _quoted(cell: str) -> str:
    return repr(cell if len(cell) <= 40 else cell[:37] + "...")


READERS: dict[str, Callable[[Path, Sequence[str] | None], Recording]] = {
    ".csv": _csv,
    ".parquet": _parquet,
    ".npy": _numpy,
    ".npz": _numpy,
    ".h5": _hdf5,
    ".hdf5": _hdf5,
    ".edf": _edf,
    ".hea": _wfdb,
}
