"""Timed events, whatever file they were read from."""

from collections.abc import Iterable

from seqbench.datasets.base import fault
from seqbench.datasets.labels.entries import Label, LabelEntry, in_order, refuse_twins
from seqbench.datasets.labels.times import LabelTimes

ROUNDING_S = 1e-9  # differences of decimal fractions are off by less


def event_labels(
    entries: Iterable[LabelEntry],
    clocks: dict[str, LabelTimes],
    refractory_s: float | None,
) -> dict[str, list[Label]]:
    """Return the events of each recording that has an entry, by time.

    Parameters
    ----------
    entries
        Each with an onset, or without a label: that recording holds no event.
    clocks
        How times become samples, by the name of each recording.
    refractory_s
        Shortest time between two events of one type; None: only two in the
        same sample are refused.

    Raises
    ------
    DataError
        If there is no event, a time is impossible, two events of one type are too
        close, or a recording has events and an entry that states that it has none.
    """
    events: dict[str, list[Label]] = {}
    searched: list[LabelEntry] = []
    for entry in entries:
        of_one = events.setdefault(entry.recording, [])
        if not entry.label:
            searched.append(entry)
            continue
        start, stop = _samples(entry, clocks[entry.recording])
        of_one.append(Label(entry.label, start, stop, entry))
    for entry in searched:
        if of_one := events[entry.recording]:
            problem = f"'{entry.recording}' holds no event, but one is in {of_one[0].entry.place}"
            raise entry.fault(problem, "keep one of the two")
    if searched and not any(events.values()):
        hint = "add the events of at least one recording"
        raise fault(searched[0].path, "every recording in it holds no event", hint)
    refuse_twins(event for of_one in events.values() for event in of_one)
    for of_one in events.values():
        of_one.sort(key=lambda event: (_onset_s(event.entry), event.entry.number))
        _check_distances(of_one, refractory_s)
    return events


def _onset_s(entry: LabelEntry) -> float:
    if entry.onset_s is None:
        raise ValueError("an event has an onset")
    return entry.onset_s


def _samples(entry: LabelEntry, clock: LabelTimes) -> tuple[int, int]:
    """Return the samples [start, stop) of an event."""
    onset_s, offset_s = _onset_s(entry), entry.offset_s
    onset = clock.place(entry, onset_s)
    if onset < 0 or onset >= clock.n_samples - 0.5:
        first_s, last_s = clock.time_s_at(0), clock.time_s_at(clock.n_samples - 1)
        problem = (
            f"its onset at {onset_s:.10g} s is not between the first sample at {first_s:.10g} s"
            f" and the last at {last_s:.10g} s"
        )
        raise entry.fault(problem, "correct it or the sampling rate")
    start = round(onset)
    if offset_s is None:
        return start, start + 1
    offset = clock.place(entry, offset_s)
    if offset < onset:
        problem = f"its end at {offset_s:.10g} s is before its onset at {onset_s:.10g} s"
        raise entry.fault(problem, "swap or correct them")
    if offset > clock.n_samples + 0.5:
        problem = f"its end at {offset_s:.10g} s is outside of the recording"
        raise entry.fault(problem, clock.keep_within())
    return start, max(min(round(offset), clock.n_samples), start + 1)


def _check_distances(events: list[Label], refractory_s: float | None) -> None:
    """Refuse events of one recording, ordered by onset, that no detector could separate."""
    last: dict[str, Label] = {}
    for event in events:
        earlier = last.get(event.name)
        last[event.name] = event
        if earlier is None:
            continue
        first, second = in_order(earlier.entry, event.entry)
        if event.start == earlier.start:
            problem = f"'{event.name}' is at the sample of the one in {first.place}"
            raise second.fault(problem, "remove one of the two")
        distance_s = _onset_s(event.entry) - _onset_s(earlier.entry)
        if refractory_s is not None and distance_s < refractory_s - ROUNDING_S:
            problem = (
                f"'{event.name}' is {distance_s:.10g} s from the one in {first.place}, nearer than"
                f" the {refractory_s:.10g} s of `refractory_s`"
            )
            raise second.fault(problem, "remove one of the two, or lower `refractory_s`")
