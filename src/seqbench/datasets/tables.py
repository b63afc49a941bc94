"""Tables in text files: rows with their line numbers, so that an error can name them.

Both kinds of CSV file, signals and small tables, come through `csv_rows`.
"""

import csv
import difflib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from seqbench.datasets.base import counted, fault


@dataclass(frozen=True)
class Row:
    """A row of a small table: the line it stands on, and its cells by column."""

    line: int
    cells: dict[str, str]


def read_table(path: Path, needed: Sequence[str], optional: Sequence[str] = ()) -> list[Row]:
    """Read a small CSV file with a header as text.

    Parameters
    ----------
    path
        UTF-8, separated by commas, semicolons or tabs.
    needed, optional
        Columns to return, stripped and in Unicode's composed form; an optional
        column that is absent reads as empty, and other columns are left out.

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
    wanted = {name: names.index(name) for name in (*needed, *optional) if name in names}
    table = []
    for line, cells in rows:
        check_width(path, line, cells, len(names))
        texts = {name: plain(cells[index]) for name, index in wanted.items()}
        for name in needed:
            if not texts[name]:
                mend = f"fill in the {name} or remove the row"
                raise fault(path, "the cell is empty", mend, row=line, column=name)
        table.append(Row(line, dict.fromkeys(optional, "") | texts))
    if not table:
        raise fault(path, "it holds no rows below the header", "add rows or remove the file")
    return table


def _check_header(
    path: Path, line: int, names: list[str], needed: Sequence[str], optional: Sequence[str]
) -> None:
    for name in (*needed, *optional):
        if names.count(name) > 1 or (name in needed and name not in names):
            number = "two columns" if name in names else "no column"
            mend = "the header needs the columns " + ",".join(needed)
            raise fault(path, f"there is {number} '{name}'", mend, row=line)
    absent = [name for name in optional if name not in names]
    for name in names:
        near = difflib.get_close_matches(name, absent, n=1, cutoff=0.7)
        if near and name not in (*needed, *optional):
            mend = f"did you mean '{near[0]}'? Rename the column"
            raise fault(path, f"column '{name}' is unknown", mend, row=line)


def csv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield every row that is not blank: the line it starts on, from 1, and its cells."""
    line = 1
    try:
        if path.exists() and not path.is_file():  # reading a pipe would wait for ever
            raise fault(path, "it is no file", "put a CSV file in its place")
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=delimiter(path), strict=True)
            for cells in reader:
                text = "".join(cells)
                if len(cells) > 1 or text.strip():
                    if "\0" in text:
                        raise fault(path, "it is not text", "save it as UTF-8 text", row=line)
                    yield line, cells
                line = reader.line_num + 1
    except UnicodeDecodeError:
        raise fault(path, "it is not UTF-8", "save it as UTF-8", row=_undecodable(path)) from None
    except csv.Error as error:
        raise fault(path, f"broken cell ({error})", "close the quotation marks", row=line) from None
    except OSError as error:
        raise fault(path, f"it cannot be read ({error.strerror})", "make it readable") from None


def delimiter(path: Path) -> str:
    """Return what separates cells: a semicolon or a tab if the first row has one, else a comma."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = next((line for line in file if line.strip()), "")
    bare = re.sub(r'"[^"]*"', "", first)
    # A comma comes last: beside a semicolon or a tab it is a decimal mark or part of a name.
    return next((mark for mark in ";\t" if mark in bare), ",")


def number(text: str) -> float | None:
    """Return the number, NaN and infinity included, that `text` stands for; None if none."""
    if "_" in text or not text.isascii():  # Python takes 1_000 for a number; data files do not
        return None
    try:
        return float(text)
    except ValueError:
        return None


def check_width(path: Path, line: int, cells: list[str], width: int) -> None:
    """Refuse a row that has more or fewer cells than the first one."""
    if len(cells) != width:
        problem = f"{counted(len(cells), 'cell')}, but {width} in the first row"
        mend = "give every row the same number, and quote a cell that holds a separator"
        raise fault(path, problem, mend, row=line)


def _undecodable(path: Path) -> int:
    """Return the line of the first byte that is not UTF-8."""
    data = path.read_bytes()
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return data.count(b"\n", 0, error.start) + 1
    return 1


def plain(text: str) -> str:
    """Return `text` stripped and composed, so that names typed on different systems are equal."""
    return unicodedata.normalize("NFC", text).strip()
