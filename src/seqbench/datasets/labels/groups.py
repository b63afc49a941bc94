"""Groups of recordings that no split may cut: `groups.csv`."""

from pathlib import Path

from seqbench.datasets.labels.rows import named_rows
from seqbench.datasets.reading.recording import Recording


def groups_of(path: Path, found: dict[str, Recording]) -> dict[str, str]:
    """Return the group of each recording in `groups.csv`; the file may be absent."""
    groups: dict[str, str] = {}
    if path.exists():
        for name, row in named_rows(path, found, ["group"]):
            group = row.cells["group"]
            if groups.setdefault(name, group) != group:
                problem = f"recording '{name}' is in group '{groups[name]}' already"
                raise row.fault(problem, "keep one of the two rows")
    return groups
