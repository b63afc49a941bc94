"""Recordings with gaps become recordings of what is between them, with the labels therein."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from seqbench.datasets.base import counted, fault, listed
from seqbench.datasets.labels.entries import Label, LabelEntry
from seqbench.datasets.labels.times import LabelTimes
from seqbench.datasets.reading.recording import Recording

N_SHOWN = 3  # recordings or labels in a note


@dataclass(frozen=True)
class Segment:
    """Samples [start, stop) of a recording, between two gaps.

    Parameters
    ----------
    recording, name
        `recording` without a gap has one segment of its own name; else the names
        are NAME~1, NAME~2, ...
    start, stop
        First sample, and the one behind the last.
    """

    recording: str
    name: str
    start: int
    stop: int

    def labels(self, of_recording: Sequence[Label]) -> list[Label]:
        """Return what lies in the segment of the labels of its recording, cut at its ends."""
        return [
            replace(
                one,
                start=max(one.start, self.start) - self.start,
                stop=min(one.stop, self.stop) - self.start,
            )
            for one in of_recording
            if one.start < self.stop and self.start < one.stop
        ]

    def events(self, of_recording: Sequence[Label]) -> list[Label]:
        """Return the same of events, each in the segment of its onset alone."""
        return self.labels([one for one in of_recording if self.start <= one.start])


def segments_of(found: Mapping[str, Recording]) -> list[Segment]:
    """Return the segments of all recordings, in order.

    Raises
    ------
    DataError
        If a recording has the name of a segment.
    """
    segments = []
    for name, one in found.items():
        starts = (0,) if one.times is None else one.times.starts
        for i, (start, stop) in enumerate(pairwise([*starts, len(one.signal)]), start=1):
            own = f"{name}~{i}" if len(starts) > 1 else name
            if own != name and own in found:
                problem = f"'{own}' is the name of a segment of '{name}', which has gaps, too"
                raise fault(found[own].files[0], problem, "rename the file")
            segments.append(Segment(name, own, start, stop))
    return segments


def without_gaps(
    entries: Sequence[LabelEntry], clocks: Mapping[str, LabelTimes], *, are_events: bool
) -> tuple[list[LabelEntry], list[LabelEntry]]:
    """Return the labels that touch a sample, and those that lie in a gap: of events the onset.

    Of a recording whose labels all lie in gaps, an entry without a label stays:
    it was searched.
    """
    kept: list[LabelEntry] = []
    inside: list[LabelEntry] = []
    for one in entries:
        is_lost = clocks[one.recording].is_in_gap(one, by_onset=are_events)
        (inside if is_lost else kept).append(one)
    labelled = {one.recording for one in kept}
    searched = {one.recording: one for one in inside if one.recording not in labelled}
    if are_events:
        kept += [replace(e, label="", onset_s=None, offset_s=None) for e in searched.values()]
    return kept, inside


def gap_notes(
    found: Mapping[str, Recording],
    in_gaps: Sequence[LabelEntry],
    labelled: Mapping[str, Sequence[Label]],
    *,
    are_events: bool,
) -> list[str]:
    """Return what gaps changed, in sentences for the page."""
    split = {name: one.times for name, one in found.items() if one.times and one.times.starts[1:]}
    if not split:
        return []
    described = []
    for name, times in split.items():
        end_s = times.segments[0].time_s_at(times.starts[1])
        gap_s = times.segments[1].start_s - end_s
        n_gaps = counted(len(times.starts) - 1, "gap")
        first = f"{name} ({n_gaps}, the first of {gap_s:.4g} s at {end_s:.10g} s)"
        described.append(first)
    notes = [
        f"{counted(len(split), 'recording')} of {len(found)} with gaps: what is between gaps is a"
        f" recording NAME~1, NAME~2, … of its own: {listed(described, N_SHOWN)}."
    ]
    if in_gaps:
        places = listed([f"{one.path.name}, {one.place}" for one in in_gaps], N_SHOWN)
        n_labels = counted(len(in_gaps), "label")
        notes.append(f"Left out, because no sample was taken there: {n_labels} in gaps ({places}).")
    ends = {name: {*times.starts[1:]} for name, times in split.items()}
    cut = [
        label
        for name, of_one in labelled.items()
        for label in of_one
        if are_events and any(label.start < end < label.stop for end in ends.get(name, ()))
    ]
    if cut:
        places = listed([f"{one.entry.path.name}, {one.entry.place}" for one in cut], N_SHOWN)
        notes.append(
            f"{counted(len(cut), 'event')} lasting over a gap ends where it begins: {places}."
        )
    return notes
