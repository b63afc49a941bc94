"""Recordings in EDF files."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from seqbench.datasets.reading.source import (
    Blocks,
    Source,
    block_lengths,
    block_samples,
    common_rate_hz,
    plain_unit,
    select_channels,
    unique_names,
)


@contextmanager
def open_edf(path: Path, requested: Sequence[str] | None, bounded: bool) -> Iterator[Source]:
    """Open the signals of an EDF or EDF+ file, which must have one rate."""
    import pyedflib

    del bounded  # blocks always are
    with pyedflib.EdfReader(str(path), pyedflib.DO_NOT_READ_ANNOTATIONS) as file:
        labels = [label.strip() for label in file.getSignalLabels()]
        signals = [i for i, label in enumerate(labels) if label != "EDF Annotations"]
        names = unique_names([labels[i] for i in signals])
        selected = select_channels(path, names, requested)
        positions = [signals[i] for i in selected]
        channels = [names[i] for i in selected]
        rates = [file.getSampleFrequency(i) for i in positions]
        n_samples = int(file.getNSamples()[positions[0]]) if positions else 0

        def blocks() -> Blocks:
            start = 0
            for n in block_lengths(n_samples, block_samples(len(positions))):
                yield np.column_stack([file.readSignal(i, start, n) for i in positions])
                start += n

        yield Source(
            channels=channels,
            units=[plain_unit(file.getPhysicalDimension(i)) for i in positions],
            n_samples=n_samples,
            blocks=blocks(),
            files=[path],
            header_rate_hz=common_rate_hz(path, channels, rates),
        )
