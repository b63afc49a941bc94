"""What every source shares: its error, the cache, and checksums."""

import hashlib
import os
from pathlib import Path

from seqbench.errors import UserError


class DataError(UserError):
    """Bad input data, in one sentence that names the file, the row or key, and the mend."""


def cache_folder() -> Path:
    """Return where downloads are kept.

    `SEQBENCH_DATA` names a folder that is already filled; else the user's
    cache folder is used, and made when something is downloaded.
    """
    named = os.getenv("SEQBENCH_DATA")
    if named:
        return Path(named)
    base = os.getenv("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "seqbench"


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
