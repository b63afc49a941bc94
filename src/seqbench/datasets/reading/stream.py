"""Recordings that still run: samples of streams as soon as their rows have arrived."""

import csv
import io
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import numpy as np
from numpy.typing import NDArray

from seqbench.datasets.base import counted, explained, fault
from seqbench.datasets.csv_text import BLANKS, Dialect
from seqbench.datasets.reading.clock import RATE_TOLERANCE, SampleTimes
from seqbench.datasets.reading.columns import header_names, row_numbers
from seqbench.datasets.reading.source import ReadOptions, finite, numbered_names, single
from seqbench.datasets.reading.stream_clock import StreamClock
from seqbench.datasets.reading.table_head import N_ROWS, table_head

PIECE_BYTES = 1 << 18  # most that is taken from a stream at once
LINE_LIMIT_BYTES = 1 << 20  # of text; more is no line of numbers

Stream = TextIO | BinaryIO | io.RawIOBase
Times = Callable[[], SampleTimes | None]


def csv_stream(
    handle: Stream,
    n_channels: int,
    *,
    channels: Sequence[str] | None = None,
    default_channels: Sequence[str] | None = None,
    sampling_rate_hz: float | None = None,
    started: Callable[[Times], None] = lambda _: None,
    **options: Any,
) -> Iterator[NDArray[np.float32]]:
    """Yield the samples of a running CSV stream as soon as their lines are complete.

    Parameters
    ----------
    handle
        Standard input, a pipe, or a `GrowingFile`: UTF-8 lines of
        numbers, read as a CSV file is; a time column is left out. It must wait
        for data; the end of the stream ends a last line, too. The first rows
        wait for one another, as they may be names and units.
    n_channels
        Channels C.
    channels
        Names of C columns to take, in this order; a stream without names gives
        all as they stand.
    default_channels
        The same if `channels` is None, for a stream with names; one
        without gives all as they stand.
    sampling_rate_hz
        Samples per second, which a time column must have; see `StreamClock`.
    started
        Is called, if the stream has a clock, with a function that returns when the
        samples so far were taken.
    **options
        Others of `ReadOptions`.

    Yields
    ------
    numpy.ndarray
        (n, C) float32, finite, n > 0, of at most `PIECE_BYTES`.

    Raises
    ------
    DataError
        At the first faulty row, once the rows of earlier arrivals are yielded;
        and if the stream ends without a sample.
    """
    source = _named(handle)
    given = ReadOptions(
        channels=None if channels is None else tuple(channels),
        preferred=None if default_channels is None else tuple(default_channels),
        sampling_rate_hz=sampling_rate_hz,
        **options,
    )
    table = None
    n_lines = n_samples = 0
    waiting: list[tuple[int, str]] = []
    for block in chain(_line_blocks(handle, source), [b""]):
        lines = enumerate(_decoded(source, block, n_lines).split("\n"), start=n_lines + 1)
        rows = waiting + [(line, text.rstrip("\r")) for line, text in lines if text.strip()]
        waiting = []
        n_lines += block.count(b"\n")
        if table is None and rows:
            if len(rows) < N_ROWS + _n_lines_above(rows) and block:
                waiting = rows
                continue
            table = _StreamTable(source, rows, n_channels, given, started)
            rows = rows[table.n_rows_above :]
        if rows and table is not None:
            n_samples += len(rows)
            yield table.signal(rows)
    _check_any(source, n_samples)


def _n_lines_above(rows: Sequence[tuple[int, str]]) -> int:
    return Dialect.of(text for _, text in rows).n_lines_above


@dataclass(frozen=True)
class RawLayout:
    """How the numbers of a raw stream stand: sample after sample, in little-endian order.

    Parameters
    ----------
    dtype
        NumPy's name of their type.
    width
        Numbers of a sample; None: one for each channel that is taken.
    places
        Which of them to take, counted from 0, in this order; None: all.
    """

    dtype: str = "float32"
    width: int | None = None
    places: tuple[int, ...] | None = None


def raw_stream(
    handle: Stream,
    n_channels: int,
    form: RawLayout | None = None,
    subtracted: Sequence[float] = (),
) -> Iterator[NDArray[np.float32]]:
    """Yield the samples of a running stream of plain numbers as soon as they have arrived.

    Parameters
    ----------
    handle
        As in `csv_stream`, but of numbers, sample after sample.
    n_channels
        Channels C.
    form
        How they stand; None: C numbers of float32 a sample.
    subtracted
        Numbers to subtract from the channels, (C,), before they become single precision.

    Yields
    ------
    numpy.ndarray
        (n, C) float32, finite, n > 0, of at most `PIECE_BYTES`.

    Raises
    ------
    DataError
        If the layout does not give C channels, a number is not finite, or the stream ends within
        a sample or without one.
    """
    source, form = _named(handle), form or RawLayout()
    dtype, width = np.dtype(form.dtype).newbyteorder("<"), form.width or n_channels
    places = range(width) if form.places is None else form.places
    if len(places) != n_channels or max(places) >= width:
        problem = f"of {counted(width, 'number')} a sample {len(places)} are taken"
        raise fault(source, problem, f"name {counted(n_channels, 'place')} below {width}")
    names = numbered_names(n_channels)
    n_bytes = dtype.itemsize * width
    rest = b""
    n_samples = 0
    for piece in _pieces(handle, source):
        rest += piece
        n = len(rest) // n_bytes
        values = np.frombuffer(rest, dtype, n * width).reshape(n, width)[:, list(places)]
        rest = rest[n * n_bytes :]
        if n:
            taken = values - np.array(subtracted) if any(subtracted) else values
            yield finite(source, taken, names, n_samples)
        n_samples += n
    if rest:
        problem = f"it ends with {counted(len(rest), 'byte')} of a sample of {n_bytes}"
        hint = f"send {form.dtype} numbers of {counted(width, 'channel')}"
        raise fault(source, problem, hint, row=n_samples + 1)
    _check_any(source, n_samples)


class GrowingFile(io.RawIOBase):
    """A file that still grows, read as a pipe is: at its end it waits for more.

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

    def __init__(self, path: Path, idle_s: float, poll_s: float = 0.1) -> None:
        with explained(path, "correct the name, or start what writes it first"):
            self._file = path.open("rb", buffering=0)
        self.name = str(path)
        self._path = path
        self._idle_s = idle_s
        self._poll_s = poll_s

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
    """Rows of a CSV stream, read by its first row."""

    def __init__(
        self,
        source: Path,
        rows: Sequence[tuple[int, str]],
        n_channels: int,
        options: ReadOptions,
        started: Callable[[Times], None],
    ) -> None:
        dialect = Dialect.of(text for _, text in rows)
        self._source = source
        self._dialect = dialect
        self._subtracted = np.array(options.subtracted or [0.0])
        n_above = dialect.n_lines_above
        first = [(line, self._cells(line, text)) for line, text in rows[n_above : n_above + N_ROWS]]
        if not first:
            raise fault(source, "it ended without a sample", "look at what writes it")
        if header_names(source, *first[0], options.header) is None:
            options = replace(options, channels=None)  # nothing is named
        head = table_head(source, first, options, dialect.separator)
        rate_hz, expected_hz = head.rate_hz, options.sampling_rate_hz
        if rate_hz is not None:
            if expected_hz and not math.isclose(rate_hz, expected_hz, rel_tol=RATE_TOLERANCE):
                problem = f"its rows above state {rate_hz:g} Hz instead of {expected_hz:g} Hz"
                raise fault(source, problem, "resample the stream", row=head.line)
            times = SampleTimes.uniform(rate_hz, head.start_s)
            started(lambda: times)
        self.n_rows_above = n_above + head.n_rows_above
        self._width = head.width
        self._columns = head.columns
        found = self._columns.channels
        if len(found) != n_channels:
            problem = f"{counted(len(found), 'channel')} instead of {n_channels}"
            hint = "send one column a channel; a first line with names may mark a time column"
            raise fault(source, problem, hint, row=first[0][0])
        self._clock: StreamClock | None = None
        if head.columns.time is not None:
            unit = "s" if head.columns.are_dates else head.columns.time.unit
            self._clock = StreamClock(source, head.columns.names[0], unit, expected_hz)
            started(self._clock.sample_times)

    def signal(self, rows: list[tuple[int, str]]) -> NDArray[np.float32]:
        """Return the samples on lines, (n, C)."""
        values = self._fast(rows)
        if values is None:
            split = [(line, self._cells(line, text)) for line, text in rows]
            values = row_numbers(self._source, split, self._width, self._columns)
        if self._clock is not None:
            self._clock.extend(values[:, 0], [line for line, _ in rows])
        return single(values[:, int(self._columns.has_time) :] - self._subtracted)

    def _fast(self, rows: list[tuple[int, str]]) -> NDArray[np.float64] | None:
        """Return the columns of well-formed rows; None if any is not."""
        if self._columns.decimal != ".":  # a point would be no decimal mark
            return None
        texts = [text for _, text in rows]
        try:
            mark = None if self._dialect.separator == BLANKS else self._dialect.separator
            table = np.loadtxt(texts, delimiter=mark, comments=None, ndmin=2)
        except ValueError:
            return None
        if table.shape != (len(rows), self._width):
            return None
        values = table[:, self._columns.positions]
        return values if np.isfinite(single(values)).all() else None

    def _cells(self, line: int, text: str) -> list[str]:
        try:
            cells: list[str] = next(self._dialect.reader([text]))
            return cells
        except csv.Error as error:
            problem = f"broken cell ({error})"
            raise fault(self._source, problem, "close the quotation marks", row=line) from None


def _named(handle: Stream) -> Path:
    """Return the name of a stream in messages."""
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
