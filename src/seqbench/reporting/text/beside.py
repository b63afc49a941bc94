"""What lies beside a page: a report links to files that are there, and to no others."""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Beside:
    """The files that a page can link to.

    Parameters
    ----------
    results
        Address of the folder `results/` as seen from the page; empty: the page lies in it.
    files
        Their paths; None: all that runs leave are there.
    """

    results: str = ""
    files: Collection[str] | None = None

    def has(self, path: str) -> bool:
        """Return whether a file is there."""
        return self.files is None or path in self.files
