"""Classes of recordings or of intervals therein, whatever file they were read from."""

from collections.abc import Iterable

from seqbench.datasets.base import fault
from seqbench.datasets.labels.entries import Label, LabelEntry, in_order, refuse_twins
from seqbench.datasets.labels.times import LabelTimes


def class_labels(
    entries: Iterable[LabelEntry], clocks: dict[str, LabelTimes]
) -> dict[str, list[Label]]:
    """Return the labels of each recording, by time.

    Parameters
    ----------
    entries
        At least one; those without times are of whole recordings.
    clocks
        How times become samples, by the name of each recording.

    Raises
    ------
    DataError
        If an interval is impossible, two entries contradict each other, or there is only one class.
    """
    labels: dict[str, list[Label]] = {name: [] for name in clocks}
    for entry in entries:
        start, stop = _interval(entry, clocks[entry.recording])
        labels[entry.recording].append(Label(entry.label, start, stop, entry))
    for name, of_one in labels.items():
        of_one.sort(key=lambda label: (label.start, label.entry.number))
        _check_overlaps(name, of_one)
    refuse_twins(label for of_one in labels.values() for label in of_one)
    classes = {label.name for of_one in labels.values() for label in of_one}
    if len(classes) < 2:
        path = next(label.entry.path for of_one in labels.values() for label in of_one)
        problem = f"'{classes.pop()}' is the only class"
        raise fault(path, problem, "label recordings of at least two classes", column="label")
    return labels


def _interval(entry: LabelEntry, clock: LabelTimes) -> tuple[int, int]:
    """Return the samples [start, stop) of an entry."""
    start_s, end_s = entry.onset_s, entry.offset_s
    if start_s is None:
        return 0, clock.n_samples
    if end_s is None:
        hint = "give it an end, or set `task: detection` to learn events in time"
        raise entry.fault(f"'{entry.label}' at {start_s:.10g} s is no interval", hint)
    first, last = clock.place(entry, start_s), clock.place(entry, end_s)
    if start_s >= end_s:
        problem = f"its start at {start_s:.10g} s is not before its end at {end_s:.10g} s"
        raise entry.fault(problem, "swap or correct them")
    if first < 0 or last > clock.n_samples + 0.5:
        problem = f"{start_s:.10g} s to {end_s:.10g} s is outside of the recording"
        raise entry.fault(problem, clock.keep_within())
    start, stop = round(first), min(round(last), clock.n_samples)
    if start >= stop:
        problem = f"{start_s:.10g} s to {end_s:.10g} s covers no sample"
        step_s = clock.time_s_at(start + 1) - clock.time_s_at(start)
        raise entry.fault(problem, f"widen it to at least {step_s:.10g} s")
    return start, stop


def _check_overlaps(name: str, labels: list[Label]) -> None:
    """Refuse labels of one recording, ordered by start, that contradict each other.

    Labels that overlap are of one class, so each is compared with the one before alone.
    """
    reach = 0
    for before, label in zip(labels[:1] + labels, labels, strict=False):
        is_any_whole = before.is_whole or label.is_whole
        if label.start < reach and (is_any_whole or before.name != label.name):
            earlier = next(one for one in labels if one.stop > label.start)
            first, second = in_order(earlier.entry, label.entry)
            if earlier.is_whole or label.is_whole:
                problem = f"recording '{name}' is labelled already in {first.place}"
                hint = "remove one of the rows, or give each an interval (start_s, end_s)"
                raise second.fault(problem, hint)
            problem = (
                f"the interval overlaps the one in {first.place}, and their labels"
                f" '{earlier.name}' and '{label.name}' differ"
            )
            raise second.fault(problem, "shorten or remove one of them")
        reach = max(reach, label.stop)
