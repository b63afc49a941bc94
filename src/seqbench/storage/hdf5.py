"""What the HDF5 formats share: a first line that names format and checksum, and clear errors.

The first 512 bytes of a file are HDF5's user block, which its library leaves
alone. They hold one line, such as ``seqbench predictions 6 crc32 1a2b3c4d``, whose
checksum is that of all bytes behind the block. It is checked before HDF5 sees
the file, so neither a flipped bit nor a file cut short reaches a result or the
parser. (Checksums of HDF5's own guard single chunks of numbers, but neither
names nor attributes, and take twice the time.)

Signals can be larger than memory, and most readers want a part of one. The line
of a file with signals goes on with the bytes that the checksum leaves out, such
as ``2560+8000000`` for 8,000,000 bytes from byte 2560 on; see `signals`.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqbench.errors import DamagedError, FormatError
from seqbench.storage.atomic import replacing
from seqbench.storage.kinds import BLOCK_BYTES, FIRST_LINE, first_block
from seqbench.storage.signals import file_key, is_settled, signal_ranges

if TYPE_CHECKING:
    import h5py

PIECE_BYTES = 1 << 22
RANGE = re.compile(rb"(\d+)\+(\d+)")
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
    import h5py

    with replacing(path) as temporary:
        with (
            _PatientFile(temporary, "w+b") as content,
            content.speaking_up(),
            h5py.File(content, "w", userblock_size=BLOCK_BYTES) as file,
        ):
            yield file
            apart = signal_ranges(file)
        ranges = "".join(f" {first}+{n_bytes}" for first, n_bytes in apart)
        line = f"seqbench {kind} {version} crc32 {_checksum(temporary, apart):08x}{ranges}\n"
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
    import h5py

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
    ranges = [(int(first), int(n)) for first, n in RANGE.findall(found[4])]
    try:
        checksum = _checksum(path, ranges)
    except ValueError:
        checksum = -1
    if checksum != int(found[3], 16):
        raise DamagedError(f"{path}: damaged or cut short, its checksum does not fit")


def _checksum(path: Path, apart: list[tuple[int, int]]) -> int:
    """Return the CRC-32 of all bytes behind the first block; they are read once per process.

    Bytes of the ranges `apart`, of first byte and number, are left out, and the ranges counted in.

    Raises
    ------
    ValueError
        If ranges overlap or reach out of the file.
    """
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        key = (*file_key(status), *chain.from_iterable(apart))
        if key in _checksums:
            return _checksums[key]
        checksum = zlib.crc32(repr(apart).encode()) if apart else 0
        file.seek(BLOCK_BYTES)
        for first, n_bytes in [*apart, (status.st_size, 0)]:
            if not file.tell() <= first <= first + n_bytes <= status.st_size:
                raise ValueError("signals overlap or reach out of the file")
            while file.tell() < first:
                piece = file.read(min(PIECE_BYTES, first - file.tell()))
                if not piece:
                    raise ValueError("the file became shorter")
                checksum = zlib.crc32(piece, checksum)
            file.seek(first + n_bytes)
    if is_settled(status):
        _checksums[key] = checksum
    return checksum
