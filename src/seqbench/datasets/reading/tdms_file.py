"""Recordings in TDMS files, as LabVIEW writes them."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from seqbench.datasets.base import fault
from seqbench.datasets.reading.source import (
    Blocks,
    ReadOptions,
    Source,
    block_lengths,
    block_samples,
    common_rate_hz,
    package,
    plain_unit,
    refuse_named,
    select_channels,
    unique_names,
)

UNSET = np.datetime64("1904-01-01T00:00:00", "us")  # LabVIEW's zero
EPOCH = np.datetime64("1970-01-01T00:00:00", "us")


@contextmanager
def open_tdms(path: Path, options: ReadOptions) -> Iterator[Source]:
    """Open the channels of numbers in a file; those that are read must have one length and clock.

    A channel is named as in the file, after its group where two have one name.
    """
    nptdms = package(path, "nptdms")
    _check_complete(path)
    with nptdms.TdmsFile.open(str(path)) as file:
        channels = [one for group in file.groups() for one in group.channels()]
        channels = [one for one in channels if one.dtype.kind in "biuf" and len(one)]
        names = _names(channels)
        selected = select_channels(path, names, options.among(path, names).channels)
        chosen = [channels[i] for i in selected]
        named = [names[i] for i in selected]
        refuse_named(path, named, options)
        _check_agreement(path, named, chosen)

        def blocks() -> Blocks:
            start = 0
            for n in block_lengths(len(chosen[0]), block_samples(len(chosen))):
                yield np.column_stack([one.read_data(start, n) for one in chosen])
                start += n

        yield Source(
            channels=named,
            units=[plain_unit(str(one.properties.get("unit_string", ""))) for one in chosen],
            n_samples=len(chosen[0]) if chosen else 0,
            blocks=blocks(),
            files=[path, *(index for index in [Path(f"{path}_index")] if index.is_file())],
            may_miss=options.targets,
            header_rate_hz=_rate_hz(path, named, chosen),
            starts=((0, _start_s(chosen[0]) if chosen else 0.0),),
        )


def _check_complete(path: Path) -> None:
    """Refuse a file that ends within a segment: nptdms leaves that one out with a warning."""
    size, position = path.stat().st_size, 0
    with path.open("rb") as file:
        while position < size:
            file.seek(position)
            mark, length = struct.unpack("<4s8xQ8x", file.read(28).ljust(28, b"\xff"))
            if mark != b"TDSm" and position + 28 <= size:
                hint = "it may be damaged: write the file anew"
                raise fault(path, f"at byte {position} no segment of TDMS starts", hint)
            position += 28 + length
    if position > size:
        hint = "it was cut short: restore the complete file or write the file anew"
        raise fault(path, "it ends within a segment", hint)


def _names(channels: list[Any]) -> list[str]:
    alone = [one.name for one in channels]
    return unique_names(
        [f"{one.group_name}/{one.name}" if alone.count(one.name) > 1 else one.name
         for one in channels]
    )  # fmt: skip


def _check_agreement(path: Path, names: list[str], chosen: list[Any]) -> None:
    for name, one in zip(names, chosen, strict=True):
        if len(one) != len(chosen[0]):
            problem = f"'{names[0]}' has {len(chosen[0])} samples, but '{name}' {len(one)}"
            raise fault(path, problem, "name channels of one length in `channels`")
        clocks = [[c.properties.get(key) for key in ("wf_start_time", "wf_start_offset")]
                  for c in (chosen[0], one)]  # fmt: skip
        if clocks[0] != clocks[1]:
            problem = f"'{names[0]}' and '{name}' start at different times"
            raise fault(path, problem, "name channels of one start in `channels`")


def _start_s(channel: Any) -> float:
    """Return the time of the first sample from 1970; from LabVIEW's own zero where none is set."""
    start = channel.properties.get("wf_start_time")
    offset_s = float(channel.properties.get("wf_start_offset") or 0.0)
    if start is None or start <= UNSET:
        return offset_s
    return float((start - EPOCH) / np.timedelta64(1, "s")) + offset_s


def _rate_hz(path: Path, names: list[str], chosen: list[Any]) -> float | None:
    """Return the rate of the increments in the file; None without."""
    steps = [one.properties.get("wf_increment") for one in chosen]
    if not any(steps):  # LabVIEW writes 0 for a channel without a clock
        return None
    rates = [float(f"{1 / step:.12g}") if step else 0.0 for step in steps]
    return common_rate_hz(path, names, rates)
