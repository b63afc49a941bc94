"""The columns of a table: which one is the time, and which are the channels."""

import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqbench.config.registry import suggestion
from seqbench.datasets.base import fault
from seqbench.datasets.csv_text import EPOCH, check_width, date_s, number, plain
from seqbench.datasets.reading.clock import Clock
from seqbench.datasets.reading.column_names import UNNAMED_INDEX, Meaning, meaning_of
from seqbench.datasets.reading.gaps import SegmentedClock
from seqbench.datasets.reading.source import (
    FILL_HINT,
    ReadOptions,
    Source,
    finite,
    numbered_names,
    refuse_counters,
    select_channels,
    unique_names,
)

LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Columns:
    """Columns to read.

    Parameters
    ----------
    positions, names
        The time comes first if there is one, then the channels in order.
    time
        What the time column says; None: there is none.
    units
        Of the columns, "" where the table has none.
    are_dates
        Whether the times are dates, which `date_s` reads.
    decimal
        The mark in numbers.
    may_miss
        Names of columns whose empty cells are unknown values, NaN.
    """

    positions: list[int]
    names: list[str]
    time: Meaning | None = None
    units: tuple[str, ...] = ()
    are_dates: bool = False
    decimal: str = "."
    may_miss: tuple[str, ...] = ()

    @property
    def has_time(self) -> bool:
        """Whether there is a time column."""
        return self.time is not None

    @property
    def channels(self) -> list[str]:
        """The names without that of the time column."""
        return self.names[int(self.has_time) :]


def table_columns(
    path: Path, header: list[str] | None, width: int, options: ReadOptions
) -> Columns:
    """Return the columns to read of a table of `width` columns, which `header` may name.

    A column whose name says that it holds times or row numbers is the clock; of
    both, the times are. One that sounds like a label is refused.

    Raises
    ------
    DataError
        If two columns may be the time, or the user has to say what a column is.
    """
    names = numbered_names(width)
    if header is not None:
        names = unique_names(header)
        options = options.among(path, names)
    meanings = {
        i: meaning
        for i, name in enumerate(names if header is not None else ())
        if not options.is_named(name) and (meaning := meaning_of(name))
    }
    time, meaning = _time_column(path, names, meanings, options)
    counted = {i for i, one in meanings.items() if one.kind == "index"}
    others = [i for i in range(width) if i != time and i not in counted]
    selected = select_channels(path, [names[i] for i in others], options.channels)
    for i in (others[i] for i in selected):
        if i in meanings and meanings[i].kind == "label":
            hint = "put labels into their own file; if it is a channel, name all in `channels`"
            raise fault(path, "a column of this name holds labels", hint, column=names[i])
    positions = ([] if time is None else [time]) + [others[i] for i in selected]
    named = [names[i] for i in positions]
    return Columns(positions, named, meaning, may_miss=options.targets)


def _time_column(
    path: Path, names: list[str], meanings: dict[int, Meaning], options: ReadOptions
) -> tuple[int | None, Meaning | None]:
    """Return the position of the time column and what it says."""
    if options.time_column is not None:
        if options.time_column not in names:
            problem = f"it has no column '{options.time_column}', which `time_column` names"
            raise fault(path, problem, suggestion(options.time_column, names))
        position = names.index(options.time_column)
        meaning = meanings.get(position)
        unit = options.time_unit or (meaning.unit if meaning else None)
        return position, Meaning("time", unit)
    for kind in ("time", "index"):
        found = [i for i, one in meanings.items() if one.kind == kind]
        if len(found) > 1:
            both = " and ".join(f"'{names[i]}'" for i in found)
            hint = "name one of them in `time_column`, or the channels in `channels`"
            raise fault(path, f"{both} are both names of a time column", hint)
        if found:
            meaning = meanings[found[0]]
            unit = options.time_unit if kind == "time" else None
            return found[0], Meaning("time", unit or meaning.unit)
    return None, None


def table_source(
    path: Path,
    columns: Columns,
    blocks: Iterator[NDArray[np.float64]],
    line_of: Callable[[int], int],
    options: ReadOptions,
    n_samples: int | None = None,
) -> Source:
    """Return a source of `columns`, which `blocks` hold; the first block is read at once.

    Parameters
    ----------
    path
        The file.
    columns
        Time, if any, and channels.
    blocks
        (n, columns).
    line_of
        Returns the line of a sample, for messages.
    options
        What the user says about the file.
    n_samples
        None where only reading shows it.
    """
    clock = None
    if columns.time is not None:
        unit = "s" if columns.are_dates else columns.time.unit
        kind = SegmentedClock if options.gaps == "split" else Clock
        clock = kind(path, columns.names[0], line_of, unit, options.stated_hz)

    def signal() -> Iterator[NDArray[np.float64]]:
        n_done = 0
        for block in blocks:
            if clock is not None:
                finite(path, block[:, :1], columns.names[:1], n_done)
                clock.extend(block[:, 0])
            values = block[:, int(columns.has_time) :]
            if n_done == 0:
                refuse_counters(path, values, columns.channels, options)
            n_done += len(block)
            yield values

    samples = signal()
    head = list(islice(samples, 1))
    units = columns.units or ("",) * len(columns.names)
    return Source(
        channels=columns.channels,
        units=list(units[int(columns.has_time) :]),
        n_samples=n_samples if head else 0,
        blocks=chain(head, samples),
        files=[path],
        may_miss=options.targets,
        clock=clock,
    )


def header_names(
    path: Path, line: int, cells: list[str], stated: bool | None = None
) -> list[str] | None:
    """Return the names in the first row; None if it holds a sample.

    Without a statement, a row of numbers is a sample, and any other one names the columns.

    Raises
    ------
    DataError
        If names and numbers are mixed, or the row counts its columns, as tools name them.
    """
    if stated is False:
        return None
    numbers = [cell for cell in cells if stated is None and number(cell) is not None]
    if len(numbers) == len(cells):
        if _counts([cell.strip() for cell in cells]):
            problem = f"the first row, {quoted(','.join(cells))}, counts columns as tools name them"
            hint = "set `header: yes` if it is no sample, else `header: no`"
            raise fault(path, problem, hint, row=line)
        return None
    for cell in numbers:
        if not cell.strip().isdecimal():  # 0, 1, 2 are names that tools give
            problem = f"{quoted(cell)} stands in the first row beside what is no number"
            hint = "write names alone or numbers alone"
            raise fault(path, problem, hint, row=line)
    named = [UNNAMED_INDEX if i == 0 and not cell.strip() else cell for i, cell in enumerate(cells)]
    for position, cell in enumerate(named, start=1):
        if not cell.strip() or "\n" in cell or "\r" in cell:
            problem = f"column {position} has {'more lines in its' if cell.strip() else 'no'} name"
            raise fault(path, problem, "name it on one line or remove the column", row=line)
    return [plain(cell) for cell in named]


def _counts(cells: list[str]) -> bool:
    """Return whether cells count from 0, or at least three of them on, as tools name columns."""
    if not all(cell.isdecimal() and len(cell) < 10 for cell in cells):
        return False
    first, n = int(cells[0]), len(cells)
    return list(map(int, cells)) == [*range(first, first + n)] and (first == 0 or n > 2)


def row_numbers(
    path: Path, rows: list[tuple[int, list[str]]], width: int, columns: Columns
) -> NDArray[np.float64]:
    """Return the numbers in rows, each a line and its cells, as (n, columns).

    Raises
    ------
    DataError
        If a row has not `width` cells, or one of `columns` is no finite number.
    """
    values = []
    for line, cells in rows:
        check_width(path, line, cells, width)
        values.append(_numbers(path, line, columns, [cells[i] for i in columns.positions]))
    return np.array(values, dtype=np.float64).reshape(len(rows), len(columns.positions))


def _numbers(path: Path, line: int, columns: Columns, cells: list[str]) -> ArrayLike:
    """Return the numbers of a row, fast if all its cells are plain ones."""
    text = "".join(cells)
    if columns.decimal == "." and not columns.are_dates and "_" not in text and text.isascii():
        with suppress(ValueError):
            values = np.array([float(cell) for cell in cells])
            if (np.abs(values) <= LARGEST).all():
                return values
    numbers = []
    for i, (name, cell) in enumerate(zip(columns.names, cells, strict=True)):
        if i == 0 and columns.are_dates:
            numbers.append(_date(path, line, name, cell))
        else:
            numbers.append(_number(path, line, name, cell, columns))
    return numbers


def _number(path: Path, line: int, column: str, cell: str, columns: Columns) -> float:
    if column in columns.may_miss and cell.strip().lower() in ("", "nan", "na"):
        return math.nan
    value = number(cell.replace(columns.decimal, ".", 1))
    if value is not None and columns.decimal == "," and "." in cell:
        hint = "write all numbers in one way, without marks between thousands"
        problem = f"{quoted(cell)} has a point, but the first sample a decimal comma"
        raise fault(path, problem, hint, row=line, column=column)
    if value is None:
        if not cell.strip():
            raise fault(path, "the cell is empty", FILL_HINT, row=line, column=column)
        hint = "write a number with a decimal point; comma, semicolon or tab separate cells"
        if columns.has_time and column == columns.names[0]:
            hint = "write times in seconds, or as 2024-05-01T12:00:00.5Z"
        raise fault(path, f"{quoted(cell)} is not a number", hint, row=line, column=column)
    if not abs(value) <= LARGEST:
        raise fault(path, f"{cell.strip()} is not finite", FILL_HINT, row=line, column=column)
    return value


def dates_s(dates: Any) -> Any:
    """Return a pandas column of dates, or of their text as `date_s` reads it, in seconds."""
    import pandas as pd

    return (pd.to_datetime(dates, format="ISO8601", utc=True) - EPOCH).dt.total_seconds()


def _date(path: Path, line: int, column: str, cell: str) -> float:
    seconds = date_s(cell)
    if seconds is None:
        hint = "write all times in one way, as 2024-05-01T12:00:00.5Z"
        raise fault(path, f"{quoted(cell)} is no date", hint, row=line, column=column)
    return seconds


def quoted(cell: str) -> str:
    """Return the start of a cell in quotation marks."""
    return repr(cell if len(cell) <= 40 else cell[:37] + "...")
