"""Single recordings in files, one reader for each format.

Whatever is wrong with a file becomes a `DataError` of one sentence that names
the file, the row and the mend.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqbench.datasets.base import DataError, explained, fault
from seqbench.datasets.tables import check_width, csv_rows, delimiter, number, plain
from seqbench.registry import suggestion

CLOCKS = ("time", "time_s", "t", "timestamp", "seconds")
LARGEST = float(np.finfo(np.float32).max)
MISFIT_LIMIT = 0.5  # of a step: times rounded to milliseconds pass, a missing sample does not
FINITE_MEND = "cut it out or fill it in before handing the recording over"


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
    suffix = path.suffix.lower()
    if suffix not in READERS:
        known = "convert it to one of " + ", ".join(READERS)
        raise fault(path, f"'{suffix}' is no format of recordings", known)
    with explained(path, f"it may be cut short or damaged: write the {suffix} file anew"):
        if not path.is_file():
            raise fault(path, "there is no such file", "correct the name or restore the file")
        return READERS[suffix](path, channels and [plain(name) for name in channels])


def _csv(path: Path, wanted: Sequence[str] | None) -> Recording:
    first = next(csv_rows(path), None)
    if first is None:
        raise fault(path, "the file is empty", "fill it or remove it")
    line, cells = first
    header = _header(path, line, cells)
    if header is None:
        names, clock = _numbered(len(cells)), None
    else:
        names = _unique(header)
        clock = _clock(path, header, wanted)
    picked = _pick(path, names, wanted, leave_out=clock)
    columns = {i: names[i] for i in ([] if clock is None else [clock]) + picked}
    skip = 0 if header is None else 1  # rows above the numbers
    values = _fast(path, line * skip, len(cells), list(columns))
    if values is None:
        values = _careful(path, skip, len(cells), columns)

    def line_of(sample: int) -> int:
        return next(islice(csv_rows(path), skip + sample, None))[0]

    return _from_table(path, values, [names[i] for i in columns], clock is not None, line_of)


def _header(path: Path, line: int, cells: list[str]) -> list[str] | None:
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


def _fast(
    path: Path, n_lines_above: int, width: int, columns: list[int]
) -> NDArray[np.float64] | None:
    """Return columns of a well-formed file; None if it is not, for `_careful` to say why."""
    import pandas as pd

    types: dict[int, type] = {i: float if i in columns else str for i in range(width)}
    try:
        frame = pd.read_csv(
            path, sep=delimiter(path), header=None, skiprows=n_lines_above, dtype=types
        )
    except ValueError:  # parser errors and undecodable bytes, too
        return None
    if frame.shape[1] != width:
        return None
    values = frame[columns].to_numpy(np.float64)
    return values if np.isfinite(_single(values)).all() else None


def _careful(path: Path, skip: int, width: int, columns: dict[int, str]) -> NDArray[np.float64]:
    values = []
    for line, cells in islice(csv_rows(path), skip, None):
        check_width(path, line, cells, width)
        values += [_number(path, line, name, cells[i]) for i, name in columns.items()]
    return np.array(values, dtype=np.float64).reshape(-1, len(columns))


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

    frame = pd.read_parquet(path)
    if any(name is not None for name in frame.index.names):  # a clock may be kept as the index
        frame = frame.reset_index()
    header = [plain(str(name)) for name in frame.columns]
    names = _unique(header)
    clock = _clock(path, header, wanted)
    picked = _pick(path, names, wanted, leave_out=clock)
    columns = ([] if clock is None else [clock]) + picked
    for i in columns:
        if not pd.api.types.is_numeric_dtype(frame.dtypes.iloc[i]):
            problem = f"it holds {frame.dtypes.iloc[i]}, not numbers"
            mend = "convert it (a time column holds seconds) or leave it out"
            raise fault(path, problem, mend, column=names[i])
    values = frame.iloc[:, columns].to_numpy(np.float64, na_value=np.nan)
    return _from_table(
        path, values, [names[i] for i in columns], clock is not None, lambda sample: sample + 1
    )


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
    path: Path,
    values: NDArray[np.float64],
    names: list[str],
    has_clock: bool,
    line_of: Callable[[int], int],
) -> Recording:
    """Return a recording from columns, of which the first may be the clock."""
    rate = None
    if has_clock and len(values):
        _check_finite(path, values[:, :1], names[:1])
        rate = _clock_rate_hz(path, names[0], values[:, 0], line_of)
    start = int(has_clock)
    channels = names[start:]
    return _recording(path, values[:, start:], channels, [""] * len(channels), rate)


def _clock_rate_hz(
    path: Path, column: str, times: NDArray[np.float64], line_of: Callable[[int], int]
) -> float | None:
    """Return the rate of a clock in seconds, a whole number if its rounding allows for one."""
    if len(times) < 2:
        return None
    steps = np.diff(times)
    mean = (times[-1] - times[0]) / len(steps)
    drift = times - times[0] - mean * np.arange(len(times))
    mend = (
        "put the samples on a uniform grid, or remove the column and set `sampling_rate_hz`;"
        " rename the column if it is not a time in seconds"
    )

    def complaint(sample: np.intp, problem: str) -> DataError:
        return fault(path, problem, mend, row=line_of(int(sample)), column=column)

    if (steps <= 0).any():
        sample = np.argmax(steps <= 0) + 1
        raise complaint(sample, f"{times[sample]:.10g} s is not after {times[sample - 1]:.10g} s")
    misfit = np.abs(steps - mean)
    if misfit.max() >= MISFIT_LIMIT * mean:
        sample = np.argmax(misfit) + 1
        usual = float(np.median(steps))
        raise complaint(
            sample, f"the step of {steps[sample - 1]:.6g} s is not uniform with {usual:.6g} s"
        )
    if np.abs(drift).max() > mean:
        sample = np.argmax(np.abs(drift))
        raise complaint(sample, "the steps are not uniform: the clock drifts by over one sample")
    rate = 1 / mean
    slack = rate * (2 * np.abs(drift).max() / (times[-1] - times[0]) + 1e-9)
    whole = round(rate)
    return float(whole) if whole and abs(whole - rate) <= slack else float(rate)


# Arrays and containers.


def _numpy(path: Path, wanted: Sequence[str] | None) -> Recording:
    try:
        with path.open("rb") as file:  # NumPy leaves a broken archive open
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return _from_array(path, wanted, loaded, None)
            keys = [key for key in loaded.files if key != "sampling_rate_hz"]
            signal = loaded[_only(path, keys)]
            rate = loaded["sampling_rate_hz"] if "sampling_rate_hz" in loaded.files else None
        return _from_array(path, wanted, signal, rate)
    except DataError:
        raise
    except ValueError as error:
        if "pickle" not in str(error):
            raise
        # NumPy's own message advises to unpickle, which can run code.
        problem = "it is damaged or holds Python objects (a pickle), which are not read"
        raise fault(path, problem, "save plain numbers with np.save or np.savez") from None


def _hdf5(path: Path, wanted: Sequence[str] | None) -> Recording:
    import h5py

    with h5py.File(path, "r") as file:
        keys: list[str] = []
        file.visit(keys.append)
        dataset = file[_only(path, [key for key in keys if isinstance(file[key], h5py.Dataset)])]
        rate = dataset.attrs.get("sampling_rate_hz", file.attrs.get("sampling_rate_hz"))
        return _from_array(path, wanted, dataset[()], rate)


def _only(path: Path, keys: list[str]) -> str:
    """Return the key of the signal."""
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
    if array.dtype.kind not in "biuf":
        raise fault(path, f"it holds {array.dtype}, not numbers", "save plain numbers")
    if array.ndim not in (1, 2):
        mend = "save it as (n_samples,) or (n_samples, n_channels)"
        raise fault(path, f"its array has the shape {array.shape}", mend)
    values = array if array.ndim == 2 else array[:, None]
    names = _numbered(values.shape[1])
    picked = _pick(path, names, wanted)
    if picked != list(range(len(names))):
        values = values[:, picked]
    if rate is not None:
        rate = np.asarray(rate)
        if rate.size != 1 or rate.dtype.kind not in "iuf":
            mend = "store one number of samples per second"
            raise fault(path, "its sampling_rate_hz is not a number", mend)
        rate = float(rate.item())
    return _recording(path, values, [names[i] for i in picked], [""] * len(picked), rate)


def _edf(path: Path, wanted: Sequence[str] | None) -> Recording:
    import pyedflib

    with pyedflib.EdfReader(str(path), pyedflib.DO_NOT_READ_ANNOTATIONS) as file:
        labels = [label.strip() for label in file.getSignalLabels()]
        kept = [i for i, label in enumerate(labels) if label != "EDF Annotations"]
        names = _unique([labels[i] for i in kept])
        picked = _pick(path, names, wanted)
        columns = [kept[i] for i in picked]
        channels = [names[i] for i in picked]
        rate = _one_rate(path, channels, [file.getSampleFrequency(i) for i in columns])
        values = [file.readSignal(i) for i in columns]
        units = [file.getPhysicalDimension(i).strip() for i in columns]
    return _recording(path, _stacked(values), channels, units, rate)


def _wfdb(path: Path, wanted: Sequence[str] | None) -> Recording:
    import wfdb

    stem = str(path.with_suffix(""))
    header = wfdb.rdheader(stem)
    if isinstance(header, wfdb.MultiRecord):
        mend = "write it as one record, and leave its segments out of the folder"
        raise fault(path, "it joins several segments", mend)
    parts = sorted({str(name) for name in header.file_name or []})
    for name in parts:
        if not path.with_name(name).is_file():
            mend = "put that file beside the header"
            raise fault(path, f"its signal file {_quoted(name)} is not beside it", mend)
    names = _unique([str(name or "") for name in header.sig_name or []])
    picked = _pick(path, names, wanted)
    channels = [names[i] for i in picked]
    frames = [header.samps_per_frame[i] for i in picked]
    rate = _one_rate(path, channels, [header.fs * n for n in frames])
    # Without smoothing a signal with several samples a frame keeps them all.
    record = wfdb.rdrecord(stem, smooth_frames=False)
    values = [record.e_p_signal[i] for i in picked]
    for one, n in zip(values, frames, strict=True):
        if len(one) != record.sig_len * n:
            problem = f"its signal file holds {len(one)} of {record.sig_len * n} samples"
            raise fault(path, problem, "restore the complete file")
    units = [str(record.units[i] or "") for i in picked]
    files = [path, *(path.with_name(name) for name in parts)]
    return _recording(path, _stacked(values), channels, units, rate, files)


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
    if not channels:
        raise fault(path, "it holds no channels", "add a column of numbers or remove the file")
    if not len(values):
        raise fault(path, "it holds no samples", "add rows or remove the file")
    if rate is not None and not (math.isfinite(rate) and rate > 0):
        mend = "correct it to the number of samples per second"
        raise fault(path, f"its sampling rate is {rate:g} Hz", mend)
    _check_finite(path, values, channels)
    return Recording(
        signal=_single(values),
        channels=channels,
        units=[unit.replace("\0", "").strip() for unit in units],
        sampling_rate_hz=rate,
        files=files or [path],
    )


def _check_finite(path: Path, values: NDArray[Any], channels: list[str]) -> None:
    finite = np.isfinite(_single(values))
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        problem = f"the value {values[row, column]} is not finite in single precision"
        raise fault(path, problem, FINITE_MEND, row=int(row) + 1, column=channels[column])


def _single(values: NDArray[Any]) -> NDArray[np.float32]:
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
