"""Recordings of large folders: headers, lengths and clocks are read now, samples when needed."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.datasets.base import Faults, counted, fault
from seqbench.datasets.reading.precision import AMPLE_STEPS, FEWEST_STEPS
from seqbench.datasets.reading.recording import Recording, open_recording, read_recording
from seqbench.datasets.reading.source import Source
from seqbench.storage.lazy_array import BLOCK_BYTES, LazyArray

LARGE_BYTES = 1 << 28  # of the files of a folder, from which on samples stay in them


def read_recordings(
    files: dict[str, Path],
    channels: Sequence[str] | None = None,
    *,
    faults: Faults | None = None,
    **options: Any,
) -> dict[str, Recording]:
    """Read the recordings of a folder by name; of large ones the samples stay in their files.

    Parameters
    ----------
    files
        File of each recording.
    channels, **options
        As in `read_recording`.
    faults
        Takes those of the files, whose recordings are left out; None: they are raised.

    Raises
    ------
    DataError
        If a file is missing, damaged, empty, or holds other than finite numbers. Of a large
        folder, samples that stay in their file may be found faulty when they are needed.
    """
    folders = {file.parent for file in files.values()}  # of signal files beside their header, too
    sizes = [one.stat().st_size for folder in folders for one in folder.iterdir() if one.is_file()]
    read = read_recording if sum(sizes) < LARGE_BYTES else lazy_recording
    found, own = {}, Faults()
    for name, file in files.items():
        with (faults or own).collected():
            found[name] = read(file, channels, **options)
    own.check()
    return found


def lazy_recording(path: Path, channels: Sequence[str] | None = None, **options: Any) -> Recording:
    """Return a recording whose samples stay in its file until they are needed.

    A file that does not state its length, or has a clock, is read once to find them, and
    one whose first blocks are constant or near to losing precision to see what it loses.
    Of others, blocks that lose it later are refused when they are needed.
    """
    with open_recording(path, channels, **options) as source:
        n_samples = source.n_samples
        is_ample = False
        if n_samples is None or source.clock is not None:
            n_samples = sum(len(block) for block in source.samples())
        else:
            for _ in source.samples():
                precision = source.precision
                is_ample = not precision.is_lossy or bool(
                    (precision.n_steps() >= AMPLE_STEPS).all() and (precision.spread > 0).all()
                )
                if is_ample:
                    break
        samples = _Samples(
            lambda: open_recording(path, channels, **options), path, n_samples, is_ample
        )
        return Recording(
            signal=LazyArray((n_samples, len(source.channels)), samples.read),
            channels=source.channels,
            units=source.units,
            times=source.sample_times(),
            file_times=source.file_times(),
            files=source.files,
            precision=source.precision,
        )


class _Samples:
    """The samples of a file, which can only be read in order: going far back begins anew.

    What was read last is kept, because windows overlap.
    """

    def __init__(
        self,
        opened: Callable[[], AbstractContextManager[Source]],
        path: Path,
        n_samples: int,
        is_ample: bool,
    ) -> None:
        self._open, self._path, self._n_samples = opened, path, n_samples
        self._is_ample = is_ample  # by the first blocks; the others have not been looked at
        self._blocks: Iterator[NDArray[np.float32]] = iter(())
        self._kept: deque[NDArray[np.float32]] = deque()
        self._first = self._at = n_samples  # the samples that are kept are [first, at)

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return the samples [start, stop)."""
        if start < self._first:
            self._blocks, self._first, self._at = self._opened(), 0, 0
            self._kept.clear()
        parts = []
        at = self._first
        for block in chain(list(self._kept), self._next_until(stop)):
            if start < at + len(block) and at < stop:
                parts.append(block[max(0, start - at) : stop - at])
            at += len(block)
        if self._at == self._n_samples:
            self._blocks = iter(())  # which closes the file
        return np.concatenate(parts)

    def _next_until(self, stop: int) -> Iterator[NDArray[np.float32]]:
        while self._at < stop:
            block = next(self._blocks, None)
            if block is None:
                problem = f"it holds {self._at} of {self._n_samples} samples"
                raise fault(self._path, problem, "restore the complete file")
            self._kept.append(block)
            self._at += len(block)
            self._forget()
            yield block

    def _forget(self) -> None:
        """Keep the blocks that hold the last `BLOCK_BYTES`, at least one."""
        while sum(block.nbytes for block in islice(self._kept, 1, None)) >= BLOCK_BYTES:
            self._first += len(self._kept.popleft())

    def _opened(self) -> Iterator[NDArray[np.float32]]:
        with self._open() as source:
            for block in source.samples():
                if self._is_ample:
                    self._refuse_losses(source)
                yield block

    def _refuse_losses(self, source: Source) -> None:
        n_steps = source.precision.n_steps()
        worst = int(n_steps.argmin())
        if n_steps[worst] < FEWEST_STEPS:
            problem = (
                f"channel '{source.channels[worst]}' leaves its range for"
                f" {source.precision.centre[worst]:.4g}, beside which single precision, in which"
                f" models compute, keeps {counted(int(n_steps[worst]), 'step')} of its changes"
            )
            hint = "subtract the offset in the file, or name the others in `channels`"
            raise fault(self._path, problem, hint)
