"""Recordings in NumPy's files, .npy and .npz."""

import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from seqbench.datasets.base import DataError, fault
from seqbench.datasets.reading.array import RATE_KEY, ArrayLayout, array_source, signal_key
from seqbench.datasets.reading.source import Blocks, Source, block_lengths, block_samples

PIECE_BYTES = 1 << 20  # most that is read at once: archives hold a second copy


@contextmanager
def open_numpy(path: Path, requested: Sequence[str] | None, bounded: bool) -> Iterator[Source]:
    """Open an array, or an archive with one; as in NumPy, the first bytes show which."""
    with path.open("rb") as file:
        magic = file.read(len(np.lib.format.MAGIC_PREFIX))
        file.seek(0)
        if magic.startswith((b"PK\3\4", b"PK\5\6")):
            with zipfile.ZipFile(file) as archive:
                yield _npz_source(path, archive, requested, bounded)
        elif magic == np.lib.format.MAGIC_PREFIX:
            yield _source(path, file, lambda: file, requested, bounded)
        else:
            raise _pickled(path)


def _npz_source(
    path: Path, archive: zipfile.ZipFile, requested: Sequence[str] | None, bounded: bool
) -> Source:
    members = {name.removesuffix(".npy"): name for name in archive.namelist()}
    name = members[signal_key(path, [key for key in members if key != RATE_KEY])]
    rate = None
    if RATE_KEY in members:
        with archive.open(members[RATE_KEY]) as member, _unpickled(path):
            rate = np.load(member, allow_pickle=False)
    # Handles of members hold no file of their own: closing the archive closes all.
    return _source(
        path, archive.open(name), lambda: archive.open(name), requested, bounded, rate=rate
    )


def _source(
    path: Path,
    file: IO[bytes],
    opened: Callable[[], IO[bytes]],
    requested: Sequence[str] | None,
    bounded: bool,
    rate: NDArray[Any] | None = None,
) -> Source:
    """Return a source of the array at the position of `file`; `opened` gives handles of it.

    Of a long array in Fortran order, each channel is read with a handle of its
    own, so that those of an archive, which is unpacked from its start on, need
    not go back.
    """
    with _unpickled(path):
        shape, columns_first, dtype = _array_header(file)
    if dtype.hasobject:
        raise _pickled(path)
    layout = ArrayLayout.of(path, dtype, shape, requested)
    n_samples, width = layout.n_samples, layout.width
    columns_first = columns_first and width > 1
    # A whole array in Fortran order is read in its order; one in single precision needs no copy.
    in_one = not bounded and (columns_first or dtype == np.float32)
    longest = n_samples if in_one else block_samples(width)

    def rows() -> Blocks:
        for n in block_lengths(n_samples, longest):
            block = _numbers(path, file, dtype, n * width).reshape(
                (n, width), order="F" if columns_first else "C"
            )
            yield layout.take(block)

    def columns() -> Blocks:
        origin = file.tell()
        handles = [opened() for _ in layout.selected]
        start = 0
        for n in block_lengths(n_samples, longest):
            block = np.empty((n, len(handles)), dtype)
            for i, (handle, position) in enumerate(zip(handles, layout.selected, strict=True)):
                handle.seek(origin + (position * n_samples + start) * dtype.itemsize)
                block[:, i] = _numbers(path, handle, dtype, n)
            start += n
            yield block

    blocks = columns() if columns_first and n_samples > longest else rows()
    return array_source(path, layout, blocks, rate)


def _array_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, whether columns come first, and type of the array that starts here."""
    headers: Any = np.lib.format
    version = headers.read_magic(file)
    if version == (1, 0):
        return headers.read_array_header_1_0(file)
    if version in ((2, 0), (3, 0)):  # they differ in names of fields alone, which numbers lack
        return headers.read_array_header_2_0(file)
    raise ValueError(f"version {version[0]}.{version[1]} of the NumPy format is unknown")


def _numbers(path: Path, file: IO[bytes], dtype: np.dtype[Any], count: int) -> NDArray[Any]:
    """Return the next numbers of a file, (count,)."""
    data = np.empty(count * dtype.itemsize, dtype=np.uint8)
    n_read = 0
    while n_read < len(data):
        n = file.readinto(data[n_read : n_read + PIECE_BYTES].data)  # type: ignore[attr-defined]
        if not n:
            raise fault(path, "it ends before its last sample", "write the complete file anew")
        n_read += n
    return data.view(dtype)


@contextmanager
def _unpickled(path: Path) -> Iterator[None]:
    """Turn the advice of NumPy to unpickle a file, which can run code, into a refusal."""
    try:
        yield
    except ValueError as error:
        if "pickle" not in str(error):
            raise
        raise _pickled(path) from None


def _pickled(path: Path) -> DataError:
    problem = "it is damaged or holds Python objects (a pickle), which are not read"
    return fault(path, problem, "save plain numbers with np.save or np.savez")
