"""Rows of the CSV tables beside a user's recordings.

Lines are counted from 1 in every message, the header being line 1.
"""

import difflib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from seqbench.config.registry import suggestion
from seqbench.datasets.base import DataError, fault
from seqbench.datasets.csv_text import check_width, csv_rows, date_s, number, plain
from seqbench.datasets.reading.recording import Recording

ENDS = ("end_s", "stop_s", "offset_s", "duration_s", "end", "stop", "offset", "duration")


@dataclass(frozen=True)
class Row:
    """A row of a small table: its file, its line, and its cells by column."""

    path: Path
    line: int
    cells: dict[str, str]

    def fault(self, problem: str, hint: str, column: str | None = None) -> DataError:
        """Return the error that names this row."""
        return fault(self.path, problem, hint, row=self.line, column=column)

    def seconds(self, column: str) -> float:
        """Return the time in a cell; a date in seconds from 1970."""
        text = self.cells[column]
        seconds = number(text)
        if seconds is None:
            seconds = date_s(text)
        if seconds is None or not math.isfinite(seconds):
            hint = "write seconds with a decimal point, or a date where the recording has dates"
            raise self.fault(f"'{text}' is not a number", hint, column)
        return seconds

    def seconds_or_none(self, column: str) -> float | None:
        """Return the time in a cell; None where it is empty."""
        return self.seconds(column) if self.cells[column] else None

    def named(self, name: str, known: Mapping[str, str]) -> str:
        """Return the recording that a cell names, by `recording_names`."""
        if name not in known:
            raise self.fault(
                f"recording '{name}' is unknown", suggestion(name, sorted({*known.values()}))
            )
        return known[name]


def refuse_misnamed(path: Path, thing: str, *, ignored: str | None = None) -> None:
    """Refuse a file that is not read, as its name is only nearly that of an absent table.

    Parameters
    ----------
    path
        The table, of a name in the plural; in the singular, in capitals or with another suffix
        it is misnamed.
    thing
        What it holds.
    ignored
        Name of a file that is left alone, as another reader takes it.

    Raises
    ------
    DataError
        If there is such a file.
    """
    names = (path.stem, path.stem.removesuffix("s"))
    for other in sorted(path.parent.iterdir()):
        if other.stem.lower() in names and other.name != ignored and other.is_file():
            problem = f"it holds {thing}, by its name, but is not read"
            raise fault(other, problem, f"write it as {path.name}, or remove it")


def named_rows(
    path: Path,
    found: Mapping[str, Recording],
    needed: Sequence[str],
    optional: Sequence[str] = (),
    *,
    may_be_empty: bool = False,
) -> Iterator[tuple[str, Row]]:
    """Yield the rows of a table, each with the name of its recording; see `read_table`."""
    names = recording_names(found)
    for row in read_table(path, ("recording", *needed), optional, may_be_empty=may_be_empty):
        yield row.named(row.cells["recording"], names), row


def recording_names(found: Mapping[str, Recording]) -> dict[str, str]:
    """Return the names of recordings by themselves and by those of their files."""
    by_file = {plain(one.files[0].name): name for name, one in found.items()}
    return by_file | {name: name for name in found}


def read_table(
    path: Path,
    needed: Sequence[str],
    optional: Sequence[str] = (),
    *,
    may_be_empty: bool = False,
    needs_rows: bool = True,
) -> list[Row]:
    """Read a small CSV file with a header as text.

    Parameters
    ----------
    path
        UTF-8, separated by commas, semicolons or tabs.
    needed, optional
        Columns to return, stripped and in Unicode's composed form; an optional
        column that is absent reads as empty, and other columns are left out.
    may_be_empty
        Whether a row may hold its first needed cell alone.
    needs_rows
        Whether a table without rows is refused.

    Raises
    ------
    DataError
        If a needed column is absent, a name is nearly that of an optional one,
        a row does not fit the header, a needed cell is empty, or no row is there.
    """
    rows = csv_rows(path)
    line, header = next(rows, (1, []))
    names = [plain(cell).lower() for cell in header]
    _check_header(path, line, names, needed, optional)
    positions = {name: names.index(name) for name in (*needed, *optional) if name in names}
    table = []
    for line, cells in rows:
        check_width(path, line, cells, len(names))
        texts = {name: plain(cells[index]) for name, index in positions.items()}
        is_empty = not any(text for name, text in texts.items() if name != needed[0])
        for name in needed[:1] if may_be_empty and is_empty else needed:
            if not texts[name]:
                hint = f"fill in the {name} or remove the row"
                raise fault(path, "the cell is empty", hint, row=line, column=name)
        table.append(Row(path, line, dict.fromkeys(optional, "") | texts))
    if not table and needs_rows:
        raise fault(path, "it holds no rows below the header", "add rows or remove the file")
    return table


def _check_header(
    path: Path, line: int, names: list[str], needed: Sequence[str], optional: Sequence[str]
) -> None:
    for name in (*needed, *optional):
        if names.count(name) > 1 or (name in needed and name not in names):
            amount = "two columns" if name in names else "no column"
            hint = "the header needs the columns " + ",".join(needed)
            raise fault(path, f"there is {amount} '{name}'", hint, row=line)
    absent = [name for name in optional if name not in names]
    for name in names:
        near = difflib.get_close_matches(name, absent, n=1, cutoff=0.7)
        if near and name not in (*needed, *optional):
            hint = f"did you mean '{near[0]}'? Rename the column"
            raise fault(path, f"column '{name}' is unknown", hint, row=line)
        end = [one for one in absent if one in ENDS]
        if end and name in ENDS and name not in optional:
            hint = f"write the end of each row into '{end[0]}', on the same clock as its start"
            raise fault(path, f"column '{name}' is unknown", hint, row=line)
