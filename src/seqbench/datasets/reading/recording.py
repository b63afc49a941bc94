"""Recordings in files of any format: whole, or chunk by chunk whatever their length.

Whatever is wrong with a file becomes a `DataError` of one sentence that names
the file, the row and the fix.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.datasets.base import fault
from seqbench.datasets.reading.audio_file import open_audio
from seqbench.datasets.reading.clock import SampleTimes
from seqbench.datasets.reading.csv_table import open_csv
from seqbench.datasets.reading.edf_file import open_edf
from seqbench.datasets.reading.hdf5_dataset import open_hdf5
from seqbench.datasets.reading.mat_file import open_mat
from seqbench.datasets.reading.miniseed_file import open_miniseed
from seqbench.datasets.reading.numpy_array import open_numpy
from seqbench.datasets.reading.parquet_table import open_parquet
from seqbench.datasets.reading.precision import Precision
from seqbench.datasets.reading.resample import resampled
from seqbench.datasets.reading.source import ReadOptions, Source, damage_explained
from seqbench.datasets.reading.tdms_file import open_tdms
from seqbench.datasets.reading.wfdb_record import open_wfdb
from seqbench.datasets.reading.xdf_stream import open_xdf
from seqbench.storage.lazy_array import AnyArray

READERS: dict[str, Callable[[Path, ReadOptions], AbstractContextManager[Source]]] = {
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
    ".tdms": open_tdms,
    ".mseed": open_miniseed,
    ".xdf": open_xdf,
}


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One recording of a file.

    Parameters
    ----------
    signal
        (n_samples, C) float32, in memory or a `LazyArray`; finite, at least one
        sample and one channel.
    channels, units
        One per channel, names unique; a unit is "" where the file has none.
    times
        When each sample was taken, on the clock of the file; None where it has none.
    file_times
        The same of the samples of the file, which differ from these if it was resampled.
    files
        The file itself, and the signal files of a WFDB header.
    precision
        What the channels lost in single precision.
    """

    signal: AnyArray
    channels: list[str]
    units: list[str]
    times: SampleTimes | None
    file_times: SampleTimes | None
    files: list[Path]
    precision: Precision

    @property
    def sampling_rate_hz(self) -> float | None:
        """Samples per second; None where the file has none."""
        return None if self.times is None else self.times.rate_hz


def read_recording(path: Path, channels: Sequence[str] | None = None, **options: Any) -> Recording:
    """Read one recording, samples x channels.

    Parameters
    ----------
    path
        A file whose suffix is a key of `READERS`.
    channels
        Names of the channels to keep, in this order; None keeps all as they
        stand. A column that is not kept may hold anything.
    **options
        Others of `ReadOptions`.

    Raises
    ------
    DataError
        If the file is missing, damaged, empty, or holds other than finite numbers.
    """
    with open_recording(path, channels, bounded=False, **options) as source:
        return Recording(
            signal=_joined(source),
            channels=source.channels,
            units=source.units,
            times=source.sample_times(),
            file_times=source.file_times(),
            files=source.files,
            precision=source.precision,
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
    path: Path, channels: Sequence[str] | None = None, **options: Any
) -> Iterator[Source]:
    """Open one recording, to be read once from its first sample to its last one.

    Parameters
    ----------
    path, channels, **options
        As in `read_recording`; `bounded`, which is true here, reads it in
        memory that its length does not change, or refuses it.

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
            named = None if channels is None else tuple(channels)
            given = ReadOptions(channels=named, **options)
            opened = READERS[suffix](path, given)
            source = stack.enter_context(opened)
            if given.subtracted:
                source = replace(source, subtracted=given.subtracted)
            if given.resample:
                if given.sampling_rate_hz is None:
                    hint = "state `sampling_rate_hz`, or leave `resample` out"
                    raise fault(path, "there is no rate to bring it to", hint)
                source = resampled(source, given.sampling_rate_hz)
            source.check()
        yield source
