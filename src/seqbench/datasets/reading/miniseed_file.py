"""Recordings in miniSEED files, as seismometers write them."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seqbench.datasets.base import counted, fault
from seqbench.datasets.reading.clock import MISFIT_LIMIT
from seqbench.datasets.reading.gaps import segment_starts
from seqbench.datasets.reading.source import (
    WHOLE_BYTES,
    Blocks,
    ReadOptions,
    Source,
    block_samples,
    common_rate_hz,
    package,
    select_channels,
)


@contextmanager
def open_miniseed(path: Path, options: ReadOptions) -> Iterator[Source]:
    """Open the channels of a file; those that are read must have one start, length and gaps.

    A channel is named by its code, such as BHZ, or by its whole identifier
    (network, station, location, channel) where two stations have that code.
    """
    traces = _read(path, headonly=True)
    _check_end(path, traces)
    identifiers = list(dict.fromkeys(trace.id for trace in traces))
    codes = [identifier.rpartition(".")[2] for identifier in identifiers]
    names = identifiers if len({*codes}) < len(codes) else codes
    selected = select_channels(path, names, options.among(path, names).channels)
    channels = [names[i] for i in selected]
    chosen = [_of_channel(traces, identifiers[i]) for i in selected]
    rates = [float(of_one[0].stats.sampling_rate) for of_one in chosen]
    rate_hz = common_rate_hz(path, channels, rates)
    spans = [_spans(path, *pair, options) for pair in zip(channels, chosen, strict=True)]
    _check_agreement(path, channels, spans)
    n_samples = sum(one.n_samples for one in spans[0]) if spans else 0
    if options.bounded and (n_bytes := sum(trace.stats.npts for trace in traces) * 8) > WHOLE_BYTES:
        problem = f"its records unpack to {n_bytes >> 20} MiB, too much to read at once"
        raise fault(path, problem, "write it as shorter files, or as HDF5")

    def blocks() -> Blocks:
        read = _read(path)
        of_channel = {
            name: np.concatenate([trace.data for trace in _of_channel(read, name)])
            for name in (identifiers[i] for i in selected)
        }
        longest = block_samples(len(selected))
        for start in range(0, n_samples, longest):
            columns = [of_channel[identifiers[i]][start : start + longest] for i in selected]
            yield np.column_stack(columns)

    yield Source(
        channels=channels,
        units=[""] * len(channels),
        n_samples=n_samples,
        blocks=blocks(),
        files=[path],
        may_miss=options.targets,
        header_rate_hz=rate_hz,
        starts=tuple((one.first, one.start.timestamp) for one in spans[0])
        if spans
        else ((0, 0.0),),
    )


def _read(path: Path, **options: bool) -> Any:
    """Return the traces of a file: each channel once, or more often where it has gaps."""
    obspy = package(path, "obspy")
    with warnings.catch_warnings():
        broken = package(path, "obspy.io.mseed").InternalMSEEDWarning
        warnings.simplefilter("error", broken)  # with which ObsPy skips a record
        return obspy.read(str(path), format="MSEED", **options)


def _check_end(path: Path, traces: Any) -> None:
    """Refuse a file that ends within a record, which ObsPy leaves out in silence."""
    n_bytes = path.stat().st_size
    record_bytes = min((trace.stats.mseed.record_length for trace in traces), default=1)
    if n_bytes % record_bytes:
        problem = f"it ends {n_bytes % record_bytes} bytes into a record of {record_bytes}"
        raise fault(path, problem, "it is cut short: restore the complete file")


def _of_channel(traces: Any, identifier: str) -> list[Any]:
    """Return the traces of a channel by time."""
    of_one = [trace for trace in traces if trace.id == identifier]
    return sorted(of_one, key=lambda trace: trace.stats.starttime)


@dataclass(frozen=True)
class _Span:
    """A segment of a channel: its first sample and their number, its start and step as in ObsPy."""

    first: int
    n_samples: int
    start: Any
    step_s: float


def _spans(path: Path, name: str, traces: list[Any], options: ReadOptions) -> list[_Span]:
    """Return the segments of a channel, of which there is one unless gaps are allowed."""
    stats = [trace.stats for trace in traces]
    if len({one.sampling_rate for one in stats}) > 1:
        rates = f"{stats[0].sampling_rate:g} Hz and others"
        raise fault(path, f"its channel '{name}' has {rates}", "write it as two files")
    step_s, start = stats[0].delta, stats[0].starttime
    first = np.cumsum([0, *(one.npts for one in stats)])
    starts = segment_starts(
        path,
        first[:-1],
        [one.starttime - start for one in stats],
        step_s,
        options.gaps,
        subject=f"its channel '{name}'",
        shown=lambda time_s: str(start + time_s),
    )
    ends = [*starts[1:], len(stats)]
    return [
        _Span(int(first[a]), int(first[b] - first[a]), stats[a].starttime, step_s)
        for a, b in zip(starts, ends, strict=True)
    ]


def _check_agreement(path: Path, names: list[str], spans: list[list[_Span]]) -> None:
    for name, of_one in zip(names, spans, strict=True):
        if len(of_one) != len(spans[0]):
            n, expected = counted(len(of_one), "segment"), len(spans[0])
            problem = f"'{name}' has {n} between gaps, but '{names[0]}' has {expected}"
            raise fault(path, problem, "name one of them in `channels`")
        for first, one in zip(spans[0], of_one, strict=True):
            apart_s = abs(one.start - first.start)
            if apart_s >= MISFIT_LIMIT * first.step_s or one.n_samples != first.n_samples:
                problem = (
                    f"'{names[0]}' has {first.n_samples} samples from {first.start}, but '{name}'"
                    f" has {one.n_samples} from {one.start}"
                )
                hint = "cut them to one span, or name one of them in `channels`"
                raise fault(path, problem, hint)
