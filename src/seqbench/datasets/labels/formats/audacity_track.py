"""Label tracks of Audacity: onset, end and label between tabs, in seconds from the start."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from seqbench.config.options import LabelFiles
from seqbench.datasets.base import fault
from seqbench.datasets.csv_text import text_lines
from seqbench.datasets.labels.entries import LabelEntry
from seqbench.datasets.labels.formats.label_file import LabelFile, WrittenLabel, WrittenRecording


def read_audacity(file: LabelFile, settings: LabelFiles) -> Iterator[LabelEntry]:
    r"""Yield the labels of a track; those that end where they begin are points.

    A line that begins with a backslash has the frequencies of the label above, which are left out.

    Raises
    ------
    DataError
        If a line is no label.
    """
    del settings
    for line, text in text_lines(file.path):
        place = f"row {line}"
        if not text.strip() or text.startswith("\\"):
            continue
        cells = text.split("\t", 2)
        if len(cells) < 3:
            hint = "write onset, end and label with a tab between, as Audacity exports them"
            raise fault(file.path, "it is no label", hint, row=line)
        onset_s, end_s = (file.seconds(cell, place) for cell in cells[:2])
        offset_s = None if end_s == onset_s else end_s
        yield file.entry(line, place, cells[2], onset_s, offset_s)


def write_audacity(path: Path, labels: Iterable[WrittenLabel], recording: WrittenRecording) -> None:
    """Write a label track, of points where no end is known; to a microsecond, as Audacity does."""
    del recording
    rows = (
        f"{one.onset_s:.6f}\t{one.onset_s + (one.duration_s or 0):.6f}"
        f"\t{' '.join(one.label.split())}"
        for one in labels
    )
    path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
