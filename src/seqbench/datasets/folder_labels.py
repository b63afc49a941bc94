"""The tables beside a user's recordings: labels, events and groups.

Lines are counted from 1 in every message, the header being line 1.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from seqbench.config.registry import suggestion
from seqbench.datasets.base import fault
from seqbench.datasets.formats import Recording
from seqbench.datasets.tables import Row, number, plain, read_table

ROUNDING_S = 1e-9  # differences of decimal fractions are off by less


@dataclass(frozen=True, kw_only=True)
class Label:
    """What a row says: the samples [start, stop) of a recording that a class or event covers.

    `whole` marks a row that gives no times and so means all of its recording.
    """

    recording: str
    name: str
    start: int
    stop: int
    line: int
    whole: bool = False


def class_labels(path: Path, found: dict[str, Recording], rate: float | None) -> list[Label]:
    """Return the labels of `labels.csv`, by recording and time.

    Parameters
    ----------
    path
        The table, with the columns recording,label and possibly start_s,end_s.
    found
        The recordings by name.
    rate
        Samples per second; None where nothing says it.

    Raises
    ------
    DataError
        If the file is absent, a row is faulty, two rows contradict each other,
        or there is only one class.
    """
    if not path.exists():
        mend = "write it with the columns recording,label" + _hint(path, "events.csv", "detection")
        raise fault(path, "there is no such file, and classification needs it", mend)
    by_recording: dict[str, list[Label]] = defaultdict(list)
    for name, row in _named_rows(path, found, ["label"], ["start_s", "end_s"]):
        start, stop, whole = _interval(path, row, len(found[name].signal), rate)
        label = Label(
            recording=name,
            name=row.cells["label"],
            start=start,
            stop=stop,
            line=row.line,
            whole=whole,
        )
        by_recording[name].append(label)
    labels: list[Label] = []
    for name in found:
        ordered = sorted(by_recording[name], key=lambda label: (label.start, label.line))
        _check_overlaps(path, ordered)
        labels += ordered
    classes = {label.name for label in labels}
    if len(classes) < 2:
        problem = f"'{labels[0].name}' is the only class"
        raise fault(path, problem, "label recordings of at least two classes", column="label")
    return labels


def event_labels(
    path: Path, found: dict[str, Recording], rate: float | None, refractory_s: float | None
) -> list[Label]:
    """Return the events of `events.csv`, by recording and time.

    Parameters
    ----------
    path
        The table, with the columns recording,onset_s,label and possibly offset_s.
    found
        The recordings by name.
    rate
        Samples per second; None where nothing says it.
    refractory_s
        Shortest time between two events of one type; None: only two in the
        same sample are refused.

    Raises
    ------
    DataError
        If the file is absent, a row is faulty, or two events of one type are too close.
    """
    if not path.exists():
        mend = "write it with the columns recording,onset_s,label"
        mend += _hint(path, "labels.csv", "classification")
        raise fault(path, "there is no such file, and detection needs it", mend)
    onset_s: dict[int, float] = {}
    by_recording: dict[str, list[Label]] = defaultdict(list)
    for name, row in _named_rows(path, found, ["onset_s", "label"], ["offset_s"]):
        onset_s[row.line], start, stop = _event(path, row, len(found[name].signal), rate)
        label = Label(
            recording=name, name=row.cells["label"], start=start, stop=stop, line=row.line
        )
        by_recording[name].append(label)
    labels: list[Label] = []
    for name in found:
        ordered = sorted(by_recording[name], key=lambda label: (onset_s[label.line], label.line))
        _check_distances(path, ordered, onset_s, refractory_s)
        labels += ordered
    return labels


def groups_of(path: Path, found: dict[str, Recording]) -> dict[str, str]:
    """Return the group of each recording that `groups.csv` names; the file may be absent."""
    groups: dict[str, str] = {}
    if path.exists():
        for name, row in _named_rows(path, found, ["group"]):
            group = row.cells["group"]
            if groups.setdefault(name, group) != group:
                problem = f"recording '{name}' is in group '{groups[name]}' already"
                raise fault(path, problem, "keep one of the two rows", row=row.line)
    return groups


def _hint(path: Path, other: str, task: str) -> str:
    return f", or set `task: {task}` to read {other}" if path.with_name(other).exists() else ""


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


def _interval(path: Path, row: Row, n_samples: int, rate: float | None) -> tuple[int, int, bool]:
    """Return the samples [start, stop) a row speaks of, and whether it means all of them."""
    texts = {column: row.cells[column] for column in ("start_s", "end_s")}
    given = [column for column, text in texts.items() if text]
    if not given:
        return 0, n_samples, True
    if len(given) == 1:
        mend = "give both start_s and end_s, or neither for the whole recording"
        raise fault(path, f"only {given[0]} is given", mend, row=row.line)
    rate = _known_rate(path, row, rate)
    start_s, end_s = (_seconds(path, row, column) for column in texts)
    if start_s >= end_s:
        problem = f"start_s {start_s:.10g} is not before end_s {end_s:.10g}"
        raise fault(path, problem, "swap or correct them", row=row.line)
    if start_s < 0 or end_s * rate > n_samples + 0.5:
        problem = f"{start_s:.10g} s to {end_s:.10g} s is outside of the recording"
        raise fault(path, problem, _keep_within(n_samples, rate), row=row.line)
    start, stop = round(start_s * rate), min(round(end_s * rate), n_samples)
    if start >= stop:
        problem = f"{start_s:.10g} s to {end_s:.10g} s covers no sample"
        raise fault(path, problem, f"widen it to at least {1 / rate:.10g} s", row=row.line)
    return start, stop, False


def _event(path: Path, row: Row, n_samples: int, rate: float | None) -> tuple[float, int, int]:
    """Return the onset in seconds, and the samples [start, stop) of the event of a row."""
    rate = _known_rate(path, row, rate)
    onset_s = _seconds(path, row, "onset_s")
    if onset_s < 0 or onset_s * rate >= n_samples - 0.5:
        last_s = (n_samples - 1) / rate
        problem = f"onset_s {onset_s:.10g} is not between 0 and the last sample at {last_s:.10g} s"
        raise fault(path, problem, "correct it or the sampling rate", row=row.line)
    start = round(onset_s * rate)
    if not row.cells["offset_s"]:
        return onset_s, start, start + 1
    offset_s = _seconds(path, row, "offset_s")
    if offset_s < onset_s:
        problem = f"offset_s {offset_s:.10g} is before onset_s {onset_s:.10g}"
        raise fault(path, problem, "swap or correct them", row=row.line)
    if offset_s * rate > n_samples + 0.5:
        problem = f"offset_s {offset_s:.10g} is outside of the recording"
        raise fault(path, problem, _keep_within(n_samples, rate), row=row.line)
    return onset_s, start, max(min(round(offset_s * rate), n_samples), start + 1)


def _known_rate(path: Path, row: Row, rate: float | None) -> float:
    if rate is None:
        mend = "set `sampling_rate_hz`, which turns seconds into samples"
        raise fault(path, "the sampling rate is unknown", mend, row=row.line)
    return rate


def _keep_within(n_samples: int, rate: float) -> str:
    return f"keep within its {n_samples / rate:.10g} s, or correct the sampling rate"


def _seconds(path: Path, row: Row, column: str) -> float:
    text = row.cells[column]
    seconds = number(text)
    if seconds is None or not math.isfinite(seconds):
        mend = "write seconds from the start of the recording, with a decimal point"
        raise fault(path, f"'{text}' is not a number", mend, row=row.line, column=column)
    return seconds


def _check_overlaps(path: Path, labels: list[Label]) -> None:
    """Refuse labels of one recording, ordered by start, that contradict each other."""
    running: list[Label] = []
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


def _check_distances(
    path: Path, events: list[Label], onset_s: dict[int, float], refractory_s: float | None
) -> None:
    """Refuse events of one recording, ordered by onset, that no detector could tell apart."""
    last: dict[str, Label] = {}
    for event in events:
        earlier = last.get(event.name)
        last[event.name] = event
        if earlier is None:
            continue
        first, second = sorted((earlier.line, event.line))
        if event.start == earlier.start:
            problem = f"'{event.name}' is at the sample of the one in row {first}"
            raise fault(path, problem, "remove one of the two rows", row=second)
        distance_s = onset_s[event.line] - onset_s[earlier.line]
        if refractory_s is not None and distance_s < refractory_s - ROUNDING_S:
            problem = (
                f"'{event.name}' is {distance_s:.10g} s from the one in row {first}, nearer than"
                f" the {refractory_s:.10g} s of `refractory_s`"
            )
            mend = "remove one of the two rows, or lower `refractory_s`"
            raise fault(path, problem, mend, row=second)
