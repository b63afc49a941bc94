"""What the first rows of a table say: names, units, clock, and how its cells are written."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from seqbench.datasets.csv_text import date_s, number, plain
from seqbench.datasets.reading.clock import EPOCHS
from seqbench.datasets.reading.column_names import UNIT_WORDS
from seqbench.datasets.reading.columns import Columns, header_names, table_columns
from seqbench.datasets.reading.source import ReadOptions

N_ROWS = 3  # that the head may need: names, units, the first sample


@dataclass(frozen=True)
class TableHead:
    """The head of a table.

    Parameters
    ----------
    columns
        Columns to read.
    width
        Cells of every row.
    n_rows_above
        Rows above the first sample.
    line
        Of the last of them; 0: there is none.
    rate_hz, start_s
        Stated by the rows above, as Empatica's E4 does; without, None and 0.
    """

    columns: Columns
    width: int
    n_rows_above: int
    line: int
    rate_hz: float | None = None
    start_s: float = 0.0


def table_head(
    path: Path,
    rows: Sequence[tuple[int, list[str]]],
    options: ReadOptions,
    separator: str,
) -> TableHead:
    """Return the head of a table by its first `N_ROWS` rows, each a line and its cells.

    Raises
    ------
    DataError
        If the rows contradict each other, or the user has to say what they are.
    """
    line, cells = rows[0]
    width = len(cells)
    if options.header is None and (stated := _start_and_rate(rows)):
        columns = table_columns(path, None, width, options)
        return TableHead(columns, width, 2, rows[1][0], stated[1], stated[0])
    header = header_names(path, line, cells, options.header)
    columns = table_columns(path, header, width, options)
    n_above = 0 if header is None else 1
    if n_above and len(rows) > 1 and (units := _units(rows[1][1], width)):
        n_above, line = 2, rows[1][0]
        columns = replace(columns, units=tuple(units[i] for i in columns.positions))
        if columns.time is not None and columns.time.unit is None:
            named = UNIT_WORDS.get(columns.units[0].lower().replace("µ", "u"))
            columns = replace(columns, time=replace(columns.time, unit=named))
    if len(rows) > n_above and len(first := rows[n_above][1]) == width:
        if separator != "," and _has_decimal_commas(first):
            columns = replace(columns, decimal=",")
        if columns.has_time and date_s(first[columns.positions[0]]) is not None:
            columns = replace(columns, are_dates=True)
    return TableHead(columns, width, n_above, line if n_above else 0)


def _start_and_rate(rows: Sequence[tuple[int, list[str]]]) -> tuple[float, float] | None:
    """Return what the first two rows of Empatica's E4 state, the same in every column.

    Seconds since 1970 in the first, and samples per second in the second.
    """
    if len(rows) < N_ROWS:
        return None
    starts, rates = ({number(cell) for cell in cells} for _, cells in rows[:2])
    if len(starts) != 1 or len(rates) != 1:
        return None
    start_s, rate_hz = starts.pop(), rates.pop()
    if start_s is None or rate_hz is None:
        return None
    is_date = EPOCHS["s"] <= start_s < 10 * EPOCHS["s"]
    return (start_s, rate_hz) if is_date and 0 < rate_hz < EPOCHS["s"] else None


def _units(cells: list[str], width: int) -> list[str] | None:
    """Return the units of the columns, if a row below the names holds them."""
    if len(cells) != width or any(number(cell) is not None for cell in cells):
        return None
    texts = [plain(cell).strip("()[]") for cell in cells]
    are_units = all(re.fullmatch(r"[^\d\s][^\s]{0,11}", text) for text in texts)
    return texts if are_units else None


def _has_decimal_commas(cells: list[str]) -> bool:
    """Return whether numbers have a decimal comma, as beside semicolons and tabs."""
    with_comma = [cell for cell in cells if "," in cell]
    others = [cell for cell in cells if "," not in cell]
    return (
        bool(with_comma)
        and all(number(cell.replace(",", ".", 1)) is not None for cell in with_comma)
        and not any("." in cell and number(cell) is not None for cell in others)
    )
