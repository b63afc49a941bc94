"""The label files of a dataset: where they are, which reader each has, what they hold."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from seqbench.config.options import LabelFiles
from seqbench.config.registry import suggestion
from seqbench.datasets.base import Faults, explained, fault
from seqbench.datasets.csv_text import plain
from seqbench.datasets.labels.csv_tables import class_rows, event_rows
from seqbench.datasets.labels.entries import LabelEntry
from seqbench.datasets.labels.formats.audacity_track import read_audacity
from seqbench.datasets.labels.formats.bids_events import read_bids
from seqbench.datasets.labels.formats.edf_annotations import read_edf
from seqbench.datasets.labels.formats.elan_tiers import read_elan
from seqbench.datasets.labels.formats.label_file import LabelFile
from seqbench.datasets.labels.formats.label_studio_json import read_label_studio
from seqbench.datasets.labels.formats.praat_textgrid import read_textgrid
from seqbench.datasets.labels.formats.raven_table import read_raven
from seqbench.datasets.labels.formats.wfdb_annotations import read_wfdb
from seqbench.datasets.labels.rows import recording_names
from seqbench.datasets.labels.times import LabelTimes
from seqbench.datasets.reading.files import HIDDEN
from seqbench.datasets.reading.recording import Recording

READERS: dict[str, Callable[[LabelFile, LabelFiles], Iterator[LabelEntry]]] = {
    "audacity": read_audacity,
    "bids": read_bids,
    "edf": read_edf,
    "elan": read_elan,
    "label_studio": read_label_studio,
    "raven": read_raven,
    "textgrid": read_textgrid,
    "wfdb": read_wfdb,
}
OF_ALL = ("label_studio", "raven")  # formats of which one file may hold all recordings
RAVEN_ENDING = re.compile(r"(\.Table\.?\d+)?(\.selections?)?\.txt$", re.IGNORECASE)


def label_entries(
    root: Path,
    found: dict[str, Recording],
    clocks: Mapping[str, LabelTimes],
    settings: LabelFiles | None,
    *,
    intervals: bool,
) -> tuple[list[LabelEntry], list[Path]]:
    """Return what the label files of a dataset say, and the files.

    Parameters
    ----------
    root
        Folder of the dataset.
    found
        The recordings by name.
    clocks
        How times become samples, by the name of each recording.
    settings
        The option `labels`; None: `labels.csv` for intervals, else `events.csv`.
    intervals
        Whether labels are classes of intervals, not events.

    Raises
    ------
    DataError
        If there is no file, one is of no recording or faulty, or no label is left.
    """
    if settings is None:
        table = root / ("labels.csv" if intervals else "events.csv")
        return (class_rows if intervals else event_rows)(table, found), [table]
    files = [
        LabelFile(
            path=path,
            recordings={name: found[name] for name in names},
            times={name: found[name].file_times or clocks[name].times for name in names},
            intervals=intervals,
        )
        for path, names in _located(root, found, settings)
    ]
    entries: list[LabelEntry] = []
    faults = Faults()
    for file in files:
        with faults.collected():
            entries += _entries(file, settings)
    faults.check()
    place = root / settings.place
    if not any(entry.label for entry in entries):
        raise fault(place, "its label files hold no labels", "add some, or correct `labels`")
    if settings.only is not None:
        entries = list(_kept(place, entries, settings.only, intervals))
    return entries, [file.path for file in files]


def _entries(file: LabelFile, settings: LabelFiles) -> Iterator[LabelEntry]:
    """Yield what a label file says; an empty one says that its recording holds no event."""
    with explained(file.path, f"is it a label file of {settings.format}? Write it anew"):
        entries = list(READERS[settings.format](file, settings))
    is_of_one = settings.format not in OF_ALL or len(file.recordings) == 1
    has_labels_alone = settings.format != "edf" or settings.path is not None
    if not entries and is_of_one and has_labels_alone and not file.intervals:
        yield file.searched(0, "the file")
    yield from entries


def _kept(
    place: Path, entries: list[LabelEntry], only: Sequence[str], intervals: bool
) -> Iterator[LabelEntry]:
    """Yield the entries of some labels; a recording with others alone holds none of these."""
    known = sorted({entry.label for entry in entries})
    names = [plain(label) for label in only]
    for name in names:
        if name not in known:
            problem = f"no label is '{name}', which `only` of `labels` names"
            raise fault(place, problem, suggestion(name, known))
    kept = [entry for entry in entries if entry.label in names]
    yield from kept
    labelled = {entry.recording for entry in kept}
    others = {one.recording: one for one in entries if one.recording not in labelled}
    if not intervals:
        yield from (replace(one, label="", onset_s=None, offset_s=None) for one in others.values())


def _located(
    root: Path, found: dict[str, Recording], settings: LabelFiles
) -> list[tuple[Path, list[str]]]:
    """Return the label files, each with the names of its recordings."""
    place = root / settings.place
    if settings.format == "edf" and settings.path is None:
        own = [
            (one.files[0], [name]) for name, one in found.items() if _ends(one.files[0], settings)
        ]
        if not own:
            raise fault(place, "no recording is an EDF file", "name their folder in `path`")
        return own
    if place.is_file():
        if settings.format in OF_ALL or len(found) == 1:
            return [(place, list(found))]
        hint = "put one for each recording into a folder, and name that in `path`"
        raise fault(place, f"a file of {settings.format} is of one recording", hint)
    if not place.is_dir():
        raise fault(place, "there is no such file or folder", "correct `path` of `labels`")
    located: list[tuple[Path, list[str]]] = []
    taken: dict[str, Path] = {}
    for path in sorted(place.iterdir()):
        if path.name.startswith(HIDDEN) or not _ends(path, settings) or not path.is_file():
            continue
        for name in _recordings_of(path, found, settings):
            if name in taken:
                problem = f"{taken[name].name} has labels of '{name}', too"
                raise fault(path, problem, "keep one of the two")
            taken[name] = path
            located.append((path, [name]))
    if not located:
        suffixes = " or ".join(settings.suffixes)
        raise fault(place, f"it holds no label files ({suffixes})", "correct `path` of `labels`")
    return located


def _ends(path: Path, settings: LabelFiles) -> bool:
    """Return whether a file has the name of a label file."""
    ending = "_events.tsv" if settings.format == "bids" else settings.suffixes
    return path.name.lower().endswith(ending)


def _recordings_of(path: Path, found: dict[str, Recording], settings: LabelFiles) -> list[str]:
    """Return the recordings that a label file is of, by its name."""
    if settings.format == "raven":
        stem = plain(RAVEN_ENDING.sub("", path.name))
    elif settings.format == "bids":
        stem = plain(path.name[: -len("_events.tsv")])
    else:
        stem = plain(path.stem)
    known = recording_names(found)
    if stem in known:
        return [known[stem]]
    # sub-01_task-a_events.tsv is of sub-01_task-a_eeg.edf
    of_stem = [name for name in found if name.rpartition("_")[0] == stem]
    if settings.format == "bids" and of_stem:
        return of_stem
    hint = f"name it as its recording ({suggestion(stem, list(found))}), or move it elsewhere"
    raise fault(path, f"there is no recording '{stem}'", hint)
