"""Classes of recordings or of intervals therein: `labels.csv`."""

from pathlib import Path

from seqbench.datasets.base import fault
from seqbench.datasets.labels.rows import Label, Row, keep_within, missing_table, named_rows
from seqbench.datasets.reading.recording import Recording


def class_labels(
    path: Path, found: dict[str, Recording], rate: float | None
) -> dict[str, list[Label]]:
    """Return the labels of `labels.csv` for each recording, by time.

    Parameters
    ----------
    path
        The table, with the columns recording,label and possibly start_s,end_s.
    found
        The recordings by name.
    rate
        Samples per second; None where it is unknown.

    Raises
    ------
    DataError
        If the file is absent, a row is faulty, two rows contradict each other,
        or there is only one class.
    """
    if not path.exists():
        columns = "recording,label"
        raise missing_table(path, columns, "classification", "events.csv", "detection")
    labels: dict[str, list[Label]] = {name: [] for name in found}
    for name, row in named_rows(path, found, ["label"], ["start_s", "end_s"]):
        interval = _interval(row, len(found[name].signal), rate)
        start, stop = interval or (0, len(found[name].signal))
        kind = row.cells["label"]
        labels[name].append(Label(kind, start, stop, row.line, whole=interval is None))
    for name, of_one in labels.items():
        of_one.sort(key=lambda label: (label.start, label.line))
        _check_overlaps(path, name, of_one)
    classes = {label.name for of_one in labels.values() for label in of_one}
    if len(classes) < 2:
        problem = f"'{classes.pop()}' is the only class"
        raise fault(path, problem, "label recordings of at least two classes", column="label")
    return labels


def _interval(row: Row, n_samples: int, rate: float | None) -> tuple[int, int] | None:
    """Return the samples [start, stop) of a row; None if it has no times."""
    texts = {column: row.cells[column] for column in ("start_s", "end_s")}
    given = [column for column, text in texts.items() if text]
    if not given:
        return None
    if len(given) == 1:
        hint = "give both start_s and end_s, or neither for the whole recording"
        raise row.fault(f"only {given[0]} is given", hint)
    rate = row.known_rate(rate)
    start_s, end_s = (row.seconds(column) for column in texts)
    if start_s >= end_s:
        problem = f"start_s {start_s:.10g} is not before end_s {end_s:.10g}"
        raise row.fault(problem, "swap or correct them")
    if start_s < 0 or end_s * rate > n_samples + 0.5:
        problem = f"{start_s:.10g} s to {end_s:.10g} s is outside of the recording"
        raise row.fault(problem, keep_within(n_samples, rate))
    start, stop = round(start_s * rate), min(round(end_s * rate), n_samples)
    if start >= stop:
        problem = f"{start_s:.10g} s to {end_s:.10g} s covers no sample"
        raise row.fault(problem, f"widen it to at least {1 / rate:.10g} s")
    return start, stop


def _check_overlaps(path: Path, name: str, labels: list[Label]) -> None:
    """Refuse labels of one recording, ordered by start, that contradict each other.

    Labels that overlap are of one class, so each is compared with the one before alone.
    """
    reach = 0
    for before, label in zip(labels[:1] + labels, labels, strict=False):
        if label.start < reach and (before.whole or label.whole or before.name != label.name):
            earlier = next(one for one in labels if one.stop > label.start)
            first, second = sorted((earlier.line, label.line))
            if earlier.whole or label.whole:
                problem = f"recording '{name}' is labelled already in row {first}"
                hint = "remove one of the rows, or give each an interval (start_s, end_s)"
                raise fault(path, problem, hint, row=second)
            problem = (
                f"the interval overlaps the one in row {first}, and their labels"
                f" '{earlier.name}' and '{label.name}' differ"
            )
            raise fault(path, problem, "shorten or remove one of them", row=second)
        reach = max(reach, label.stop)
