"""TextGrids of Praat: a tier of intervals or of points, in seconds; read and written by praatio."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from seqbench.config.options import LabelFiles
from seqbench.datasets.base import fault
from seqbench.datasets.labels.entries import LabelEntry
from seqbench.datasets.labels.formats.label_file import (
    LabelFile,
    WrittenLabel,
    WrittenRecording,
    library,
)
from seqbench.datasets.labels.formats.tiers import chosen_tier


def read_textgrid(file: LabelFile, settings: LabelFiles) -> Iterator[LabelEntry]:
    """Yield the points of a tier, or its intervals that have a label.

    Raises
    ------
    DataError
        If the tier cannot be chosen, or the time of the file does not begin at 0.
    """
    praat = library("praatio.textgrid", file.path)
    grid = praat.openTextgrid(str(file.path), includeEmptyIntervals=True, reportingMode="silence")
    if grid.minTimestamp != 0:
        problem = f"its time begins at {grid.minTimestamp:.10g} s, not at 0"
        raise fault(file.path, problem, "shift its times to 0 in Praat (Modify times)")
    name = chosen_tier(file.path, list(grid.tierNames), settings.tier)
    tier = grid.getTier(name)
    if isinstance(tier, praat.PointTier):
        for number, (time_s, label) in enumerate(tier.entries, start=1):
            yield file.entry(number, f"tier '{name}', point {number}", label, time_s, None)
        return
    for number, (start_s, end_s, label) in enumerate(tier.entries, start=1):
        if label.strip():  # intervals fill the time of a tier, and most hold nothing
            place = f"tier '{name}', interval {number}"
            yield file.entry(number, place, label, start_s, end_s)


def write_textgrid(path: Path, labels: Iterable[WrittenLabel], recording: WrittenRecording) -> None:
    """Write one tier of points for each label, as points of one tier cannot share a time."""
    praat = library("praatio.textgrid", path)
    grid = praat.Textgrid(0, recording.duration_s)
    times_s: dict[str, list[float]] = {}
    for one in labels:
        times_s.setdefault(one.label, []).append(one.onset_s)
    for label, of_one in times_s.items():
        points = [(time_s, label) for time_s in of_one]
        grid.addTier(praat.PointTier(label, points, 0, recording.duration_s))
    grid.save(str(path), "long_textgrid", includeBlankSpaces=True)
