"""Recordings in HDF5 files."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seqbench.datasets.base import fault
from seqbench.datasets.reading.array import ArrayLayout, array_source, rate_key, signal_key
from seqbench.datasets.reading.source import (
    Blocks,
    ReadOptions,
    Source,
    block_lengths,
    block_samples,
)

CACHE_BYTES = 1 << 27  # for the HDF5 chunks that reach from one block into the next
# Chunks that were read to their end leave the cache first.
CACHE = {"rdcc_nbytes": CACHE_BYTES, "rdcc_w0": 1, "rdcc_nslots": 10_007}


@contextmanager
def open_hdf5(path: Path, options: ReadOptions) -> Iterator[Source]:
    """Open a file with one dataset, or with one named `signal`."""
    import h5py

    with h5py.File(path, "r", **(CACHE if options.bounded else {})) as file:
        keys: list[str] = []
        file.visit(keys.append)
        arrays = [key for key in keys if isinstance(file[key], h5py.Dataset)]
        numbers = [key for key in arrays if file[key].size == 1]
        beside = rate_key(path, numbers) if len(arrays) > 1 else None
        dataset = file[signal_key(path, [key for key in arrays if key != beside])]
        check_stored(path, dataset)
        layout = ArrayLayout.of(path, dataset.dtype, dataset.shape or (), options.channels)
        longest = block_samples(layout.width)
        if options.bounded:
            check_chunks(path, dataset)
        elif dataset.chunks:  # each chunk is decompressed once
            longest = -(-longest // dataset.chunks[0]) * dataset.chunks[0]

        def blocks() -> Blocks:
            start = 0
            for n in block_lengths(layout.n_samples, longest):
                yield layout.take(dataset[start : start + n].reshape(n, -1))
                start += n

        rate = None if beside is None else file[beside][()]
        for stated in (dataset.attrs, file.attrs):
            if rate is None and (key := rate_key(path, stated)):
                rate = stated[key]
        yield array_source(path, layout, blocks(), rate, options)


def check_stored(path: Path, dataset: Any) -> None:
    """Refuse samples that are not in the file: a header alone can claim any number."""
    if dataset.external or dataset.is_virtual:
        hint = "copy the samples into this file"
        raise fault(path, f"the samples of '{dataset.name}' are in other files", hint)
    if dataset.chunks is None:
        is_stored = dataset.id.get_storage_size() >= dataset.size * dataset.dtype.itemsize
    else:
        sizes = zip(dataset.shape, dataset.chunks, strict=True)
        n_chunks = math.prod(-(-n // length) for n, length in sizes)
        is_stored = dataset.id.get_num_chunks() == n_chunks
    if not is_stored:
        hint = "restore the complete file, or cut it to what was written"
        raise fault(path, f"'{dataset.name}' has samples that were never written", hint)


def check_chunks(path: Path, dataset: Any) -> None:
    """Refuse chunks that are too large for bounded memory."""
    if dataset.chunks and math.prod(dataset.chunks) * dataset.dtype.itemsize > CACHE_BYTES:
        problem = f"its HDF5 chunks have the shape {dataset.chunks}, too much to read at once"
        hint = f"write chunks of at most {CACHE_BYTES >> 20} MiB"
        raise fault(path, problem, hint)
