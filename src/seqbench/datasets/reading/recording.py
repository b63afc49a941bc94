"""Recordings in files of any format: whole, or chunk by chunk whatever their length.

Whatever is wrong with a file becomes a `DataError` of one sentence that names
the file, the row and the fix.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seqbench.datasets.base import explained, fault
from seqbench.datasets.reading.csv_table import open_csv
from seqbench.datasets.reading.edf_file import open_edf
from seqbench.datasets.reading.hdf5_dataset import open_hdf5
from seqbench.datasets.reading.numpy_array import open_numpy
from seqbench.datasets.reading.parquet_table import open_parquet
from seqbench.datasets.reading.source import BLOCK_SAMPLES, Source, plain_names
from seqbench.datasets.reading.wfdb_record import open_wfdb

# Each opens a path with the requested channels, or all; the last argument says whether blocks
# must be short, whatever that costs.
READERS: dict[str, Callable[[Path, Sequence[str] | None, bool], AbstractContextManager[Source]]] = {
    ".csv": open_csv,
    ".parquet": open_parquet,
    ".npy": open_numpy,
    ".npz": open_numpy,
    ".h5": open_hdf5,
    ".hdf5": open_hdf5,
    ".edf": open_edf,
    ".hea": open_wfdb,
}


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One recording of a file.

    Parameters
    ----------
    signal
        (n_samples, C) float32, finite, at least one sample and one channel.
    channels, units
        One per channel, names unique; a unit is "" where the file has none.
    sampling_rate_hz
        Samples per second; None where the file has none.
    files
        The file itself, and the signal files of a WFDB header.
    """

    signal: NDArray[np.float32]
    channels: list[str]
    units: list[str]
    sampling_rate_hz: float | None
    files: list[Path]


def read_recording(path: Path, channels: Sequence[str] | None = None) -> Recording:
    """Read one recording, samples x channels.

    Parameters
    ----------
    path
        A file whose suffix is a key of `READERS`.
    channels
        Names of the channels to keep, in this order; None keeps all as they
        stand. A column that is not kept may hold anything.

    Raises
    ------
    DataError
        If the file is missing, damaged, empty, or holds other than finite numbers.
    """
    with _opened(path, channels, bounded=False) as source:
        return Recording(
            signal=_joined(source),
            channels=source.channels,
            units=source.units,
            sampling_rate_hz=source.sampling_rate_hz,
            files=source.files,
        )


def _joined(source: Source) -> NDArray[np.float32]:
    """Return all blocks end to end, (n_samples, C)."""
    blocks, n_samples = source.samples(), source.n_samples
    if n_samples is None:
        return np.concatenate(list(blocks))
    first = next(blocks)
    if len(first) == n_samples:
        return first
    signal = np.empty((n_samples, first.shape[1]), dtype=np.float32)
    signal[: len(first)] = first
    n_done = len(first)
    for block in blocks:
        signal[n_done : n_done + len(block)] = block
        n_done += len(block)
    if n_done < n_samples:
        problem = f"it holds {n_done} of {n_samples} samples"
        raise fault(source.files[0], problem, "restore the complete file")
    return signal


@contextmanager
def _opened(path: Path, channels: Sequence[str] | None, *, bounded: bool) -> Iterator[Source]:
    with _explained(path):
        suffix = path.suffix.lower()
        if suffix not in READERS:
            hint = "convert it to one of " + ", ".join(READERS)
            raise fault(path, f"'{suffix}' is no format of recordings", hint)
        if not path.is_file():
            raise fault(path, "there is no such file", "correct the name or restore the file")
        with READERS[suffix](path, plain_names(channels), bounded) as source:
            source.check()
            yield source


def _explained(path: Path) -> AbstractContextManager[None]:
    hint = f"it may be cut short or damaged: write the {path.suffix.lower()} file anew"
    return explained(path, hint)


class ChunkedRecording(AbstractContextManager["ChunkedRecording"]):
    """One recording, read once from its first sample to its last one.

    Iterating yields (n, C) float32, finite, 0 < n <= `chunk_samples`; end to end
    they are `signal` of `read_recording`. A fault raises a `DataError` when the
    chunk that has it is reached. As a context manager it closes its file.

    Parameters
    ----------
    channels, units
        One per channel, names unique; a unit is "" where the file has none.
    sampling_rate_hz
        Samples per second; None where the file has none. From a time column
        it is the rate of the first block, `block_samples` long; the rest of the
        column is checked as it is read, so that the rate of the whole column
        differs by less than one sample in that block.
    n_samples
        None where only reading shows it, as in a CSV file.
    """

    def __init__(self, source: Source, chunk_samples: int, files: ExitStack) -> None:
        self.channels = source.channels
        self.units = source.units
        self.sampling_rate_hz = source.sampling_rate_hz
        self.n_samples = source.n_samples
        self._chunks = _chunks(source, chunk_samples)
        self._files = files
        self._files.enter_context(closing(self._chunks))
        self._closed = False

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        if self._closed:
            raise ValueError("the recording is closed")
        return self._chunks

    def close(self) -> None:
        """Close the file; nothing more can be read."""
        self._closed = True
        self._files.close()

    def __exit__(self, *error: object) -> None:
        self.close()


def open_chunks(
    path: Path, channels: Sequence[str] | None = None, chunk_samples: int = BLOCK_SAMPLES
) -> ChunkedRecording:
    """Open one recording to be read chunk by chunk, in memory that its length does not change.

    Parameters
    ----------
    path
        A file whose suffix is a key of `READERS`.
    channels
        Names of the channels to keep, in this order; None keeps all as they
        stand. A column that is not kept may hold anything.
    chunk_samples
        Most samples of one chunk; with more than 64 channels chunks get
        shorter, down to `source.block_samples`.

    Raises
    ------
    DataError
        If the file is missing, empty, or has a damaged header.
    ValueError
        If `chunk_samples` is below 1.
    """
    check_length(chunk_samples)
    with ExitStack() as stack:
        source = stack.enter_context(_opened(path, channels, bounded=True))
        return ChunkedRecording(source, chunk_samples, stack.pop_all())


def _chunks(source: Source, chunk_samples: int) -> Generator[NDArray[np.float32], None, None]:
    with _explained(source.files[0]):
        for block in source.samples():
            yield from cut(block, chunk_samples)


def check_length(chunk_samples: int) -> None:
    """Refuse chunks without samples."""
    if chunk_samples < 1:
        raise ValueError("a chunk has at least one sample")


def cut(block: NDArray[np.float32], chunk_samples: int) -> Iterator[NDArray[np.float32]]:
    """Yield a block (n, C) in chunks."""
    for start in range(0, len(block), chunk_samples):
        yield block[start : start + chunk_samples]
