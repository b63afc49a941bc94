"""A user's own recordings, in a folder of files that ordinary tools write.

    PATH/recordings/NAME.{csv,parquet,npy,npz,h5,hdf5,edf,hea}    samples x channels
    PATH/labels.csv     recording,label[,start_s,end_s]
    PATH/groups.csv     recording,group; optional

Lines are counted from 1 in every message, the header being line 1.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seqbench.datasets.base import counted, explained, fault, sha256
from seqbench.datasets.formats import READERS, Recording, read_recording
from seqbench.datasets.tables import Row, number, plain, read_table
from seqbench.options import Positive, Text
from seqbench.registry import DATASETS, suggestion
from seqbench.storage.recordings import Recordings, natural_order

SIDECARS = (".dat", ".atr", ".txt", ".md")
RATE_TOLERANCE = 1e-3  # relative; rates that come from rounded times differ by less


@DATASETS.register("folder", task="classification", sample="series", reads="path")
def folder(
    cache: Path,
    *,
    path: Text,
    task: Literal["classification"] = "classification",
    sampling_rate_hz: Positive | None = None,
    channels: tuple[Text, ...] | None = None,
) -> Recordings:
    """Read your own recordings from a folder, and their labels from CSV files.

    Parameters
    ----------
    cache
        Not used: nothing is downloaded.
    path
        Folder that holds `recordings/` and the CSV files beside it.
    task
        What the labels say; classification reads them from `labels.csv`.
    sampling_rate_hz
        Samples per second; empty takes it from the files, where they say it.
    channels
        Names of the channels to keep, in this order; empty keeps all.

    Returns
    -------
    Recordings
        Sorted by name; those without a label are kept for pretraining.

    Raises
    ------
    DataError
        At the first fault, in one sentence that names the file, the row or key, and the mend.
    """
    del cache
    root = Path(path)
    with explained(root, "correct `path` or make the folder readable"):
        root = root.expanduser()
        found = {
            name: read_recording(file, channels) for name, file in _recording_files(root).items()
        }
        _check_agreement(root, found)
        rate = _common_rate_hz(root, found, sampling_rate_hz)
        labels = _class_labels(root / "labels.csv", found, rate)
        groups = _groups(root / "groups.csv", found)
        tables = [file for file in (root / "labels.csv", root / "groups.csv") if file.exists()]
        files = sorted({*tables, *(file for one in found.values() for file in one.files)})
        checksums = {file.relative_to(root).as_posix(): sha256(file) for file in files}
        classes = sorted({label.name for label in labels}, key=natural_order)

    names = list(found)
    first = found[names[0]]
    recording_index = {name: i for i, name in enumerate(names)}
    class_index = {name: i for i, name in enumerate(classes)}
    return Recordings(
        task=task,
        sample="series",
        signals=[one.signal for one in found.values()],
        names=names,
        groups=[groups.get(name, name) for name in names],
        splits=[""] * len(names),
        channels=first.channels,
        units=first.units,
        classes=classes,
        label_recording=_integers(recording_index[label.recording] for label in labels),
        label=_integers(class_index[label.name] for label in labels),
        label_start=_integers(label.start for label in labels),
        label_stop=_integers(label.stop for label in labels),
        sampling_rate_hz=rate,
        source={"origin": "folder", "files": checksums},
    )


# Recordings.


def _recording_files(root: Path) -> dict[str, Path]:
    """Return the file of each recording by its name, sorted."""
    inside = root / "recordings"
    if not root.is_dir():
        raise fault(root.absolute(), "there is no such folder", "correct `path`")
    if not inside.is_dir():
        raise fault(inside, "there is no such folder", "make it and put the recordings into it")
    readable = ", ".join(READERS)
    files: dict[str, Path] = {}
    for file in sorted(inside.iterdir()):
        if file.name.startswith(".") or file.suffix.lower() in SIDECARS:
            continue
        if file.suffix.lower() not in READERS:
            mend = f"convert it to one of {readable}, or move it elsewhere"
            raise fault(file, "it is no recording in a known format", mend)
        if not file.is_file():
            mend = "put a file of that name here or remove this one"
            raise fault(file, "it is a folder, or a link that leads nowhere", mend)
        name = plain(file.stem)
        if not _is_storable(name):
            raise fault(file, "its name is not valid UTF-8", "rename the file")
        if name in files:
            mend = "rename or remove one of them"
            raise fault(file, f"{files[name].name} is also recording '{name}'", mend)
        files[name] = file
    if not files:
        raise fault(inside, "it holds no recordings", f"put files into it: {readable}")
    return dict(sorted(files.items()))


def _is_storable(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:  # bytes of a file name that Python could not decode
        return False
    return True


def _check_agreement(root: Path, found: dict[str, Recording]) -> None:
    """Refuse recordings whose channels or units differ from those of the first."""
    first = next(iter(found.values()))
    model = first.files[0].relative_to(root)
    for one in found.values():
        file = one.files[0]
        n, expected = len(one.channels), len(first.channels)
        if n != expected:
            problem = f"it has {counted(n, 'channel')}, but {model} has {expected}"
            mend = "record the same channels everywhere (rows are samples), or name them in"
            raise fault(file, problem, f"{mend} `channels`")
        for i, name in enumerate(first.channels):
            if one.channels[i] != name:
                problem = f"channel {i + 1} is named '{one.channels[i]}', but '{name}' in {model}"
                mend = "rename it, or give the common names and their order in `channels`"
                raise fault(file, problem, mend)
            if one.units[i] != first.units[i]:
                problem = f"channel '{name}' has the unit '{one.units[i]}'"
                raise fault(
                    file, f"{problem}, but '{first.units[i]}' in {model}", "convert one of them"
                )


def _common_rate_hz(root: Path, found: dict[str, Recording], stated: float | None) -> float | None:
    """Return the sampling rate that option and files agree on; None if none of them says it."""
    rates = {one.files[0]: one.sampling_rate_hz for one in found.values()}
    known = {file: rate for file, rate in rates.items() if rate is not None}
    if stated is not None:
        common, origin = stated, "`sampling_rate_hz`"
    elif known:
        reference = next(iter(known))
        common, origin = known[reference], str(reference.relative_to(root))
    else:
        return None
    for file, rate in rates.items():
        if rate is None and stated is None:
            problem = f"it has no sampling rate, while {origin} has {common:.10g} Hz"
            raise fault(file, problem, "set `sampling_rate_hz` if all have the same")
        if rate is not None and not math.isclose(rate, common, rel_tol=RATE_TOLERANCE):
            problem = f"its sampling rate is {rate:.10g} Hz, but {origin} says {common:.10g} Hz"
            mend = "resample the recording or correct the rate"
            raise fault(file, problem, mend)
    return common


# Tables.


@dataclass(frozen=True, kw_only=True)
class ClassLabel:
    """A class and the samples [start, stop) of a recording that it covers."""

    recording: str
    name: str
    start: int
    stop: int
    whole: bool
    line: int


def _named_rows(
    path: Path, found: dict[str, Recording], needed: Sequence[str], optional: Sequence[str] = ()
) -> Iterator[tuple[str, Row]]:
    """Yield the rows of a table, each with the name of the recording it speaks of."""
    by_file = {plain(one.files[0].name): name for name, one in found.items()}
    known = by_file | {name: name for name in found}
    for row in read_table(path, ("recording", *needed), optional):
        name = row.cells["recording"]
        if name not in known:
            raise fault(
                path, f"recording '{name}' is unknown", suggestion(name, list(found)), row=row.line
            )
        yield known[name], row


def _groups(path: Path, found: dict[str, Recording]) -> dict[str, str]:
    """Return the group of each recording that `groups.csv` names."""
    groups: dict[str, str] = {}
    if path.exists():
        for name, row in _named_rows(path, found, ["group"]):
            group = row.cells["group"]
            if groups.setdefault(name, group) != group:
                problem = f"recording '{name}' is in group '{groups[name]}' already"
                raise fault(path, problem, "keep one of the two rows", row=row.line)
    return groups


def _class_labels(path: Path, found: dict[str, Recording], rate: float | None) -> list[ClassLabel]:
    """Return the labels of `labels.csv`, by recording and time."""
    if not path.exists():
        mend = "write it with the columns recording,label"
        raise fault(path, "there is no such file, and classification needs it", mend)
    by_recording: dict[str, list[ClassLabel]] = defaultdict(list)
    for name, row in _named_rows(path, found, ["label"], ["start_s", "end_s"]):
        start, stop, whole = _interval(path, row, len(found[name].signal), rate)
        by_recording[name].append(
            ClassLabel(
                recording=name,
                name=row.cells["label"],
                start=start,
                stop=stop,
                whole=whole,
                line=row.line,
            )
        )
    labels: list[ClassLabel] = []
    for name in found:
        ordered = sorted(by_recording[name], key=lambda label: (label.start, label.line))
        _check_overlaps(path, ordered)
        labels += ordered
    classes = {label.name for label in labels}
    if len(classes) < 2:
        problem = f"'{labels[0].name}' is the only class"
        raise fault(path, problem, "label recordings of at least two classes", column="label")
    return labels


def _interval(path: Path, row: Row, n_samples: int, rate: float | None) -> tuple[int, int, bool]:
    """Return the samples [start, stop) a row speaks of, and whether it means all of them."""
    texts = {column: row.cells[column] for column in ("start_s", "end_s")}
    given = [column for column, text in texts.items() if text]
    if not given:
        return 0, n_samples, True
    if len(given) == 1:
        mend = "give both start_s and end_s, or neither for the whole recording"
        raise fault(path, f"only {given[0]} is given", mend, row=row.line)
    if rate is None:
        mend = "set `sampling_rate_hz`, which turns seconds into samples"
        raise fault(path, "the sampling rate is unknown", mend, row=row.line)
    start_s, end_s = (_seconds(path, row, column) for column in texts)
    if start_s >= end_s:
        problem = f"start_s {start_s:.10g} is not before end_s {end_s:.10g}"
        raise fault(path, problem, "swap or correct them", row=row.line)
    if start_s < 0 or end_s * rate > n_samples + 0.5:
        problem = f"{start_s:.10g} s to {end_s:.10g} s is outside of the recording"
        mend = f"keep within its {n_samples / rate:.10g} s, or correct the sampling rate"
        raise fault(path, problem, mend, row=row.line)
    start, stop = round(start_s * rate), min(round(end_s * rate), n_samples)
    if start >= stop:
        problem = f"{start_s:.10g} s to {end_s:.10g} s covers no sample"
        raise fault(path, problem, f"widen it to at least {1 / rate:.10g} s", row=row.line)
    return start, stop, False


def _seconds(path: Path, row: Row, column: str) -> float:
    text = row.cells[column]
    seconds = number(text)
    if seconds is None or not math.isfinite(seconds):
        mend = "write seconds from the start of the recording, with a decimal point"
        raise fault(path, f"'{text}' is not a number", mend, row=row.line, column=column)
    return seconds


def _check_overlaps(path: Path, labels: list[ClassLabel]) -> None:
    """Refuse labels of one recording, ordered by start, that contradict each other."""
    running: list[ClassLabel] = []
    for label in labels:
        running = [earlier for earlier in running if earlier.stop > label.start]
        for earlier in running:
            first, second = sorted((earlier.line, label.line))
            if earlier.whole or label.whole:
                problem = f"recording '{label.recording}' is labelled already in row {first}"
                mend = "remove one of the rows, or give each an interval (start_s, end_s)"
                raise fault(path, problem, mend, row=second)
            if earlier.name != label.name:
                problem = (
                    f"the interval overlaps the one in row {first}, and their labels"
                    f" '{earlier.name}' and '{label.name}' differ"
                )
                raise fault(path, problem, "shorten or remove one of them", row=second)
        running.append(label)


def _integers(values: Iterator[int]) -> NDArray[np.int64]:
    return np.fromiter(values, dtype=np.int64)
