"""`trialN.json`, `promotion.json`, `choice.json`: what a search has tried, ranked and chosen."""

from pathlib import Path
from typing import Any

from seqbench.storage.checked_json import read_checked, write_checked
from seqbench.storage.records import Count, Name, Record, Seconds


class Trial(Record):
    """One trial: the options, and how good they are on val.

    Parameters
    ----------
    options
        Those that are searched, as a configuration would have them.
    headline
        The metric that ranks models on the dataset.
    score
        Its value on val, higher is better; None: not defined, or the trial failed.
    loss
        Value on val of the metric that decides ties, lower is better; None: not defined.
    cpu_s
        Processor seconds of training; of a trial that failed, until it did.
    failure
        Why these options do not go; None: they do.
    rung
        Of a search by halving, from 0; without, 0.
    epochs
        Of a network at most: in the last rung those that its options have, before a part of them.
    """

    dataset: Name
    architecture: Name
    trial: Count
    options: dict[str, Any]
    headline: Name
    score: float | None = None
    loss: float | None = None
    cpu_s: Seconds | None = None
    failure: str | None = None
    rung: Count = 0
    epochs: Count | None = None


class Promotion(Record):
    """The trials that go on from a rung of a search, in the order of their numbers."""

    dataset: Name
    architecture: Name
    rung: Count
    trials: tuple[Count, ...]


class Choice(Record):
    """The options that a search has chosen."""

    dataset: Name
    architecture: Name
    trial: Count
    options: dict[str, Any]


def write_trial(path: Path, trial: Trial) -> None:
    """Write a trial atomically, with its checksum."""
    write_checked(path, trial)


def read_trial(path: Path) -> Trial:
    """Read a trial; a damaged file is a `FormatError`."""
    return read_checked(path, Trial, "a trial of options", {"trial", "options", "score"})


def write_promotion(path: Path, promotion: Promotion) -> None:
    """Write which trials go on atomically, with a checksum."""
    write_checked(path, promotion)


def read_promotion(path: Path) -> Promotion:
    """Read which trials go on; a damaged file is a `FormatError`."""
    return read_checked(path, Promotion, "which trials go on", {"rung", "trials"})


def write_choice(path: Path, choice: Choice) -> None:
    """Write a choice atomically, with its checksum."""
    write_checked(path, choice)


def read_choice(path: Path) -> Choice:
    """Read a choice; a damaged file is a `FormatError`."""
    return read_checked(path, Choice, "the choice of options", {"trial", "options"})
