"""Recordings in files of any format: whole, or chunk by chunk whatever their length.

Whatever is wrong with a file becomes a `DataError` of one sentence that names
the file, the row and the fix.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seqbench.datasets.base import fault
from seqbench.datasets.reading.audio_file import open_audio
from seqbench.datasets.reading.csv_table import open_csv
from seqbench.datasets.reading.edf_file import open_edf
from seqbench.datasets.reading.hdf5_dataset import open_hdf5
from seqbench.datasets.reading.mat_file import open_mat
from seqbench.datasets.reading.numpy_array import open_numpy
from seqbench.datasets.reading.parquet_table import open_parquet
from seqbench.datasets.reading.source import Source, damage_explained, plain_names
from seqbench.datasets.reading.wfdb_record import open_wfdb

# Each opens a path with the requested channels, or all; the last argument says whether blocks
# must be short, whatever that costs.
READERS: dict[str, Callable[[Path, Sequence[str] | None, bool], AbstractContextManager[Source]]] = {
    ".csv": open_csv,
    ".txt": open_csv,
    ".parquet": open_parquet,
    ".npy": open_numpy,
    ".npz": open_numpy,
    ".h5": open_hdf5,
    ".hdf5": open_hdf5,
    ".edf": open_edf,
    ".bdf": open_edf,
    ".hea": open_wfdb,
    ".mat": open_mat,
    ".wav": open_audio,
    ".flac": open_audio,
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
    with open_recording(path, channels, bounded=False) as source:
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
def open_recording(
    path: Path, channels: Sequence[str] | None = None, *, bounded: bool = True
) -> Iterator[Source]:
    """Open one recording, to be read once from its first sample to its last one.

    Parameters
    ----------
    path, channels
        As in `read_recording`.
    bounded
        Read it in memory that its length does not change, or refuse it.

    Raises
    ------
    DataError
        If the file is missing, empty, or has a damaged header.
    """
    suffix = path.suffix.lower()
    if suffix not in READERS:
        hint = "convert it to one of " + ", ".join(READERS)
        raise fault(path, f"'{suffix}' is no format of recordings", hint)
    with ExitStack() as stack:
        with damage_explained(path):
            if not path.is_file():
                raise fault(path, "there is no such file", "correct the name or restore the file")
            opened = READERS[suffix](path, plain_names(channels), bounded)
            source = stack.enter_context(opened)
            source.check()
        yield source
