"""What every source shares: its error, the cache, and checksums."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from seqbench.errors import UserError, one_line

_IS_STORED = ContextVar("is_stored", default=True)  # what a source returns


class DataError(UserError):
    """Bad input data, in one sentence that names the file, the row or key, and the fix."""


class DataErrors(DataError):
    """Several faults: the first in a sentence, and all of them in `faults`."""

    def __init__(self, faults: Sequence[DataError]) -> None:
        self.faults = faults
        more = "another file is" if len(faults) == 2 else f"{len(faults) - 1} more files are"
        super().__init__(f"{faults[0]} ({more} at fault: `seqbench check` lists them)")


class Faults:
    """Faults of several files, which are all looked at before the first one is raised."""

    def __init__(self) -> None:
        self.found: list[DataError] = []

    @contextmanager
    def collected(self) -> Iterator[None]:
        """Keep the fault that ends this context; what follows it goes on."""
        try:
            yield
        except DataErrors as errors:
            self.found += errors.faults
        except DataError as error:
            self.found.append(error)

    def check(self) -> None:
        """Raise the fault that was found, or all of them."""
        if len(self.found) > 1:
            raise DataErrors(self.found)
        if self.found:
            raise self.found[0]


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


@contextmanager
def unstored() -> Iterator[None]:
    """Have `checksums` read no file: of recordings that nobody stores they would be of no use."""
    token = _IS_STORED.set(False)
    try:
        yield
    finally:
        _IS_STORED.reset(token)


def checksums(root: Path, files: Iterable[Path]) -> dict[str, str]:
    """Return the SHA-256 of files by their paths below a folder, sorted; empty if `unstored`."""
    return {
        file.relative_to(root).as_posix(): sha256(file) if _IS_STORED.get() else ""
        for file in sorted({*files})
    }


def fault(
    path: Path,
    problem: str,
    hint: str,
    *,
    row: int | None = None,
    column: str | None = None,
    place: str | None = None,
) -> DataError:
    """Return the error that names in one line the place, the problem and the fix.

    The place is a row, a column or both, or what `place` calls it.
    """
    where = [str(path)]
    if row is not None:
        where.append(f"row {row}")
    if column is not None:
        where.append(f"column '{column}'")
    if place is not None:
        where.append(place)
    return DataError(one_line(f"{', '.join(where)}: {problem}; {hint}"))


def counted(n: int, noun: str) -> str:
    """Return a number and what it counts, in the singular or plural."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def listed(names: Sequence[str], n_shown: int = 5) -> str:
    """Return the first names of a list, and how many there are beside them."""
    n_more = len(names) - n_shown
    return ", ".join(names[:n_shown]) + (f" and {n_more} more" if n_more > 0 else "")


@contextmanager
def explained(path: Path, hint: str) -> Iterator[None]:
    """Turn whatever reading `path` raises into a `DataError`.

    The readers of the formats raise nearly anything on a damaged file, from
    `struct.error` to `ZeroDivisionError`, so nothing narrower would do.
    """
    try:
        yield
    except (DataError, ModuleNotFoundError):
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {str(error).removeprefix(f'{path}: ')[:200]}"
        if isinstance(error, OSError) and error.strerror:
            reason = error.strerror.lower()
        raise fault(path, f"it cannot be read ({reason})", hint) from None
