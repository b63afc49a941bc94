"""Timed events: `events.csv`."""

from pathlib import Path

from seqbench.datasets.base import fault
from seqbench.datasets.labels.rows import Label, Row, keep_within, missing_table, named_rows
from seqbench.datasets.reading.recording import Recording

ROUNDING_S = 1e-9  # differences of decimal fractions are off by less


def event_labels(
    path: Path, found: dict[str, Recording], rate: float | None, refractory_s: float | None
) -> dict[str, list[Label]]:
    """Return the events of `events.csv` for each recording, by time.

    Parameters
    ----------
    path
        The table, with the columns recording,onset_s,label and possibly offset_s.
    found
        The recordings by name.
    rate
        Samples per second; None where it is unknown.
    refractory_s
        Shortest time between two events of one type; None: only two in the
        same sample are refused.

    Raises
    ------
    DataError
        If the file is absent, a row is faulty, or two events of one type are too close.
    """
    if not path.exists():
        columns = "recording,onset_s,label"
        raise missing_table(path, columns, "detection", "labels.csv", "classification")
    onset_s: dict[int, float] = {}
    events: dict[str, list[Label]] = {name: [] for name in found}
    for name, row in named_rows(path, found, ["onset_s", "label"], ["offset_s"]):
        onset_s[row.line], start, stop = _event(row, len(found[name].signal), rate)
        events[name].append(Label(row.cells["label"], start, stop, row.line))
    for of_one in events.values():
        of_one.sort(key=lambda event: (onset_s[event.line], event.line))
        _check_distances(path, of_one, onset_s, refractory_s)
    return events


def _event(row: Row, n_samples: int, rate: float | None) -> tuple[float, int, int]:
    """Return the onset in seconds, and the samples [start, stop) of the event of a row."""
    rate = row.known_rate(rate)
    onset_s = row.seconds("onset_s")
    if onset_s < 0 or onset_s * rate >= n_samples - 0.5:
        last_s = (n_samples - 1) / rate
        problem = f"onset_s {onset_s:.10g} is not between 0 and the last sample at {last_s:.10g} s"
        raise row.fault(problem, "correct it or the sampling rate")
    start = round(onset_s * rate)
    if not row.cells["offset_s"]:
        return onset_s, start, start + 1
    offset_s = row.seconds("offset_s")
    if offset_s < onset_s:
        problem = f"offset_s {offset_s:.10g} is before onset_s {onset_s:.10g}"
        raise row.fault(problem, "swap or correct them")
    if offset_s * rate > n_samples + 0.5:
        problem = f"offset_s {offset_s:.10g} is outside of the recording"
        raise row.fault(problem, keep_within(n_samples, rate))
    return onset_s, start, max(min(round(offset_s * rate), n_samples), start + 1)


def _check_distances(
    path: Path, events: list[Label], onset_s: dict[int, float], refractory_s: float | None
) -> None:
    """Refuse events of one recording, ordered by onset, that no detector could separate."""
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
            hint = "remove one of the two rows, or lower `refractory_s`"
            raise fault(path, problem, hint, row=second)
