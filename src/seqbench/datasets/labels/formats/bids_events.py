"""Events of BIDS, `*_events.tsv`: onset and duration in seconds from the first sample."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from seqbench.config.options import LabelFiles
from seqbench.datasets.base import fault
from seqbench.datasets.csv_text import csv_rows, plain
from seqbench.datasets.labels.entries import LabelEntry
from seqbench.datasets.labels.formats.label_file import LabelFile, WrittenLabel, WrittenRecording
from seqbench.datasets.labels.rows import read_table

NOT_AVAILABLE = "n/a"
LABEL_COLUMNS = ("trial_type", "value")


def read_bids(file: LabelFile, settings: LabelFiles) -> Iterator[LabelEntry]:
    """Yield the events of a table; those of no duration, or of an unknown one, are points.

    Raises
    ------
    DataError
        If a column is absent, or an onset or label is n/a; `only` leaves out events without label.
    """
    column = settings.column or _label_column(file.path)
    for row in read_table(
        file.path, ("onset", "duration", plain(column).lower()), needs_rows=False
    ):
        place = f"row {row.line}"
        onset, duration, label = row.cells.values()
        if label == NOT_AVAILABLE:
            if settings.only is not None:
                continue
            hint = "name the labels to read in `only` of `labels`, or another `column`"
            raise row.fault(f"the {column} is {label}", hint)
        onset_s = file.seconds(onset, place)
        duration_s = 0.0 if duration == NOT_AVAILABLE else file.seconds(duration, place)
        if duration_s < 0:
            raise row.fault(f"the duration {duration} is below 0", "correct it")
        yield file.entry(
            row.line, place, label, onset_s, onset_s + duration_s if duration_s else None
        )


def _label_column(path: Path) -> str:
    """Return the column of the labels where the config names none."""
    _, header = next(csv_rows(path), (1, []))
    names = [plain(cell).lower() for cell in header]
    for name in LABEL_COLUMNS:
        if name in names:
            return name
    hint = f"name that of the labels in `column` of `labels`; it has {', '.join(names)}"
    raise fault(path, "it has neither trial_type nor value", hint)


def write_bids(path: Path, labels: Iterable[WrittenLabel], recording: WrittenRecording) -> None:
    """Write a table of events with a column `score`; without a known end the duration is 0."""
    del recording
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, dialect="excel-tab", lineterminator="\n")
        writer.writerow(["onset", "duration", "trial_type", "score"])
        for one in labels:
            duration = "0" if one.duration_s is None else f"{one.duration_s:.6f}"
            writer.writerow([f"{one.onset_s:.6f}", duration, one.label, f"{one.score:.4f}"])
