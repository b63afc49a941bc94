"""Recordings in MATLAB's files: version 7.3 is HDF5, those before are read by SciPy."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from seqbench.datasets.base import fault
from seqbench.datasets.reading.array import (
    RATE_KEYS,
    ArrayLayout,
    array_source,
    rate_key,
    signal_key,
)
from seqbench.datasets.reading.hdf5_dataset import CACHE, check_chunks, check_stored
from seqbench.datasets.reading.source import (
    WHOLE_BYTES,
    Blocks,
    ReadOptions,
    Source,
    block_lengths,
    block_samples,
)

NUMBERS = (
    "double",
    "single",
    "logical",
    *(f"{u}int{n}" for u in ("", "u") for n in (8, 16, 32, 64)),
)


@contextmanager
def open_mat(path: Path, options: ReadOptions) -> Iterator[Source]:
    """Open a file with one matrix of numbers, n_samples x n_channels, or with one named `signal`.

    A variable of one number named `sampling_rate_hz` or `fs` is the rate; other
    variables of one number, text, cells and structs are left out.
    """
    import h5py

    with path.open("rb") as text:
        if text.read(1) == b"#":
            hint = "save it in Octave with `save -v7`"
            raise fault(path, "it is Octave's text, no MATLAB file", hint)
    if h5py.is_hdf5(path):
        with h5py.File(path, "r", **(CACHE if options.bounded else {})) as file:
            yield _open_hdf5(path, file, options)
    else:
        yield _open_version_5(path, options)


def _open_version_5(path: Path, options: ReadOptions) -> Source:
    from scipy.io import loadmat, whosmat

    variables = {name: (shape, kind) for name, shape, kind in whosmat(str(path))}
    key, rate_key = _keys(path, variables)
    # MATLAB writes it in one piece, and may write doubles in fewer bytes than they need here.
    n_bytes = math.prod(variables[key][0]) * 8
    if options.bounded and n_bytes > WHOLE_BYTES:
        problem = f"'{key}' is one piece of up to {n_bytes >> 20} MiB, too much to read at once"
        raise fault(path, problem, "save it with -v7.3, which is read in pieces")
    wanted = [key] if rate_key is None else [key, rate_key]
    loaded = loadmat(str(path), variable_names=wanted)
    array = loaded[key]
    layout = ArrayLayout.of(path, array.dtype, array.shape, options.channels)
    longest = block_samples(layout.width)

    def blocks() -> Blocks:
        for start in range(0, layout.n_samples, longest):
            yield layout.take(array[start : start + longest])

    return array_source(
        path, layout, blocks(), None if rate_key is None else loaded[rate_key], options
    )


def _open_hdf5(path: Path, file: Any, options: ReadOptions) -> Source:
    variables = {}
    for name, item in file.items():
        if name.startswith("#"):  # MATLAB's store of what cells refer to
            continue
        kind = item.attrs.get("MATLAB_class", b"")
        kind = kind.decode() if isinstance(kind, bytes) else str(kind)
        shape = tuple(reversed(getattr(item, "shape", ()) or ()))  # a struct has none
        variables[name] = (shape, kind)
    key, rate_key = _keys(path, variables)
    dataset = file[key]
    check_stored(path, dataset)
    layout = ArrayLayout.of(path, dataset.dtype, variables[key][0], options.channels)
    longest = block_samples(layout.width)
    if options.bounded:
        check_chunks(path, dataset)
    elif dataset.chunks:  # each chunk is decompressed once
        longest = -(-longest // dataset.chunks[-1]) * dataset.chunks[-1]

    def blocks() -> Blocks:
        start = 0
        for n in block_lengths(layout.n_samples, longest):
            yield layout.take(np.transpose(dataset[..., start : start + n]))  # rows were columns
            start += n

    return array_source(
        path, layout, blocks(), None if rate_key is None else file[rate_key][()], options
    )


def _keys(path: Path, variables: dict[str, tuple[tuple[int, ...], str]]) -> tuple[str, str | None]:
    """Return the names of the recording and of its sampling rate."""
    rate = rate_key(path, variables)
    arrays = [
        name
        for name, (shape, kind) in variables.items()
        if kind in NUMBERS and name.lower() not in RATE_KEYS and math.prod(shape) > 1
    ]
    if not arrays and any(name.lower() not in RATE_KEYS for name in variables):
        held = ", ".join(
            f"{name} ({kind or 'of no class'})" for name, (_, kind) in variables.items()
        )
        hint = "save the recording as a matrix of its own, n_samples x n_channels, named 'signal'"
        raise fault(path, f"it holds no matrix of numbers: {held}", hint)
    return signal_key(path, arrays), rate
