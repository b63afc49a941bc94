"""Recordings in EDF, EDF+ and BDF files.

Data records are read by NumPy: pyedflib refuses whole files for text that is
not ASCII, for EDF+D and for the range of a signal that nobody needs; edfio
holds a BDF file in memory and takes EDF+D for contiguous.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seqbench.datasets.base import fault
from seqbench.datasets.reading.clock import MISFIT_LIMIT
from seqbench.datasets.reading.edf_header import ANNOTATIONS, EdfHeader, EdfSignal, read_edf_header
from seqbench.datasets.reading.gaps import segment_starts
from seqbench.datasets.reading.resample import at_one_rate
from seqbench.datasets.reading.source import (
    Blocks,
    ReadOptions,
    Source,
    block_samples,
    common_rate_hz,
    refuse_named,
    select_channels,
    unique_names,
)


@contextmanager
def open_edf(path: Path, options: ReadOptions) -> Iterator[Source]:
    """Open the signals of a file; those that are read must have one rate, or are resampled."""
    header = read_edf_header(path)
    signals = [one for one in header.signals if one.label not in ANNOTATIONS]
    names = unique_names([one.label for one in signals])
    selected = select_channels(path, names, options.among(path, names).channels)
    channels = [names[i] for i in selected]
    chosen = [signals[i] for i in selected]
    refuse_named(path, channels, options)
    if chosen and not header.record_s:
        hint = "write it anew with the duration of a data record"
        raise fault(path, "its header has data records of 0 s, so no sampling rate", hint)
    rates = [float(one.n_per_record / header.record_s) for one in chosen]
    counts = {one.n_per_record for one in chosen}
    rate_hz = max(rates, default=None)
    if not options.resample or min(counts, default=0) == 0:
        rate_hz = common_rate_hz(path, channels, rates, may_resample=True)
    onsets = header.record_onsets_s()
    starts: tuple[tuple[int, float], ...] = ((0, 0.0),)  # of data records
    ratio = 1.0
    if rate_hz and onsets is not None and len(onsets):
        first, ratio = _segments(header, onsets, rate_hz, options)
        starts = tuple((at, float(onsets[at])) for at in first)

    def channels_of(n_per_record: int) -> tuple[Source, list[int]]:
        """Return the channels of one rate, and their places among all."""
        places = [i for i, one in enumerate(chosen) if one.n_per_record == n_per_record]
        own = [chosen[i] for i in places]
        source = Source(
            channels=[channels[i] for i in places],
            units=[one.unit for one in own],
            n_samples=header.n_records * n_per_record,
            blocks=_blocks(header, own, [one.scale(path) for one in own]),
            files=[path],
            may_miss=options.targets,
            header_rate_hz=rates[places[0]] * ratio if places else None,
            starts=tuple((at * n_per_record, time_s) for at, time_s in starts),
        )
        return source, places

    yield at_one_rate(path, channels_of, counts, options.sampling_rate_hz)


def _segments(
    header: EdfHeader, onsets: NDArray[np.float64], rate_hz: float, options: ReadOptions
) -> tuple[list[int], float]:
    """Return the data records that begin a segment, and by how much their clock is faster.

    Raises
    ------
    DataError
        If a data record starts half a sample or more from where the one before
        it ends, or the clock is not uniform.
    """
    record_s, records = float(header.record_s), np.arange(len(onsets))
    n_per_record = round(record_s * rate_hz)
    starts = segment_starts(
        header.path, records * n_per_record, onsets, record_s / n_per_record, options.gaps
    )
    segment = np.searchsorted(starts, records, side="right") - 1
    steps = np.diff(onsets)[np.diff(segment) == 0]
    if not len(steps):
        return starts, 1.0
    mean_s = float(steps.mean())
    first = np.array(starts)[segment]
    drift = onsets - onsets[first] - mean_s * (records - first)
    tolerance_s = MISFIT_LIMIT * record_s / n_per_record
    if np.abs(drift).max() >= 2 * tolerance_s:
        at = int(np.argmax(np.abs(drift)))
        problem = f"its data record {at + 1} starts {drift[at]:.6g} s off a uniform clock"
        raise fault(header.path, problem, "write it with records that follow each other")
    is_exact = abs(mean_s - record_s) * len(onsets) < tolerance_s
    return starts, 1.0 if is_exact else record_s / mean_s


def _blocks(
    header: EdfHeader, signals: list[EdfSignal], scales: list[tuple[float, float]]
) -> Blocks:
    """Yield samples of signals with one rate, (n, C)."""
    longest = block_samples(len(signals))
    n_per_record = signals[0].n_per_record if signals else 0
    n_records = max(1, longest // max(1, n_per_record))
    for first in range(0, header.n_records, n_records):
        for start in range(0, n_per_record, longest):
            # Mapped anew for each block: what was read before leaves the memory.
            records = header.records()[first : first + n_records]
            columns = []
            for one, (step, shift) in zip(signals, scales, strict=True):
                begin = one.offset_bytes + start * header.sample_bytes
                n = min(longest, n_per_record - start) * header.sample_bytes
                digital = _integers(records[:, begin : begin + n], header.sample_bytes)
                columns.append(step * (digital + shift))
            del records
            yield np.column_stack(columns)


def _integers(raw: NDArray[np.uint8], sample_bytes: int) -> NDArray[np.int32]:
    """Return little-endian signed integers of 2 or 3 bytes, end to end."""
    raw = np.ascontiguousarray(raw).reshape(-1, sample_bytes)
    if sample_bytes == 2:
        return raw.view("<i2")[:, 0].astype(np.int32)
    wide = np.zeros((len(raw), 4), dtype=np.uint8)
    wide[:, 1:] = raw
    return wide.view("<i4")[:, 0] >> 8  # which copies the sign
