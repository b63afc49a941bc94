"""Groups of recordings that no split may cut: `groups.csv`."""

from pathlib import Path
from typing import Literal

from seqbench.datasets.base import fault, listed
from seqbench.datasets.labels.rows import named_rows, refuse_misnamed
from seqbench.datasets.reading.recording import Recording


def groups_of(
    path: Path, found: dict[str, Recording], ungrouped: Literal["own"] | None
) -> dict[str, str]:
    """Return the group of each recording.

    Parameters
    ----------
    path
        `groups.csv`; without the file every recording is a group of its own.
    found
        The recordings by name.
    ungrouped
        `own`: what the file does not name is a group of its own; None: it is refused.

    Raises
    ------
    DataError
        If a row is faulty, or a recording has two groups or none.
    """
    groups: dict[str, str] = {}
    if not path.exists():
        refuse_misnamed(path, "groups")
        return {name: name for name in found}
    for name, row in named_rows(path, found, ["group"]):
        group = row.cells["group"]
        if groups.setdefault(name, group) != group:
            problem = f"recording '{name}' is in group '{groups[name]}' already"
            raise row.fault(problem, "keep one of the two rows")
    missing = [name for name in found if name not in groups]
    if missing and ungrouped is None:
        problem = f"no row for {len(missing)} of {len(found)} recordings ({listed(missing)})"
        hint = "add them, or set `ungrouped: own` if each of them is a group of its own"
        raise fault(path, problem, hint)
    if clash := next((name for name in missing if name in groups.values()), None):
        problem = f"recording '{clash}' has no row, but a group has its name"
        raise fault(path, problem, "add a row for it, or rename the group")
    return groups | {name: name for name in missing}
