"""`overlap/SOURCE.json`: what a dataset shares with another one that models learned from."""

from pathlib import Path
from typing import Self

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
        Groups of val and of test that are in train of the other dataset, by split, where both
        hold the same recordings; else 0, as names alone say nothing.
    n_repeated_in_val, n_shared_groups_in_val
        The same of val of the other dataset, on which models are chosen, and from which baselines
        and models after a refit learn; pretraining does not see it.
    """

    dataset: Name
    source: Name
    n_windows: dict[str, Count]
    n_repeated: dict[str, Count]
    n_shared_groups: dict[str, Count]
    n_repeated_in_val: dict[str, Count]
    n_shared_groups_in_val: dict[str, Count]

    @property
    def is_leak(self) -> bool:
        """Whether train of the other dataset holds what a model is scored on."""
        return any(self.n_shared_groups.values()) or any(self.n_repeated.values())

    def of_train(self) -> Self:
        """Return it without val of the other dataset, which pretraining does not see."""
        nothing = dict.fromkeys(self.n_windows, 0)
        return self.model_copy(
            update={"n_repeated_in_val": nothing, "n_shared_groups_in_val": nothing}
        )

    def n_known(self, split: str) -> int:
        """Return how many windows of a split stand in train or val of the other dataset."""
        return min(self.n_repeated[split] + self.n_repeated_in_val[split], self.n_windows[split])

    def n_known_groups(self, split: str) -> int:
        """Return how many groups of a split are in train or val of the other dataset."""
        return self.n_shared_groups[split] + self.n_shared_groups_in_val[split]


def write_overlap(path: Path, overlap: Overlap) -> None:
    """Write what two datasets share atomically, with its checksum."""
    write_checked(path, overlap)


def read_overlap(path: Path) -> Overlap:
    """Read it; a damaged file is a `FormatError`."""
    return read_checked(path, Overlap, "what two datasets share", {"dataset", "n_repeated"})
