"""Cells of a spreadsheet, read with the standard library alone.

A workbook is a zip archive of XML files. Where a sheet holds plain text and
numbers, as a log sheet does, its cells need no further library: formats,
formulas and merged cells mean nothing here.
"""

import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree

from seqbench.datasets.base import explained

SPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
SHEET, TEXTS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"


def read_sheet(path: Path, hint: str) -> dict[int, dict[str, str]]:
    """Return the filled cells of the first sheet of a workbook.

    Parameters
    ----------
    path
        An .xlsx file.
    hint
        What to do if it cannot be read, for the message.

    Returns
    -------
    dict
        By row, from 1, and by the letters of the column. Text is stripped; a
        number is its text, a time the fraction of a day and a date the days since
        30 December 1899. A cell with a formula has the value last computed.

    Raises
    ------
    DataError
        If the file is damaged or no workbook.
    """
    with explained(path, hint), zipfile.ZipFile(path) as archive:
        shared: list[str] = []
        if TEXTS in archive.namelist():
            shared = [_text(item) for item in ElementTree.fromstring(archive.read(TEXTS))]
        rows: dict[int, dict[str, str]] = {}
        for cell in ElementTree.fromstring(archive.read(SHEET)).iter(f"{SPACE}c"):
            place = re.fullmatch(r"([A-Z]+)([0-9]+)", cell.get("r", ""))
            if place is None:
                raise ValueError("a cell has no reference")
            inline = cell.find(f"{SPACE}is")
            text = cell.findtext(f"{SPACE}v", "") if inline is None else _text(inline)
            if cell.get("t") == "s" and text:
                text = shared[int(text)]
            if text.strip():
                rows.setdefault(int(place[2]), {})[place[1]] = text.strip()
        return rows


def _text(item: ElementTree.Element) -> str:
    """Return the text of an item, which stands in one piece or in runs of one format each."""
    pieces = [*item.findall(f"{SPACE}t"), *item.findall(f"{SPACE}r/{SPACE}t")]
    return "".join(piece.text or "" for piece in pieces)
