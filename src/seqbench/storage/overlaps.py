"""`overlap/SOURCE.json`: what a dataset shares with another one that models learned from."""

from pathlib import Path

from seqbench.storage.checked_json import read_checked, write_checked
from seqbench.storage.records import Count, Name, Record


class Overlap(Record):
    """Windows and groups of val and test that stand in another dataset too.

    Attributes
    ----------
    dataset, source
        The dataset, and the other one.
    n_windows
        Windows of val and test that were looked for, by split.
    n_repeated
        Those that stand in train of the other dataset, sample by sample, wherever they begin
        there.
    n_shared_groups
        Groups of val or test that are in train of the other dataset, where both hold the same
        recordings; else 0, as names alone say nothing.
    """

    dataset: Name
    source: Name
    n_windows: dict[str, Count]
    n_repeated: dict[str, Count]
    n_shared_groups: Count

    @property
    def is_leak(self) -> bool:
        """Whether a model that learned from the other dataset has seen what it is scored on."""
        return self.n_shared_groups > 0 or any(self.n_repeated.values())


def write_overlap(path: Path, overlap: Overlap) -> None:
    """Write what two datasets share atomically, with its checksum."""
    write_checked(path, overlap)


def read_overlap(path: Path) -> Overlap:
    """Read it; a damaged file is a `FormatError`."""
    return read_checked(path, Overlap, "what two datasets share", {"dataset", "n_repeated"})
