"""What label files of every format become: entries in seconds, then labels in samples."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from seqbench.datasets.base import DataError, fault
from seqbench.datasets.csv_text import number
from seqbench.datasets.events import Event


@dataclass(frozen=True, kw_only=True)
class LabelEntry:
    """What a label file says about a recording in one place: a row, an interval, a point.

    Parameters
    ----------
    path, place
        The file, and where in it, for messages: "row 3", "tier 'bells', interval 4".
    number
        Position in the file; earlier entries have lower ones.
    recording, label
        Names; an empty label states that the recording was searched and holds no event.
    onset_s
        Seconds, see `LabelTimes`; None where the label is of the whole recording.
    offset_s
        End, in the same clock; None where the entry has none.
    """

    path: Path
    place: str
    number: int
    recording: str
    label: str
    onset_s: float | None = None
    offset_s: float | None = None

    def fault(self, problem: str, hint: str) -> DataError:
        """Return the error that names this entry."""
        return fault(self.path, problem, hint, place=self.place)


@dataclass(frozen=True)
class Label:
    """Samples [start, stop) of a recording that are of a class or an event.

    Parameters
    ----------
    name
        Of the class or event type.
    start, stop
        First sample, and the one behind the last.
    entry
        Where it stands.
    """

    name: str
    start: int
    stop: int
    entry: LabelEntry = field(repr=False)

    @property
    def is_whole(self) -> bool:
        """Whether the entry has no times and so stands for the whole recording."""
        return self.entry.onset_s is None

    def event(self, classes: list[str]) -> Event:
        """Return it as an event of one of `classes`."""
        return Event(classes.index(self.name), self.start, self.stop)


def refuse_twins(labels: Iterable[Label]) -> None:
    """Refuse two names that are one number, as 1 and 1.0."""
    by_value: dict[float, Label] = {}
    for label in labels:
        value = number(label.name)
        if value is None:
            continue
        twin = by_value.setdefault(value, label)
        if twin.name != label.name:
            first, second = in_order(twin.entry, label.entry)
            problem = f"'{second.label}' and '{first.label}' in {first.place} are one number"
            raise second.fault(problem, "write each class in one way")


def in_order(one: LabelEntry, other: LabelEntry) -> tuple[LabelEntry, LabelEntry]:
    """Return two entries as they stand in their file."""
    return (one, other) if one.number <= other.number else (other, one)
