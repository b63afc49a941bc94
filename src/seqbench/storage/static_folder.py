"""Folders that are given away: written whole, with `SHA256SUMS` of all files and an index.

`sha256sum -c SHA256SUMS` checks one without this package. `index.json` says which command made it,
and no folder is replaced but one that this command made and nobody has changed since.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from seqbench.errors import FormatError, UserError
from seqbench.storage.atomic import WriteError, remove_leftovers, replacing_folder, write_text
from seqbench.storage.kinds import read_text

PUBLISHED, MERGED = "seqbench publish", "seqbench merge"  # who made a folder
SUMS, INDEX, PAGE = "SHA256SUMS", "index.json", "index.html"
LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")


@contextmanager
def static_folder(path: Path, made_by: str) -> Iterator[Path]:
    """Yield a folder to write into; on success it takes the place of `path`, with its checksums.

    Parameters
    ----------
    path
        Absent, empty, or what the same command made before.
    made_by
        The command, as the index has it.

    Raises
    ------
    UserError
        See `refuse_others`.
    """
    refuse_others(path, made_by)
    path = path.resolve()  # the last part of its name may be `..`, which nothing can replace
    remove_leftovers(path)
    with replacing_folder(path) as temporary:
        yield temporary
        write_text(temporary / SUMS, "".join(f"{s}  {f}\n" for f, s in sums_of(temporary).items()))


def refuse_others(path: Path, made_by: str) -> None:
    """Refuse a place that cannot be replaced, or holds anything but what a command made.

    Raises
    ------
    UserError
        With what is there, or what it lies in.
    """
    if path.is_symlink():
        raise WriteError(f"{path}: is a link; name the folder that it leads to")
    if Path.cwd().is_relative_to(path.resolve()):
        raise WriteError(
            f"{path}: the command was started in it, and would replace it; start it outside"
        )
    for folder in path.resolve().parents:
        if (owner := _made_by(folder)) in (PUBLISHED, MERGED):
            raise UserError(
                f"{path}: lies in {folder}, whose checksums would not hold any more since"
                f" `{owner}` made it; name a folder outside"
            )
    if not path.exists():
        return
    if not path.is_dir():
        raise WriteError(f"{path}: is a file; name a folder that is yet to be made")
    if not any(path.iterdir()):
        return
    if _made_by(path) != made_by:
        raise UserError(f"{path}: exists, and `{made_by}` did not make it; name another folder")
    if changed := changes_of(path):
        raise UserError(
            f"{path}: {changed[0]} since `{made_by}` made it; move what is yours, or name another"
            " folder"
        )


def is_made_by(folder: Path, made_by: str) -> bool:
    """Return whether a folder was made by a command, changed or not."""
    return _made_by(folder) == made_by


def check(folder: Path) -> None:
    """Refuse a folder that is not what was given away.

    Raises
    ------
    FormatError
        If a file is missing, was changed or was added, or there are no checksums.
    """
    if changed := changes_of(folder):
        raise FormatError(f"{folder}: {changed[0]} since it was published; fetch it again")


def changes_of(folder: Path) -> list[str]:
    """Return what became of the files of a folder since it was made, in words.

    Raises
    ------
    FormatError
        If the checksums are missing or damaged.
    """
    expected = _read_sums(folder / SUMS)
    found = sums_of(folder)
    return [
        *(f"{name} is missing" for name in sorted(expected.keys() - found.keys())),
        *(
            f"{name} was changed"
            for name in expected
            if found.get(name, expected[name]) != expected[name]
        ),
        *(f"{name} was added" for name in sorted(found.keys() - expected.keys())),
    ]


def sums_of(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file in a folder but the checksums, by its path, sorted.

    That of a link, a pipe and the like is empty: no command here makes any.

    Raises
    ------
    FormatError
        If a file cannot be read.
    """
    found = {}
    for path in sorted(
        path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()
    ):
        name, digest = path.relative_to(folder).as_posix(), ""
        if path.is_file() and not path.is_symlink():
            try:
                with path.open("rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError as error:
                raise FormatError(f"{path}: cannot be read ({error.strerror})") from None
        if name != SUMS:
            found[name] = digest
    return found


def _read_sums(path: Path) -> dict[str, str]:
    lines = [LINE.fullmatch(line) for line in read_text(path, "checksum").splitlines()]
    if not all(lines):
        raise FormatError(f"{path}: not the lines of sha256sum; fetch the folder again")
    return {found[2]: found[1] for found in lines if found}


def _made_by(folder: Path) -> str | None:
    with suppress(FormatError, ValueError, RecursionError):
        content = json.loads(read_text(folder / INDEX, "index"))
        return content.get("made_by") if isinstance(content, dict) else None
    return None
