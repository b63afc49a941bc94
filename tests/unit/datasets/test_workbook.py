"""Cells of spreadsheets, as different programs save them."""

import zipfile

import pytest

from seqbench.datasets.base import DataError
from seqbench.datasets.workbook import SHEET, SPACE, TEXTS, read_sheet


def write(path, sheet, texts=None):
    space = f'xmlns="{SPACE[1:-1]}"'
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(SHEET, f"<worksheet {space}><sheetData>{sheet}</sheetData></worksheet>")
        if texts is not None:
            file.writestr(TEXTS, f"<sst {space}>{texts}</sst>")


def test_numbers_and_texts_have_row_and_column(write_sheet, tmp_path):
    write_sheet(tmp_path / "log.xlsx", {"A1": "name", "B1": "start", "A3": " S01 ", "AA3": 0.25})

    rows = read_sheet(tmp_path / "log.xlsx", "restore it")

    assert rows == {1: {"A": "name", "B": "start"}, 3: {"A": "S01", "AA": "0.25"}}


def test_texts_in_the_cell_in_runs_and_of_formulas_are_read(tmp_path):
    cells = (
        '<c r="A1" t="inlineStr"><is><t>inside</t></is></c>'
        '<c r="B1" t="s"><v>0</v></c>'
        '<c r="C1" t="str"><f>A1</f><v>computed</v></c>'
        '<c r="D1" s="4"/><c r="E1" t="s"/>'
    )
    texts = "<si><r><t>two </t></r><r><t>runs</t></r><rPh><t>spoken</t></rPh></si>"
    write(tmp_path / "log.xlsx", cells, texts)

    rows = read_sheet(tmp_path / "log.xlsx", "restore it")

    assert rows == {1: {"A": "inside", "B": "two runs", "C": "computed"}}


def test_a_sheet_of_numbers_alone_needs_no_texts(tmp_path):
    write(tmp_path / "log.xlsx", '<c r="B2"><v>44599</v></c>')

    assert read_sheet(tmp_path / "log.xlsx", "restore it") == {2: {"B": "44599"}}


@pytest.mark.parametrize(
    "sheet", ["<c><v>1</v></c>", '<c r="B"><v>1</v></c>', '<c r="A1" t="s"><v>3</v></c>', "<c"]
)
def test_a_damaged_sheet_is_named(tmp_path, sheet):
    write(tmp_path / "log.xlsx", sheet)

    with pytest.raises(DataError, match=r"log\.xlsx: it cannot be read \(.*\); restore it$"):
        read_sheet(tmp_path / "log.xlsx", "restore it")


def test_a_file_that_is_no_workbook_is_named(tmp_path):
    (tmp_path / "log.xlsx").write_text("not a zip")

    with pytest.raises(DataError, match=r"log\.xlsx: it cannot be read \(BadZipFile"):
        read_sheet(tmp_path / "log.xlsx", "restore it")
