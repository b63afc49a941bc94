"""Recordings in NumPy's files, .npy and .npz."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from seqbench.datasets.base import DataError, fault
from seqbench.datasets.reading.array import ArrayLayout, array_source, rate_key, signal_key
from seqbench.datasets.reading.source import Blocks, ReadOptions, Source, block_samples


@contextmanager
def open_numpy(path: Path, options: ReadOptions) -> Iterator[Source]:
    """Open an array, or an archive with one; as in NumPy, the first bytes show which.

    An archive is unpacked on disk, where its array need not fit into memory.
    """
    with TemporaryDirectory() as folder:
        try:
            file, rate = _unpacked(path, folder)
            array = np.load(file, mmap_mode="r", allow_pickle=False)
            dtype, shape = array.dtype, array.shape
            del array  # which holds the file open
        except DataError:
            raise
        except ValueError as error:
            # NumPy advises to unpickle such a file, which can run code.
            if "pickle" not in str(error) and "Python objects" not in str(error):
                raise
            problem = "it is damaged or holds Python objects (a pickle), which are not read"
            raise fault(path, problem, "save plain numbers with np.save or np.savez") from None

        layout = ArrayLayout.of(path, dtype, shape, options.channels)

        def blocks() -> Blocks:
            longest = block_samples(layout.width)
            for start in range(0, layout.n_samples, longest):
                # Mapped anew for each block: what was read before leaves the memory.
                array = np.load(file, mmap_mode="r", allow_pickle=False)
                array = array.reshape(layout.n_samples, layout.width)
                block = np.array(layout.take(array[start : start + longest]))
                del array
                yield block

        yield array_source(path, layout, blocks(), rate, options)


def _unpacked(path: Path, folder: str) -> tuple[Path, np.ndarray | None]:
    """Return the file of the array, in `folder` if it comes from an archive, and its rate."""
    with path.open("rb") as file:
        if file.read(2) != b"PK":
            return path, None
    with zipfile.ZipFile(path) as archive:
        members = {name.removesuffix(".npy"): name for name in archive.namelist()}
        rate = None
        if (key := rate_key(path, members)) and len(members) > 1:
            with archive.open(members.pop(key)) as member:
                rate = np.load(member, allow_pickle=False)
        return Path(archive.extract(members[signal_key(path, list(members))], folder)), rate
