"""What the HDF5 formats share: a first line that names format and checksum, and clear errors.

The first 512 bytes of a file are HDF5's user block, which its library leaves
alone. They hold one line, such as ``seqbench windows 5 crc32 1a2b3c4d``, whose
checksum is that of all bytes behind the block. It is checked before HDF5 sees
the file, so neither a flipped bit nor a file cut short reaches a result or the
parser. (Checksums of HDF5's own guard single chunks of numbers, but neither
names nor attributes, and take twice the time.)
"""

import os
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Any

import h5py

from seqbench.errors import DamagedError, FormatError
from seqbench.storage.atomic import replacing
from seqbench.storage.kinds import BLOCK_BYTES, FIRST_LINE, first_block

PIECE_BYTES = 1 << 22
SETTLED_NS = 2_000_000_000  # a file changed since can change again within one tick of its clock
_checksums: dict[tuple[int, ...], int] = {}


class _PatientFile(FileIO):
    """A file that keeps a failure to write for later: HDF5 can crash if one strikes as it closes.

    Attributes
    ----------
    failure
        The first one; what is written after it goes nowhere.
    """

    failure: OSError | None = None

    def write(self, data: Any, /) -> int:
        """Take all of `data`."""
        rest = memoryview(data).cast("B")
        n_bytes = len(rest)
        with self._keeping_failure():
            while rest and self.failure is None:
                rest = rest[super().write(rest) or 0 :]
        return n_bytes

    def truncate(self, size: int | None = None, /) -> int:
        """Set the size."""
        with self._keeping_failure():
            if self.failure is None:
                return super().truncate(size)
        return size or 0

    @contextmanager
    def speaking_up(self) -> Iterator[None]:
        """Raise the failure at the end, and none of the errors of HDF5 that follow from it."""
        try:
            yield
        except Exception:
            if self.failure is None:
                raise
        if self.failure is not None:
            raise self.failure

    @contextmanager
    def _keeping_failure(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.failure = error


@contextmanager
def writing(path: Path, kind: str, version: int) -> Iterator[h5py.File]:
    """Yield a new file; it appears at `path`, with its first line, once it is complete."""
    with replacing(path) as temporary:
        with (
            _PatientFile(temporary, "w+b") as content,
            content.speaking_up(),
            h5py.File(content, "w", userblock_size=BLOCK_BYTES) as file,
        ):
            yield file
        line = f"seqbench {kind} {version} crc32 {_checksum(temporary):08x}\n"
        with temporary.open("r+b") as written:
            written.write(line.encode().ljust(BLOCK_BYTES, b"\0"))


@contextmanager
def reading(path: Path, kind: str, version: int) -> Iterator[h5py.File]:
    """Yield an open file after checking its kind, version and checksum.

    Raises
    ------
    FormatError
        If the file is missing, damaged, or of another kind or version, or what
        is read inside is not there.
    """
    try:
        _check(path, kind, version)
        with h5py.File(path, "r") as file:
            yield file
    except FormatError:
        raise
    except Exception as error:  # HDF5 raises nearly anything on what it does not expect
        reason = " ".join(f"{type(error).__name__}: {error!s:.200}".split())
        raise DamagedError(f"{path}: cannot be read ({reason})") from error


def _check(path: Path, kind: str, version: int) -> None:
    """Raise unless kind, version and content of a file are those that its first line states."""
    found = FIRST_LINE.fullmatch(first_block(path, kind))
    if found is None:
        raise DamagedError(f"{path}: empty, damaged, or no seqbench {kind} file")
    if int(found[2]) != version:
        raise DamagedError(
            f"{path}: holds seqbench {kind} version {int(found[2])}, not seqbench {kind}"
            f" version {version}"
        )
    if _checksum(path) != int(found[3], 16):
        raise DamagedError(f"{path}: damaged or cut short, its checksum does not fit")


def _checksum(path: Path) -> int:
    """Return the CRC-32 of all bytes behind the first block; they are read once per process."""
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        key = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        if key in _checksums:
            return _checksums[key]
        checksum = 0
        file.seek(BLOCK_BYTES)
        while piece := file.read(PIECE_BYTES):
            checksum = zlib.crc32(piece, checksum)
    if time.time_ns() - status.st_mtime_ns > SETTLED_NS:
        _checksums[key] = checksum
    return checksum
