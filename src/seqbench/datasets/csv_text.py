"""CSV text of any dialect, signals and small tables alike: rows with their line numbers."""

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from seqbench.datasets.base import counted, fault

COMMENTS = ("#", "%")
BLANKS = " "
N_LOOKED_AT = 3  # rows at the top: names, units, numbers
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Dialect:
    """How the cells of a file are separated, and how many lines stand above its first row.

    `BLANKS` stands for any number of blanks.
    """

    separator: str
    n_lines_above: int

    @classmethod
    def of(cls, lines: Iterable[str]) -> "Dialect":
        """Return the dialect by the first lines: comments, Excel's ``sep=;``, then a row."""
        stated, n_above, lines = None, 0, iter(lines)
        for n_above, line in enumerate(lines):
            text = line.strip()
            if match := re.fullmatch(r'"?sep=(.)"?', text, re.IGNORECASE):
                stated = match[1]
            elif text and not text.startswith(COMMENTS):
                below = (row for row in lines if row.strip() and not row.startswith(COMMENTS))
                rows = [line, *islice(below, N_LOOKED_AT - 1)]
                return cls(stated or (BLANKS if _has_blanks(rows) else separator(line)), n_above)
        return cls(stated or ",", n_above)

    def reader(self, lines: Iterable[str]) -> Any:
        """Return a reader of the cells of lines, as `csv.reader` is."""
        if self.separator == BLANKS:
            lines = (" ".join(line.split()) for line in lines)
        return csv.reader(lines, delimiter=self.separator, strict=True)


def _has_blanks(rows: Sequence[str]) -> bool:
    """Return whether blanks separate cells: no mark does, and the first numbers are several."""
    if any(mark in row for row in rows for mark in ",;\t"):
        return False
    cells = [[cell.strip('"') for cell in row.split()] for row in rows]
    n_numbers = [len(row) for row in cells if all(number(cell) is not None for cell in row)]
    return bool(n_numbers) and n_numbers[0] > 1


def dialect(path: Path) -> Dialect:
    """Return the dialect of a file."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return Dialect.of(file)


def csv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield every row that is not blank: the line it starts on, from 1, and its cells."""
    line = 1
    try:
        if path.exists() and not path.is_file():  # reading a pipe would wait for ever
            raise fault(path, "it is no file", "put a CSV file in its place")
        form = dialect(path)
        with path.open(encoding="utf-8-sig", newline="") as file:
            next(islice(file, form.n_lines_above, form.n_lines_above), None)
            line += form.n_lines_above
            reader = form.reader(file)
            for cells in reader:
                text = "".join(cells)
                if len(cells) > 1 or text.strip():
                    if "\0" in text:
                        raise fault(path, "it is not text", "save it as UTF-8 text", row=line)
                    yield line, cells
                line = form.n_lines_above + reader.line_num + 1
    except UnicodeDecodeError:
        raise fault(path, "it is not UTF-8", "save it as UTF-8", row=_undecodable(path)) from None
    except csv.Error as error:
        raise fault(path, f"broken cell ({error})", "close the quotation marks", row=line) from None
    except OSError as error:
        raise fault(path, f"it cannot be read ({error.strerror})", "make it readable") from None


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a UTF-8 file without their ends, each with its number from 1."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise fault(path, "it is not UTF-8", "save it as UTF-8", row=_undecodable(path)) from None
    for line, content in enumerate(text.split("\n"), start=1):
        if "\0" in content:
            raise fault(path, "it is not text", "save it as UTF-8 text", row=line)
        yield line, content.rstrip("\r")


def separator(line: str) -> str:
    """Return the separator of a line; a comma beside another is a decimal mark or of a name."""
    bare = re.sub(r'"[^"]*"', "", line)
    return next((mark for mark in ";\t" if mark in bare), ",")


def number(text: str) -> float | None:
    """Return the number, NaN and infinity included, that `text` stands for; None if none."""
    if "_" in text or not text.isascii():  # Python takes 1_000 for a number; data files do not
        return None
    try:
        return float(text)
    except ValueError:
        return None


def date_s(text: str) -> float | None:
    """Return the seconds from 1970 to a date in ISO 8601, UTC without a zone; None: it is none."""
    text = text.strip()
    if number(text) is not None:  # Python takes 20240501 for a date
        return None
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()


def check_width(path: Path, line: int, cells: list[str], width: int) -> None:
    """Refuse a row that has more or fewer cells than the first one."""
    if len(cells) != width:
        problem = f"{counted(len(cells), 'cell')}, but {width} in the first row"
        hint = "give every row the same number, and quote a cell that holds a separator"
        raise fault(path, problem, hint, row=line)


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
