"""Files that appear whole or not at all."""

import errno
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from typing import Any

from seqbench.errors import UserError

FIXES = {
    errno.ENOSPC: "make room on the disk, then run this again",
    errno.EDQUOT: "make room within your quota, then run this again",
    errno.EROFS: "choose a folder on a disk that can be written",
    errno.EACCES: "make the folder writable, or choose another one",
    errno.EPERM: "make the folder writable, or choose another one",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f)",
}


class WriteError(UserError):
    """A file cannot be written, for a reason that lies outside of the program."""


def unwritable(path: Path, error: OSError) -> WriteError:
    """Return the error of one sentence for a file that cannot be written."""
    reason = os.strerror(error.errno).lower() if error.errno else str(error)
    fix = FIXES.get(error.errno or 0, "look after the disk and the folder")
    return WriteError(f"{path}: cannot be written ({reason}); {fix}")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it takes the place of `path`.

    The content is flushed to disk before the rename, so a reader never sees
    half a file; on an error the temporary file is removed and `path` stays as
    it was.

    Raises
    ------
    WriteError
        If the disk is full, the folder read-only, or the like; or `path` is a folder or a device.
    """
    if path.exists() and not path.is_file():
        what = "is a directory" if path.is_dir() else "is no regular file"
        raise WriteError(f"{path}: cannot be written ({what}); choose another name")
    # A number by chance: on a shared file system two processes can have the same id.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            with temporary.open("rb") as written:
                os.fsync(written.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(path, error) from error


def remove_leftovers(*paths: Path) -> None:
    """Remove what writers of these paths that were killed left; one that is active fails."""
    for path in paths:
        for leftover in path.parent.glob(f".{escape(path.name)}.*.tmp"):
            if leftover.is_dir():
                remove_folder(leftover)
            else:
                leftover.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path`; on success it takes the place of `path`.

    Files are written into it by the functions here, which flush them. On an error the temporary
    folder is removed and `path` stays as it was.

    Raises
    ------
    WriteError
        As of `replacing`.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        temporary.mkdir(parents=True)
        try:
            yield temporary
            remove_folder(path)
            temporary.replace(path)
        finally:
            remove_folder(temporary)
    except OSError as error:
        raise unwritable(path, error) from error


def copy_file(source: Path, path: Path) -> None:
    """Copy a file atomically.

    Raises
    ------
    UserError
        If `source` cannot be read.
    WriteError
        As of `replacing`.
    """
    try:
        source.open("rb").close()  # in `replacing`, the file that is written would be blamed
    except OSError as error:
        raise UserError(f"{source}: cannot be read ({error.strerror})") from None
    with replacing(path) as temporary:
        shutil.copyfile(source, temporary)


def remove_folder(path: Path) -> None:
    """Remove a folder, if it is there."""
    if path.exists():
        shutil.rmtree(path)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically; NaN and infinity are refused."""
    write_text(path, json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False) + "\n")
