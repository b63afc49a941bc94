"""The columns of a table: which one is the time, and which are the channels."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seqbench.datasets.base import fault
from seqbench.datasets.csv_text import check_width, number, plain
from seqbench.datasets.reading.clock import Clock
from seqbench.datasets.reading.source import (
    FILL_HINT,
    Source,
    finite,
    numbered_names,
    select_channels,
    unique_names,
)

TIME_NAMES = ("time", "time_s", "t", "timestamp", "seconds")
LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Columns:
    """Columns to read.

    Parameters
    ----------
    positions, names
        The time comes first if there is one, then the channels in order.
    has_time
        Whether there is a time column.
    """

    positions: list[int]
    names: list[str]
    has_time: bool

    @property
    def channels(self) -> list[str]:
        """The names without that of the time column."""
        return self.names[int(self.has_time) :]


def table_columns(
    path: Path, header: list[str] | None, width: int, requested: Sequence[str] | None
) -> Columns:
    """Return the columns to read of a table of `width` columns, which `header` may name.

    A requested column is a channel, whatever its name.
    """
    if header is None:
        names, time = numbered_names(width), None
    else:
        names, time = unique_names(header), _time_column(path, header, requested)
    others = [i for i in range(width) if i != time]
    selected = select_channels(path, [names[i] for i in others], requested)
    positions = ([] if time is None else [time]) + [others[i] for i in selected]
    return Columns(positions, [names[i] for i in positions], time is not None)


def _time_column(path: Path, header: list[str], requested: Sequence[str] | None) -> int | None:
    found = [
        i
        for i, name in enumerate(header)
        if name.lower() in TIME_NAMES and (requested is None or name not in requested)
    ]
    if len(found) > 1:
        names = " and ".join(f"'{header[i]}'" for i in found)
        hint = "rename what is a channel and remove what is not"
        raise fault(path, f"{names} are both names of a time column", hint)
    return found[0] if found else None


def table_source(
    path: Path,
    columns: Columns,
    blocks: Iterator[NDArray[np.float64]],
    line_of: Callable[[int], int],
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
    n_samples
        None where only reading shows it.
    """
    clock = Clock(path, columns.names[0], line_of) if columns.has_time else None

    def signal() -> Iterator[NDArray[np.float64]]:
        n_done = 0
        for block in blocks:
            if clock is not None:
                finite(path, block[:, :1], columns.names[:1], n_done)
                clock.extend(block[:, 0])
            n_done += len(block)
            yield block[:, int(columns.has_time) :]

    samples = signal()
    head = list(islice(samples, 1))
    return Source(
        channels=columns.channels,
        units=[""] * len(columns.channels),
        n_samples=n_samples if head else 0,
        blocks=chain(head, samples),
        files=[path],
        clock=clock,
    )


def header_names(path: Path, line: int, cells: list[str]) -> list[str] | None:
    """Return the names in the first row; None if it holds numbers."""
    numbers = [cell for cell in cells if number(cell) is not None]
    if len(numbers) == len(cells):
        return None
    for cell in numbers:
        if not cell.strip().isdecimal():  # 0, 1, 2 are names that tools give
            problem = f"{quoted(cell)} stands in the first row beside what is no number"
            hint = "write names alone or numbers alone"
            raise fault(path, problem, hint, row=line)
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
        If a row has not `width` cells, or one of `columns` is no finite number.
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
            raise fault(path, "the cell is empty", FILL_HINT, row=line, column=column)
        hint = "write a number with a decimal point; comma, semicolon or tab separate cells"
        raise fault(path, f"{quoted(cell)} is not a number", hint, row=line, column=column)
    if not abs(value) <= LARGEST:
        raise fault(path, f"{cell.strip()} is not finite", FILL_HINT, row=line, column=column)
    return value


def quoted(cell: str) -> str:
    """Return the start of a cell in quotation marks."""
    return repr(cell if len(cell) <= 40 else cell[:37] + "...")
