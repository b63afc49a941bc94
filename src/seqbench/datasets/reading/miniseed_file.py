"""Recordings in miniSEED files, as seismometers write them."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from seqbench.datasets.base import fault
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
    """Open the channels of a file; those that are read must have no gap, and one start and length.

    A channel is named by its code, such as BHZ, or by its whole identifier
    (network, station, location, channel) where two stations have that code.
    """
    traces = _read(path, headonly=True)
    identifiers = list(dict.fromkeys(trace.id for trace in traces))
    codes = [identifier.rpartition(".")[2] for identifier in identifiers]
    names = identifiers if len({*codes}) < len(codes) else codes
    selected = select_channels(path, names, options.among(path, names).channels)
    chosen = [_only_trace(path, names[i], traces, identifiers[i]) for i in selected]
    channels = [names[i] for i in selected]
    rates = [float(trace.stats.sampling_rate) for trace in chosen]
    rate_hz = common_rate_hz(path, channels, rates)
    _check_agreement(path, channels, chosen)
    n_samples = chosen[0].stats.npts if chosen else 0
    if options.bounded and (n_bytes := sum(trace.stats.npts for trace in traces) * 8) > WHOLE_BYTES:
        problem = f"its records unpack to {n_bytes >> 20} MiB, too much to read at once"
        raise fault(path, problem, "write it as shorter files, or as HDF5")

    def blocks() -> Blocks:
        of_channel = {trace.id: trace.data for trace in _read(path)}
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
    )


def _read(path: Path, **options: bool) -> Any:
    """Return the traces of a file: each channel once, or more often where it has gaps."""
    obspy = package(path, "obspy", "miniseed")
    with warnings.catch_warnings():
        broken = package(path, "obspy.io.mseed", "miniseed").InternalMSEEDWarning
        warnings.simplefilter("error", broken)  # with which ObsPy skips a record
        return obspy.read(str(path), format="MSEED", **options)


def _only_trace(path: Path, name: str, traces: Any, identifier: str) -> Any:
    """Return the trace of a channel, which must not have a gap."""
    pieces = sorted((one for one in traces if one.id == identifier),
                    key=lambda one: one.stats.starttime)  # fmt: skip
    if len(pieces) == 1:
        return pieces[0]
    before, behind = pieces[0].stats, pieces[1].stats
    gap_s = behind.starttime - before.endtime - before.delta
    what = "a gap" if gap_s > 0 else "an overlap"
    problem = (
        f"its channel '{name}' has {what} of {abs(gap_s):.6g} s:"
        f" it ends at {before.endtime} and goes on at {behind.starttime}"
    )
    raise fault(path, problem, "write what is before and behind it as two files")


def _check_agreement(path: Path, names: list[str], chosen: list[Any]) -> None:
    for name, trace in zip(names, chosen, strict=True):
        first, stats = chosen[0].stats, trace.stats
        apart_s = abs(stats.starttime - first.starttime)
        if apart_s >= 0.5 * first.delta or stats.npts != first.npts:
            problem = (
                f"'{names[0]}' has {first.npts} samples from {first.starttime}, but '{name}' has"
                f" {stats.npts} from {stats.starttime}"
            )
            raise fault(path, problem, "cut them to one span, or name one of them in `channels`")
