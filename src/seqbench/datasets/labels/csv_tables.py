"""Labels of all recordings in one CSV table: `events.csv` and `labels.csv`."""

from pathlib import Path

from seqbench.datasets.base import DataError, fault
from seqbench.datasets.labels.entries import LabelEntry
from seqbench.datasets.labels.rows import Row, named_rows, refuse_misnamed
from seqbench.datasets.reading.recording import Recording

CLASS_TIMES = ("start_s", "end_s")


def event_rows(path: Path, found: dict[str, Recording]) -> list[LabelEntry]:
    """Return the events of `events.csv`: recording,onset_s,label[,offset_s].

    A row that holds nothing but the name of its recording states that the
    recording was searched and holds no event.

    Parameters
    ----------
    path
        The table.
    found
        The recordings by name.

    Raises
    ------
    DataError
        If the file is absent or a row is faulty.
    """
    if not path.exists():
        refuse_misnamed(path, "labels")
        columns = "recording,onset_s,label"
        raise _missing(path, columns, "detection", "labels.csv", "classification")
    rows = named_rows(path, found, ["onset_s", "label"], ["offset_s"], may_be_empty=True)
    times = ("onset_s", "offset_s")
    return [_entry(name, row, *map(row.seconds_or_none, times)) for name, row in rows]


def class_rows(path: Path, found: dict[str, Recording]) -> list[LabelEntry]:
    """Return the labels of `labels.csv`: recording,label[,start_s,end_s]; see `event_rows`."""
    if not path.exists():
        refuse_misnamed(path, "labels", ignored="labels.json")  # of Label Studio
        columns = "recording,label"
        raise _missing(path, columns, "classification", "events.csv", "detection")
    return [_class(name, row) for name, row in named_rows(path, found, ["label"], CLASS_TIMES)]


def _class(name: str, row: Row) -> LabelEntry:
    given = [column for column in CLASS_TIMES if row.cells[column]]
    if len(given) == 1:
        hint = "give both start_s and end_s, or neither for the whole recording"
        raise row.fault(f"only {given[0]} is given", hint)
    return _entry(name, row, *(row.seconds_or_none(column) for column in CLASS_TIMES))


def _entry(name: str, row: Row, onset_s: float | None, offset_s: float | None) -> LabelEntry:
    if row.cells["label"].lower() == "nan":  # as pandas writes what is missing
        raise row.fault("'nan' is no label", "fill it in or remove the row", "label")
    return LabelEntry(
        path=row.path,
        place=f"row {row.line}",
        number=row.line,
        recording=name,
        label=row.cells["label"],
        onset_s=onset_s,
        offset_s=offset_s,
    )


def _missing(path: Path, columns: str, task: str, other: str, other_task: str) -> DataError:
    """Return the error of an absent table, which may be that of the other task."""
    hint = f"write it with the columns {columns}"
    if path.with_name(other).exists():
        hint += f", or set `task: {other_task}` to read {other}"
    return fault(path, f"there is no such file, and {task} needs it", hint)
