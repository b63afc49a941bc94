"""Signals in HDF5 files: written and read block by block, each block with a checksum.

A signal is a contiguous dataset of float32, so the bytes of its rows follow one
another in the file. Beside it, under ``checksums/``, stands the CRC-32 of each
64 KiB of it. A block is checked when it is first read: a window can be read
from a file of any size without reading the rest.
"""

from __future__ import annotations

import math
import os
import time
import weakref
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seqbench.errors import DamagedError
from seqbench.storage.lazy_array import AnyArray, LazyArray, blocks

if TYPE_CHECKING:
    import h5py

CHECKSUMS = "checksums"
CHECKED_BYTES = 1 << 16  # of a block with a checksum
PIECE_BLOCKS = 1 << 6  # that are checked at a time
SETTLED_NS = 2_000_000_000  # a file changed since can change again within one tick of its clock
FileKey = tuple[int, ...]
_checked: dict[FileKey, NDArray[np.bool_]] = {}


def write_signal(
    group: h5py.Group, name: str, parts: Iterable[AnyArray], shape: tuple[int, ...]
) -> None:
    """Write arrays end to end as one signal.

    Parameters
    ----------
    group
        An open file.
    name
        Of the dataset.
    parts
        Arrays in order, (n, ...) each, `shape[0]` in all.
    shape
        Of the signal, (n_samples, ...).

    Raises
    ------
    ValueError
        If the parts hold more or fewer rows.
    """
    signal = group.create_dataset(name, shape=shape, dtype="<f4")
    checksums, checksum, n_in_block, n_done = [], 0, 0, 0
    for part in parts:
        for block in blocks(part):
            if n_done + len(block) > shape[0]:
                raise ValueError(f"a signal of {shape[0]} samples has more of them")
            values = np.ascontiguousarray(block, dtype="<f4")
            signal[n_done : n_done + len(values)] = values
            n_done += len(values)
            rest = values.reshape(-1).view(np.uint8).data
            while rest:
                piece = rest[: CHECKED_BYTES - n_in_block]
                checksum = zlib.crc32(piece, checksum)
                n_in_block += len(piece)
                rest = rest[len(piece) :]
                if n_in_block == CHECKED_BYTES:
                    checksums.append(checksum)
                    checksum = n_in_block = 0
    if n_done != shape[0]:
        raise ValueError(f"a signal of {shape[0]} samples has {n_done}")
    if n_in_block:
        checksums.append(checksum)
    group[f"{CHECKSUMS}/{name}"] = np.array(checksums, dtype=np.uint32)


def signal_ranges(file: h5py.File) -> list[tuple[int, int]]:
    """Return the first byte and the number of bytes of every signal of an open file, in order."""
    import h5py

    found = []

    def look(name: str, stored: h5py.Group | h5py.Dataset) -> None:
        if isinstance(stored, h5py.Dataset) and len(stored):
            found.append((int(file[name].id.get_offset()), int(file[name].nbytes)))

    if CHECKSUMS in file:
        file[CHECKSUMS].visititems(look)
    return sorted(found)


def open_signal(path: Path, file: h5py.File, name: str) -> LazyArray:
    """Return a signal of an open file, unread; it stays readable when the file is closed.

    Blocks are checked when they are first read.

    Raises
    ------
    DamagedError
        On reading, if a block is not what was written.
    ValueError
        If it is no signal that `write_signal` wrote, or reaches out of the file.
    """
    stored, checksums = file[name], file[f"{CHECKSUMS}/{name}"][:]
    n_blocks = -(-stored.nbytes // CHECKED_BYTES)
    if stored.dtype != np.dtype("<f4") or checksums.shape != (n_blocks,):
        raise ValueError(f"'{name}' is no signal with its checksums")
    if not stored.nbytes:
        return LazyArray(stored.shape, lambda start, stop: np.zeros((0, *stored.shape[1:]), "<f4"))
    first = stored.id.get_offset()
    if first is None:
        raise ValueError(f"'{name}' is not contiguous")
    signal = _StoredSignal(path, int(first), int(stored.nbytes), stored.shape[1:], checksums)
    return LazyArray(stored.shape, signal.read, signal.checksums)


class _StoredSignal:
    """The bytes of a signal in a file that is held open, so that no other takes its place."""

    def __init__(
        self,
        path: Path,
        first: int,
        n_bytes: int,
        row: tuple[int, ...],
        checksums: NDArray[np.uint32],
    ) -> None:
        self._path, self._first, self._n_bytes, self._row = path, first, n_bytes, row
        self._checksums = checksums
        self._file = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)
        status = os.fstat(self._file)
        if first + n_bytes > status.st_size:
            raise ValueError("a signal reaches out of the file")
        none = np.zeros(len(checksums), dtype=np.bool_)
        key = (*file_key(status), first)
        self._is_checked = _checked.setdefault(key, none) if is_settled(status) else none

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return the rows [start, stop)."""
        n_row = 4 * math.prod(self._row)
        found = np.empty((stop - start, *self._row), dtype="<f4")
        if not found.size:
            return found
        begin, end = start * n_row, stop * n_row
        low, high = begin // CHECKED_BYTES, -(-end // CHECKED_BYTES)
        if self._is_checked[low:high].all():
            self._fill(found.reshape(-1).view(np.uint8).data, begin)
            return found
        # Whole blocks are read to check them, some at a time; the first and last may reach out.
        into = found.reshape(-1).view(np.uint8).data
        for first in range(low, high, PIECE_BLOCKS):
            last = min(first + PIECE_BLOCKS, high)
            at, stop_at = first * CHECKED_BYTES, min(last * CHECKED_BYTES, self._n_bytes)
            content = memoryview(bytearray(stop_at - at))
            self._fill(content, at)
            for block in range(first, last):
                piece = content[block * CHECKED_BYTES - at :][:CHECKED_BYTES]
                if zlib.crc32(piece) != self._checksums[block]:
                    raise self._damaged()
            self._is_checked[first:last] = True
            needed = slice(max(at, begin), min(stop_at, end))
            into[needed.start - begin : needed.stop - begin] = content[
                needed.start - at : needed.stop - at
            ]
        return found

    def checksums(self, start: int, stop: int) -> bytes:
        """Return the checksums of the blocks that hold the rows [start, stop), and their place."""
        n_row = 4 * math.prod(self._row)
        begin, end = start * n_row, max(start, stop) * n_row
        low, high = begin // CHECKED_BYTES, -(-end // CHECKED_BYTES)
        place = f"{begin - low * CHECKED_BYTES}+{end - begin}:"
        return place.encode() + self._checksums[low:high].tobytes()

    def _fill(self, content: memoryview, at: int) -> None:
        """Read bytes of the signal from byte `at` on."""
        while content:
            n = os.preadv(self._file, [content], self._first + at)
            if not n:
                raise self._damaged()
            content, at = content[n:], at + n

    def _damaged(self) -> DamagedError:
        return DamagedError(f"{self._path}: damaged or cut short, its checksum does not fit")


def file_key(status: os.stat_result) -> FileKey:
    """Return what tells the content of a file from that of another."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def is_settled(status: os.stat_result) -> bool:
    """Return whether a change of the file would give it another time of change."""
    return time.time_ns() - status.st_mtime_ns > SETTLED_NS
