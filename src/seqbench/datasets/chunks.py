"""Recordings of any length, chunk by chunk: from files, and from streams that still run.

A chunk of a file costs the memory of one chunk, whatever the length of the
file, and holds what `formats.read_recording` would return of it. Chunks of a
stream come as soon as their rows have arrived.
"""

import csv
import io
import math
import re
import time
import zipfile
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, Any, BinaryIO, TextIO

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqbench.datasets.base import counted, explained, fault
from seqbench.datasets.formats import (
    BLOCK_SAMPLES,
    MISFIT_LIMIT,
    RATE_KEY,
    Clock,
    Columns,
    CsvTable,
    array_channels,
    array_rate_hz,
    block_samples,
    check_array,
    check_finite,
    check_recording,
    composed,
    edf_signals,
    frame_columns,
    frame_numbers,
    hdf5_signal,
    header_names,
    index_as_columns,
    pickled,
    plain_units,
    readable,
    row_numbers,
    signal_key,
    single,
    table_columns,
    unpickled,
    wfdb_header,
    wfdb_signals,
    wfdb_values,
)

MOST_CHANNELS = 1 << 16  # of an array; more are samples that lie along the wrong axis
HDF5_CACHE_BYTES = 1 << 27  # holds the pieces of an HDF5 file between two chunks
PIECE_BYTES = 1 << 18  # most that is taken from a stream, or from a Parquet column, at once
LINE_LIMIT_BYTES = 1 << 20  # of text; more is no line of numbers

Blocks = Iterator[NDArray[Any]]
Stream = TextIO | BinaryIO | io.RawIOBase


@dataclass(frozen=True, kw_only=True)
class _Source:
    """An open file: what it says of itself, and its samples as blocks, (n, C)."""

    channels: list[str]
    units: list[str]
    sampling_rate_hz: float | None
    n_samples: int | None
    blocks: Blocks


class ChunkedRecording(AbstractContextManager["ChunkedRecording"]):
    """One recording, read once from its first sample to its last one.

    Iterating yields (n, C) float32, finite, 0 < n <= `chunk_samples`; end to end
    they are `signal` of `read_recording`. A fault raises a `DataError` when the
    chunk that has it is reached. As a context manager it closes its file.

    Parameters
    ----------
    channels, units
        One per channel, names unique; a unit is "" where the file has none.
    sampling_rate_hz
        Samples per second; None where the file does not say. From a time column
        it is the rate of the first block, `block_samples` long; the rest of the
        column is checked as it is read, so that the rate of the whole column
        differs by less than one sample in that block.
    n_samples
        None where only reading tells, as in a CSV file.
    """

    def __init__(
        self,
        *,
        channels: list[str],
        units: list[str],
        sampling_rate_hz: float | None,
        n_samples: int | None,
        chunks: Iterator[NDArray[np.float32]],
        files: ExitStack,
    ) -> None:
        self.channels = channels
        self.units = units
        self.sampling_rate_hz = sampling_rate_hz
        self.n_samples = n_samples
        self._chunks = chunks
        self._files = files
        self._closed = False

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        if self._closed:
            raise ValueError("the recording is closed")
        return self._chunks

    def close(self) -> None:
        """Close the file; nothing more can be read."""
        self._closed = True
        self._files.close()

    def __exit__(self, *error: object) -> None:
        self.close()


def open_chunks(
    path: Path, channels: Sequence[str] | None = None, chunk_samples: int = BLOCK_SAMPLES
) -> ChunkedRecording:
    """Open one recording to be read chunk by chunk, in memory that its length does not change.

    Parameters
    ----------
    path
        A file whose suffix is a key of `formats.READERS`.
    channels
        Names of the channels to keep, in this order; None keeps all as they
        stand. A column that is not kept may hold anything.
    chunk_samples
        Most samples of one chunk; with more than 64 channels chunks get
        shorter, down to `block_samples`.

    Raises
    ------
    DataError
        If the file is missing, empty, or damaged where it says what it holds.
    ValueError
        If `chunk_samples` is below 1.
    """
    _check_length(chunk_samples)
    with ExitStack() as stack, readable(path) as suffix:
        source = OPENERS[suffix](path, composed(channels), stack)
        rate = source.sampling_rate_hz
        check_recording(path, source.channels, source.n_samples, rate)
        chunks = _chunks(path, source, chunk_samples)
        stack.enter_context(closing(chunks))
        return ChunkedRecording(
            channels=source.channels,
            units=plain_units(source.units),
            sampling_rate_hz=rate,
            n_samples=source.n_samples,
            chunks=chunks,
            files=stack.pop_all(),
        )


def _chunks(
    path: Path, source: _Source, chunk_samples: int
) -> Generator[NDArray[np.float32], None, None]:
    n_done = 0
    with readable(path):
        for block in source.blocks:
            check_finite(path, block, source.channels, n_done)
            n_done += len(block)
            yield from _cut(single(block), chunk_samples)


def _check_length(chunk_samples: int) -> None:
    if chunk_samples < 1:
        raise ValueError("a chunk has at least one sample")


def _cut(block: NDArray[np.float32], chunk_samples: int) -> Iterator[NDArray[np.float32]]:
    for start in range(0, len(block), chunk_samples):
        yield block[start : start + chunk_samples]


# Tables.


def _csv(path: Path, wanted: Sequence[str] | None, stack: ExitStack) -> _Source:
    table = CsvTable(path, wanted)
    return _table(path, table.blocks(), table.columns, table.line_of, None, stack)


def _parquet(path: Path, wanted: Sequence[str] | None, stack: ExitStack) -> _Source:
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    # Pages come through a small buffer: a row group may be as long as the file.
    file = stack.enter_context(pq.ParquetFile(path, buffer_size=PIECE_BYTES, pre_buffer=False))
    n_samples = file.metadata.num_rows
    index = _counting_index(file.schema_arrow.pandas_metadata, n_samples)
    empty = index_as_columns(_indexed(file.schema_arrow.empty_table().to_pandas(), index, 0))
    columns = frame_columns(path, empty, wanted)

    def blocks() -> Generator[NDArray[np.float64], None, None]:
        n_done = 0
        for batch in file.iter_batches(block_samples(len(empty.columns))):
            frame = index_as_columns(_indexed(batch.to_pandas(), index, n_done))
            n_done += len(frame)
            yield frame_numbers(frame, columns)

    return _table(path, blocks(), columns, lambda sample: sample + 1, n_samples, stack)


def _counting_index(metadata: dict[str, Any] | None, n_samples: int) -> dict[str, Any] | None:
    """Return the index of pandas if it counts rows, so that the file holds it as three numbers."""
    for index in (metadata or {}).get("index_columns", []):
        if isinstance(index, dict):
            counted_rows = len(range(index["start"], index["stop"], index["step"]))
            return index if counted_rows == n_samples else index | {"name": None}
    return None


def _indexed(frame: Any, index: dict[str, Any] | None, n_before: int) -> Any:
    """Return a part of a table with its part of the index that counts rows."""
    import pandas as pd

    if index is not None:
        start = index["start"] + n_before * index["step"]
        stop = start + len(frame) * index["step"]
        frame.index = pd.RangeIndex(start, stop, index["step"], name=index["name"])
    return frame


def _table(
    path: Path,
    blocks: Generator[NDArray[np.float64], None, None],
    columns: Columns,
    line_of: Callable[[int], int],
    n_samples: int | None,
    stack: ExitStack,
) -> _Source:
    """Return a source of the columns in `blocks`, of which the first may be the clock."""
    stack.enter_context(closing(blocks))
    first = next(blocks, None)
    clock = Clock(path, columns.names[0], line_of) if columns.has_clock else None
    n_done = 0

    def signal(block: NDArray[np.float64]) -> NDArray[np.float64]:
        nonlocal n_done
        if clock is not None:
            check_finite(path, block[:, :1], columns.names[:1], n_done)
            clock.extend(block[:, 0])
        n_done += len(block)
        return block[:, int(columns.has_clock) :]

    held = [] if first is None else [signal(first)]
    return _Source(
        channels=columns.channels,
        units=[""] * len(columns.channels),
        sampling_rate_hz=None if clock is None else clock.rate_hz(),
        n_samples=n_samples if held else 0,
        blocks=chain(held, map(signal, blocks)),
    )


# Arrays and containers.


def _numpy(path: Path, wanted: Sequence[str] | None, stack: ExitStack) -> _Source:
    file = stack.enter_context(path.open("rb"))
    magic = file.read(len(np.lib.format.MAGIC_PREFIX))
    file.seek(0)
    # As in NumPy, the first bytes say what a file is, not its suffix.
    if magic.startswith((b"PK\3\4", b"PK\5\6")):
        return _npz(path, wanted, file, stack)
    if magic != np.lib.format.MAGIC_PREFIX:
        raise pickled(path)
    return _array(path, wanted, file, lambda: file, None)


def _npz(path: Path, wanted: Sequence[str] | None, file: BinaryIO, stack: ExitStack) -> _Source:
    archive = stack.enter_context(zipfile.ZipFile(file))
    members = {name.removesuffix(".npy"): name for name in archive.namelist()}
    name = members[signal_key(path, [key for key in members if key != RATE_KEY])]
    rate = None
    if RATE_KEY in members:
        with archive.open(members[RATE_KEY]) as member, unpickled(path):
            rate = np.load(member, allow_pickle=False)

    # Handles of members hold no file of their own, so that the stack closes all there is.
    return _array(path, wanted, archive.open(name), lambda: archive.open(name), rate)


def _array(
    path: Path,
    wanted: Sequence[str] | None,
    file: IO[bytes],
    opened: Callable[[], IO[bytes]],
    rate: ArrayLike | None,
) -> _Source:
    """Return a source of the array that starts where `file` stands; `opened` gives handles of it.

    An array in Fortran order is read with one handle a channel, so that those
    of an archive, which is unpacked from its start on, need not go back.
    """
    with unpickled(path):
        shape, columns_first, dtype = _array_header(file)
    if dtype.hasobject:
        raise pickled(path)
    check_array(path, dtype, shape)
    n_samples, width = shape[0], math.prod(shape[1:])
    channels, picked = _array_channels(path, shape, wanted)

    def rows() -> Blocks:
        for n in _lengths(n_samples, width):
            block = _numbers(path, file, dtype, n * width).reshape(n, width)
            yield block if picked is None else block[:, picked]

    def columns() -> Blocks:
        origin = file.tell()
        positions = list(range(width)) if picked is None else picked
        handles = [opened() for _ in positions]
        start = 0
        for n in _lengths(n_samples, width):
            block = np.empty((n, len(positions)), dtype)
            for i, (handle, position) in enumerate(zip(handles, positions, strict=True)):
                handle.seek(origin + (position * n_samples + start) * dtype.itemsize)
                block[:, i] = _numbers(path, handle, dtype, n)
            start += n
            yield block

    return _Source(
        channels=channels,
        units=[""] * len(channels),
        sampling_rate_hz=array_rate_hz(path, rate),
        n_samples=n_samples,
        blocks=columns() if columns_first and width > 1 else rows(),
    )


def _array_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, whether columns come first, and type of the array that starts here."""
    headers: Any = np.lib.format
    version = headers.read_magic(file)
    if version == (1, 0):
        return headers.read_array_header_1_0(file)
    if version in ((2, 0), (3, 0)):  # they differ in names of fields alone, which numbers lack
        return headers.read_array_header_2_0(file)
    raise ValueError(f"version {version[0]}.{version[1]} of the NumPy format is unknown")


def _array_channels(
    path: Path, shape: tuple[int, ...], wanted: Sequence[str] | None
) -> tuple[list[str], list[int] | None]:
    width = math.prod(shape[1:])
    if width > MOST_CHANNELS:
        mend = "save it as (n_samples, n_channels)"
        raise fault(path, f"its array of the shape {shape} has over {MOST_CHANNELS} channels", mend)
    return array_channels(path, width, wanted)


def _lengths(n_samples: int, width: int) -> Iterator[int]:
    """Yield the lengths of the blocks of an array."""
    longest = block_samples(width)
    for start in range(0, n_samples, longest):
        yield min(longest, n_samples - start)


def _numbers(path: Path, file: IO[bytes], dtype: np.dtype[Any], count: int) -> NDArray[Any]:
    """Return the next numbers of a file, (count,)."""
    data = bytearray(count * dtype.itemsize)
    n_read = 0
    while n_read < len(data):
        n = file.readinto(memoryview(data)[n_read:])  # type: ignore[attr-defined]
        if not n:
            raise fault(path, "it ends before its last sample", "write the complete file anew")
        n_read += n
    return np.frombuffer(data, dtype)


def _hdf5(path: Path, wanted: Sequence[str] | None, stack: ExitStack) -> _Source:
    import h5py

    # Chunks of HDF5 seldom end where ours do; those that are read to their end leave first.
    file = stack.enter_context(
        h5py.File(path, "r", rdcc_nbytes=HDF5_CACHE_BYTES, rdcc_w0=1, rdcc_nslots=10_007)
    )
    dataset, rate = hdf5_signal(path, file)
    shape: tuple[int, ...] = dataset.shape or ()
    check_array(path, dataset.dtype, shape)
    if dataset.chunks and math.prod(dataset.chunks) * dataset.dtype.itemsize > HDF5_CACHE_BYTES:
        problem = f"its HDF5 chunks have the shape {dataset.chunks}, too much to read at once"
        mend = f"write chunks of at most {HDF5_CACHE_BYTES >> 20} MiB"
        raise fault(path, problem, mend)
    channels, picked = _array_channels(path, shape, wanted)

    def blocks() -> Blocks:
        start = 0
        for n in _lengths(shape[0], math.prod(shape[1:])):
            block = dataset[start : start + n].reshape(n, -1)
            start += n
            yield block if picked is None else block[:, picked]

    return _Source(
        channels=channels,
        units=[""] * len(channels),
        sampling_rate_hz=array_rate_hz(path, rate),
        n_samples=shape[0],
        blocks=blocks(),
    )


# Formats that name their signals.


def _edf(path: Path, wanted: Sequence[str] | None, stack: ExitStack) -> _Source:
    import pyedflib

    file = stack.enter_context(pyedflib.EdfReader(str(path), pyedflib.DO_NOT_READ_ANNOTATIONS))
    signals = edf_signals(path, file, wanted)
    counts = file.getNSamples()
    n_samples = int(counts[signals.positions[0]]) if signals.positions else 0

    def blocks() -> Blocks:
        start = 0
        for n in _lengths(n_samples, len(signals.positions)):
            yield np.column_stack([file.readSignal(i, start, n) for i in signals.positions])
            start += n

    return _Source(
        channels=signals.channels,
        units=signals.units,
        sampling_rate_hz=signals.sampling_rate_hz,
        n_samples=n_samples,
        blocks=blocks(),
    )


def _wfdb(path: Path, wanted: Sequence[str] | None, stack: ExitStack) -> _Source:
    import wfdb

    del stack  # no file stays open between two blocks
    header, _ = wfdb_header(path)
    signals = wfdb_signals(path, header, wanted)
    n_frames = _n_wfdb_frames(path, header)
    per_frame = header.samps_per_frame[signals.positions[0]] if signals.positions else 1
    longest = block_samples(sum(header.samps_per_frame or []))  # frames
    whole = n_frames <= longest
    if not whole and header.sig_len is None:
        problem = "its header does not say its length, without which it is not read in pieces"
        mend = f"write {n_frames} behind the rate in the first line"
        raise fault(path, problem, mend)
    if not whole and any(header.fmt[i] == "8" for i in signals.positions):
        problem = "its format 8 holds differences, which are not read in pieces"
        raise fault(path, problem, "write the record in format 16")

    def blocks() -> Blocks:
        for start in range(0, n_frames, longest):
            record = wfdb.rdrecord(
                str(path.with_suffix("")),
                sampfrom=start,
                sampto=None if whole else min(start + longest, n_frames),
                smooth_frames=False,
            )
            yield wfdb_values(path, record, signals)

    return _Source(
        channels=signals.channels,
        units=signals.units,
        sampling_rate_hz=signals.sampling_rate_hz,
        n_samples=n_frames * per_frame,
        blocks=blocks(),
    )


def _n_wfdb_frames(path: Path, header: Any) -> int:
    """Return the frames of a WFDB record; its first signal file tells if the header does not."""
    from wfdb.io._signal import BYTES_PER_SAMPLE

    if header.sig_len is not None:
        return int(header.sig_len)
    if not header.n_sig:
        return 0
    name = header.file_name[0]
    pairs = zip(header.file_name, header.samps_per_frame, strict=True)
    per_frame = sum(n for other, n in pairs if other == name)
    n_bytes = path.with_name(name).stat().st_size - (header.byte_offset[0] or 0)
    return int(n_bytes / (BYTES_PER_SAMPLE[header.fmt[0]] * per_frame))


OPENERS: dict[str, Callable[[Path, Sequence[str] | None, ExitStack], _Source]] = {
    ".csv": _csv,
    ".parquet": _parquet,
    ".npy": _numpy,
    ".npz": _numpy,
    ".h5": _hdf5,
    ".hdf5": _hdf5,
    ".edf": _edf,
    ".hea": _wfdb,
}


# Streams.


def csv_stream(
    handle: Stream,
    n_channels: int,
    chunk_samples: int = BLOCK_SAMPLES,
    *,
    channels: Sequence[str] | None = None,
    default_channels: Sequence[str] | None = None,
    sampling_rate_hz: float | None = None,
) -> Iterator[NDArray[np.float32]]:
    """Yield the samples of a running CSV stream as soon as their lines are complete.

    Parameters
    ----------
    handle
        Standard input, a pipe, or what `growing` returns: UTF-8 lines of
        numbers, separated as in a CSV file. The first may name the columns; a
        name of `formats.CLOCKS` makes one a time column, which is left out.
        It must wait for data; the end of the stream ends a last line, too.
    n_channels
        Channels C.
    chunk_samples
        Most samples of one chunk.
    channels
        Names of C columns to take, in this order; a stream without names gives
        all as they stand.
    default_channels
        The same if `channels` is None, for a stream that names them all;
        another one gives all as they stand.
    sampling_rate_hz
        Samples per second. With it no step of a time column may differ by
        `formats.MISFIT_LIMIT` of its inverse, so that a lost sample is noticed;
        without it times must only grow.

    Yields
    ------
    numpy.ndarray
        (n, C) float32, finite, 0 < n <= `chunk_samples`.

    Raises
    ------
    DataError
        At the first faulty row, once the rows of earlier arrivals are yielded;
        and if the stream ends without a sample.
    """
    _check_length(chunk_samples)
    source = _named(handle)
    table = None
    n_lines = n_samples = 0
    for block in _line_blocks(handle, source):
        lines = enumerate(_decoded(source, block, n_lines).split("\n"), start=n_lines + 1)
        rows = [(line, text.rstrip("\r")) for line, text in lines if text.strip()]
        n_lines += block.count(b"\n")
        if rows and table is None:
            table = _StreamTable(
                source,
                rows[0],
                n_channels,
                composed(channels),
                composed(default_channels),
                sampling_rate_hz,
            )
            rows = rows[table.n_rows_above :]
        if rows and table is not None:
            n_samples += len(rows)
            yield from _cut(table.signal(rows), chunk_samples)
    _check_any(source, n_samples)


def raw_stream(
    handle: Stream, n_channels: int, chunk_samples: int = BLOCK_SAMPLES
) -> Iterator[NDArray[np.float32]]:
    """Yield the samples of a running stream of plain numbers as soon as they have arrived.

    Parameters
    ----------
    handle
        As in `csv_stream`, but of float32 in little-endian order, sample after
        sample, C numbers each.
    n_channels, chunk_samples
        As in `csv_stream`.

    Yields
    ------
    numpy.ndarray
        (n, C) float32, finite, 0 < n <= `chunk_samples`.

    Raises
    ------
    DataError
        If a number is not finite, or the stream ends within a sample or without one.
    """
    _check_length(chunk_samples)
    source = _named(handle)
    names = [f"ch{i}" for i in range(n_channels)]
    rest = b""
    n_samples = 0
    for piece in _pieces(handle, source):
        rest += piece
        n = len(rest) // (4 * n_channels)
        values = np.frombuffer(rest, "<f4", n * n_channels).reshape(n, n_channels)
        rest = rest[values.nbytes :]
        check_finite(source, values, names, n_samples)
        n_samples += n
        yield from _cut(values.astype(np.float32), chunk_samples)
    if rest:
        problem = f"it ends with {counted(len(rest), 'byte')} of a sample of {4 * n_channels}"
        mend = f"send float32 numbers of {counted(n_channels, 'channel')}"
        raise fault(source, problem, mend, row=n_samples + 1)
    _check_any(source, n_samples)


def growing(path: Path, idle_s: float, poll_s: float = 0.1) -> "GrowingFile":
    """Return a handle of a file that still grows, to be closed by the caller.

    Parameters
    ----------
    path
        The file; what it holds already is read first.
    idle_s
        The stream ends when the file has not grown for this long.
    poll_s
        How often the file is looked at.

    Raises
    ------
    DataError
        If the file cannot be opened, or later if it gets shorter.
    """
    with explained(path, "correct the name, or start what writes it first"):
        return GrowingFile(path, idle_s, poll_s)


class GrowingFile(io.RawIOBase):
    """Reads a file as a pipe is read: at its end it waits for more; see `growing`."""

    def __init__(self, path: Path, idle_s: float, poll_s: float) -> None:
        self.name = str(path)
        self._path = path
        self._file = path.open("rb", buffering=0)
        self._idle_s = idle_s
        self._poll_s = poll_s

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill `buffer` with what is there, at least one byte; return 0 at the end."""
        waited_since = time.monotonic()
        while not (n := self._file.readinto(buffer)):
            if self._path.stat().st_size < self._file.tell():
                problem = "it got shorter while it was read"
                raise fault(self._path, problem, "start again, and only append to the file")
            if time.monotonic() - waited_since >= self._idle_s:
                return 0
            time.sleep(min(self._poll_s, self._idle_s))
        return n

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


class _StreamTable:
    """Rows of a CSV stream, read as its first row says."""

    def __init__(
        self,
        source: Path,
        first: tuple[int, str],
        n_channels: int,
        wanted: Sequence[str] | None,
        default: Sequence[str] | None,
        rate_hz: float | None,
    ) -> None:
        line, text = first
        bare = re.sub(r'"[^"]*"', "", text)
        self._source = source
        self._separator = next((mark for mark in ";\t" if mark in bare), ",")
        self._rate_hz = rate_hz
        self._last_time: list[float] = []
        cells = self._cells(line, text)
        header = header_names(source, line, cells)
        self.n_rows_above = 0 if header is None else 1
        self._width = len(cells)
        if wanted is None and default is not None and set(default) <= set(header or ()):
            wanted = default
        self._columns = table_columns(source, header, len(cells), wanted if header else None)
        found = self._columns.channels
        if len(found) != n_channels:
            problem = f"{counted(len(found), 'channel')} instead of {n_channels}"
            mend = "send one column a channel; a first line with names may mark a time column"
            raise fault(source, problem, mend, row=line)

    def signal(self, rows: list[tuple[int, str]]) -> NDArray[np.float32]:
        """Return the samples on lines, (n, C)."""
        values = self._fast(rows)
        if values is None:
            split = [(line, self._cells(line, text)) for line, text in rows]
            values = row_numbers(self._source, split, self._width, self._columns)
        if self._columns.has_clock:
            self._check_times(values[:, 0], [line for line, _ in rows])
        return single(values[:, int(self._columns.has_clock) :])

    def _fast(self, rows: list[tuple[int, str]]) -> NDArray[np.float64] | None:
        """Return the columns of well-formed rows; None if any is not."""
        texts = [text for _, text in rows]
        try:
            table = np.loadtxt(texts, delimiter=self._separator, comments=None, ndmin=2)
        except ValueError:
            return None
        if table.shape != (len(rows), self._width):
            return None
        values = table[:, self._columns.positions]
        return values if np.isfinite(single(values)).all() else None

    def _cells(self, line: int, text: str) -> list[str]:
        try:
            return next(csv.reader([text], delimiter=self._separator, strict=True))
        except csv.Error as error:
            problem = f"broken cell ({error})"
            raise fault(self._source, problem, "close the quotation marks", row=line) from None

    def _check_times(self, times: NDArray[np.float64], lines: list[int]) -> None:
        n_before = len(self._last_time)
        times = np.concatenate([self._last_time, times])
        self._last_time = [float(times[-1])]
        steps = np.diff(times)
        wrong = steps <= 0
        if self._rate_hz is not None:
            wrong |= np.abs(steps * self._rate_hz - 1) >= MISFIT_LIMIT
        if not wrong.any():
            return
        at = int(np.argmax(wrong))
        problem = f"{times[at + 1]:.10g} s is not after {times[at]:.10g} s"
        if steps[at] > 0:
            problem = f"the step of {steps[at]:.6g} s is not that of {self._rate_hz:g} Hz"
        row = lines[at + 1 - n_before]
        mend = "send every sample once, or leave the time column out"
        raise fault(self._source, problem, mend, row=row, column=self._columns.names[0])


def _named(handle: Stream) -> Path:
    """Return what messages call a stream."""
    name = getattr(handle, "name", None)
    return Path(name) if isinstance(name, str) and not name.startswith("<") else Path("the stream")


def _pieces(handle: Stream, source: Path) -> Iterator[bytes]:
    """Yield the bytes of a stream as they arrive."""
    binary: Any = getattr(handle, "buffer", handle)
    read = getattr(binary, "read1", binary.read)  # which returns before its buffer is full
    while True:
        with explained(source, "look at what writes it"):
            piece = read(PIECE_BYTES)
        if not piece:
            return
        yield piece.encode() if isinstance(piece, str) else piece


def _line_blocks(handle: Stream, source: Path) -> Iterator[bytes]:
    """Yield whole lines as they arrive; the last one may lack its end."""
    rest = b""
    for piece in _pieces(handle, source):
        cut = piece.rfind(b"\n") + 1
        if cut:
            yield rest + piece[:cut]
            rest = b""
        rest += piece[cut:]
        if len(rest) > LINE_LIMIT_BYTES:
            problem = f"a line has over {LINE_LIMIT_BYTES >> 20} MiB"
            raise fault(source, problem, "send text with a line for every sample")
    if rest:
        yield rest


def _decoded(source: Path, block: bytes, n_lines_above: int) -> str:
    try:
        return block.decode("utf-8-sig" if n_lines_above == 0 else "utf-8")
    except UnicodeDecodeError as error:
        row = n_lines_above + block.count(b"\n", 0, error.start) + 1
        raise fault(source, "it is not UTF-8", "send UTF-8 text", row=row) from None


def _check_any(source: Path, n_samples: int) -> None:
    if not n_samples:
        raise fault(source, "it ended without a sample", "look at what writes it")
