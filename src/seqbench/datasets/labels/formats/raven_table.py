"""Selection tables of Raven: begin and end in seconds from the start of the sound file."""

from collections.abc import Iterator

from seqbench.config.options import LabelFiles
from seqbench.datasets.base import fault
from seqbench.datasets.csv_text import csv_rows, plain
from seqbench.datasets.labels.entries import LabelEntry
from seqbench.datasets.labels.formats.label_file import LabelFile
from seqbench.datasets.labels.rows import Row, read_table, recording_names

TIMES = ("begin time (s)", "end time (s)")
OPTIONAL = ("selection", "view", "begin file", "file offset (s)")


def read_raven(file: LabelFile, settings: LabelFiles) -> Iterator[LabelEntry]:
    """Yield the selections of a table, once where it has a row for each view.

    A table of several sound files names the one of each row in `Begin File`,
    and the time in it in `File Offset (s)`.

    Raises
    ------
    DataError
        If a column is absent, or the rows of a selection differ.
    """
    _, header = next(csv_rows(file.path), (1, []))
    names = [plain(cell).lower() for cell in header]
    column = plain(settings.column or "Annotation").lower()
    if column not in names:
        hint = f"name that of the labels in `column` of `labels`; it has {', '.join(names)}"
        raise fault(file.path, f"it has no column '{column}'", hint)
    present = [name for name in OPTIONAL if name in names]
    rows = read_table(file.path, (*TIMES, column, *present), needs_rows=False)
    files = {row.cells.get("begin file") for row in rows}
    if len(files) > 1 and "file offset (s)" not in names:
        problem = "its times are of several sound files end to end"
        raise fault(file.path, problem, "save it with the column File Offset (s)")
    first: dict[str, LabelEntry] = {}
    for row in rows:
        entry = _entry(file, row, column)
        selection = row.cells.get("selection", str(row.line))
        earlier = first.setdefault(selection, entry)
        if earlier is entry:
            yield entry
        elif "view" not in row.cells or _content(earlier) != _content(entry):
            problem = f"selection {selection} stands in {earlier.place} already, otherwise"
            raise row.fault(problem, "number each selection once, or export one view alone")


def _content(entry: LabelEntry) -> tuple[object, ...]:
    return entry.recording, entry.label, entry.onset_s, entry.offset_s


def _entry(file: LabelFile, row: Row, column: str) -> LabelEntry:
    place = f"row {row.line}"
    begin_s, end_s = (file.seconds(row.cells[name], place) for name in TIMES)
    recording = next(iter(file.recordings)) if len(file.recordings) == 1 else None
    onset_s = begin_s
    if "begin file" in row.cells:
        recording = row.named(row.cells["begin file"], recording_names(file.recordings))
        if "file offset (s)" in row.cells:
            onset_s = file.seconds(row.cells["file offset (s)"], place)
    if recording is None:
        hint = "save a table for each recording, or one with the columns Begin File and"
        raise row.fault("it names no sound file", f"{hint} File Offset (s)")
    offset_s = None if end_s == begin_s else onset_s + end_s - begin_s
    return file.entry(row.line, place, row.cells[column], onset_s, offset_s, recording)
