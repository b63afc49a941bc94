"""Recordings in XDF files, as LabRecorder writes the streams of a lab."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqbench.config.options import Gaps
from seqbench.datasets.base import counted, fault
from seqbench.datasets.reading.clock import SPLIT_HINT
from seqbench.datasets.reading.columns import quoted
from seqbench.datasets.reading.source import (
    WHOLE_BYTES,
    Blocks,
    ReadOptions,
    Source,
    block_samples,
    package,
    plain_unit,
    refuse_named,
    select_channels,
    unique_names,
)

SPAN_S = 2.0  # whose median time stamp jitter does not move
JUMP_S = 0.05  # between such medians; the jitter of networks is below, a lost packet above
JUMP_SAMPLES = 2


@contextmanager
def open_xdf(path: Path, options: ReadOptions) -> Iterator[Source]:
    """Open the one stream of numbers with a nominal rate; `channels` choose among several.

    Its rate is that of its synchronised time stamps. Streams of text, such as
    markers, are left out.
    """
    pyxdf = package(path, "pyxdf")
    _check_complete(path)
    if options.bounded and path.stat().st_size > WHOLE_BYTES:
        problem = f"it has {path.stat().st_size >> 20} MiB, too much to read at once"
        raise fault(path, problem, "save the stream as HDF5")
    streams = _loaded(path, pyxdf)
    names, units, columns = _channels(streams)
    selected = select_channels(path, names, options.among(path, names).channels)
    used = {columns[i][0] for i in selected}
    refuse_named(path, [names[i] for i in selected], options)
    if len(used) > 1:
        held = ", ".join(quoted(streams[i]["info"]["name"][0]) for i in sorted(used))
        hint = f"name channels of one stream in `channels`; it has {', '.join(names[:12])}"
        raise fault(
            path, f"it holds {counted(len(used), 'stream')}, each with a clock: {held}", hint
        )
    stream = streams[used.pop()] if used else None
    values = np.zeros((0, 0)) if stream is None else stream["time_series"]
    positions = [columns[i][1] for i in selected]

    def blocks() -> Blocks:
        longest = block_samples(len(positions))
        for start in range(0, len(values), longest):
            yield values[start : start + longest, positions]

    rate_hz: float | None = None
    starts: tuple[tuple[int, float], ...] = ((0, 0.0),)
    if stream is not None:
        rate_hz, starts = _stream_segments(path, stream, options.gaps)
    yield Source(
        channels=[names[i] for i in selected],
        units=[units[i] for i in selected],
        n_samples=len(values),
        blocks=blocks(),
        files=[path],
        may_miss=options.targets,
        header_rate_hz=rate_hz,
        starts=starts,
    )


def segments_of_stamps(
    path: Path, stamps: ArrayLike, nominal_hz: float, gaps: Gaps = "refuse"
) -> tuple[float, tuple[tuple[int, float], ...]]:
    """Return the rate of time stamps in seconds, (n,), which may jitter, and their segments.

    Returns
    -------
    rate_hz
        Of all segments.
    starts
        First sample of each segment, and its time after the first of all in seconds.

    Raises
    ------
    DataError
        If the stamps jump and gaps are refused, they jump back, or the place of
        a jump is lost in jitter.
    """
    times = np.asarray(stamps, dtype=np.float64)
    lateness = times - np.arange(len(times)) / nominal_hz
    cuts = _jumps(path, times, lateness, nominal_hz, gaps)
    pieces = list(pairwise([0, *cuts, len(times)]))
    fits = []
    for start, stop in pieces:
        places, medians = _medians(lateness[start:stop], nominal_hz)
        fits.append((places - places.mean(), medians - medians.mean()))
    places, medians = (np.concatenate(column) for column in zip(*fits, strict=True))
    spread = float(places @ places)
    slope = float(places @ medians) / spread if spread else 0.0  # seconds per sample
    if abs(slope * nominal_hz) * len(times) < 0.5:
        slope = 0.0
    starts_s = [
        start / nominal_hz
        + float(np.median(lateness[start:stop] - slope * np.arange(stop - start)))
        for start, stop in pieces
    ]
    starts = tuple(
        (start, time_s - starts_s[0]) for (start, _), time_s in zip(pieces, starts_s, strict=True)
    )
    return nominal_hz / (1 + slope * nominal_hz), starts


def _medians(
    lateness: NDArray[np.float64], nominal_hz: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the first samples of spans that cover a segment, and the median in each."""
    n = len(lateness)
    n_span = _span_samples(n, nominal_hz)
    starts = np.unique(np.linspace(0, n - n_span, n // n_span + 1).round().astype(int))
    return starts, np.array([np.median(lateness[at : at + n_span]) for at in starts])


def _span_samples(n_samples: int, nominal_hz: float) -> int:
    return max(1, min(round(SPAN_S * nominal_hz), n_samples // 4))


def _jumps(
    path: Path,
    times: NDArray[np.float64],
    lateness: NDArray[np.float64],
    nominal_hz: float,
    gaps: Gaps,
) -> list[int]:
    """Return the samples behind jumps of the median of a span by `JUMP_S` and `JUMP_SAMPLES`."""
    found: list[int] = []
    waiting = [(0, len(times))]
    while waiting:
        start, stop = waiting.pop()
        places, medians = _medians(lateness[start:stop], nominal_hz)
        if len(places) < 2:
            continue
        drift = np.median(np.diff(medians) / np.diff(places))  # per sample
        jumps = np.diff(medians) - drift * np.diff(places)
        jumps = np.concatenate([jumps, jumps[:-1] + jumps[1:]])  # one may fall into a span
        if np.abs(jumps).max() <= max(JUMP_S, JUMP_SAMPLES / nominal_hz):
            continue
        span = int(np.abs(jumps).argmax())
        first = start + int(places[span % (len(places) - 1)])
        last = first + 3 * _span_samples(stop - start, nominal_hz)
        steps = np.diff(lateness[first : min(last, stop)])
        at = int(np.abs(steps).argmax())
        problem = (
            f"its time stamps jump by {jumps[span]:.3g} s behind sample {first + at + 1},"
            f" {times[first + at] - times[0]:.6g} s from its start"
        )
        otherwise = "write what is before and behind the jump as two files"
        if gaps == "refuse" or jumps[span] < 0:
            hint = otherwise if jumps[span] < 0 else f"{SPLIT_HINT}, or {otherwise}"
            raise fault(path, problem, hint)
        if steps[at] < jumps[span] / 2 or steps.min() < -steps[at] / 2:
            raise fault(path, f"{problem}, or near it: they jitter as much", otherwise)
        cut = first + at + 1
        found.append(cut)
        waiting += [(start, cut), (cut, stop)]
    return sorted(found)


def _loaded(path: Path, pyxdf: Any) -> list[Any]:
    """Return the streams of numbers with a nominal rate."""
    numbers = [
        one["stream_id"]
        for one in pyxdf.resolve_streams(str(path))
        if one["channel_format"] != "string" and one["nominal_srate"] > 0
    ]
    if not numbers:
        hint = "record a stream with a nominal rate, or resample one and save it as HDF5"
        raise fault(path, "it holds no stream of numbers with a sampling rate", hint)
    errors: list[str] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: errors.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger(pyxdf.pyxdf.__name__)
    logger.addHandler(handler)
    try:  # jitter is judged here; pyxdf would draw a line through lost samples
        streams, _ = pyxdf.load_xdf(str(path), numbers, dejitter_timestamps=False)
    finally:
        logger.removeHandler(handler)
    if errors:
        raise fault(path, f"it is damaged ({errors[0]})", "restore the file")
    return list(streams)


def _channels(streams: list[Any]) -> tuple[list[str], list[str], list[tuple[int, int]]]:
    """Return names, units, and stream and column of all channels."""
    labels, units, columns = [], [], []
    for number, stream in enumerate(streams):
        listed = _listed(stream["info"])
        for column in range(int(stream["info"]["channel_count"][0])):
            one = listed[column] if column < len(listed) else {}
            labels.append((_first(one, "label"), _first(stream["info"], "name"), column))
            units.append(plain_unit(_first(one, "unit")))
            columns.append((number, column))
    alone = [label or f"ch{column}" for label, _, column in labels]
    names = [
        f"{stream}/{name}" if alone.count(name) > 1 and len(streams) > 1 else name
        for name, (_, stream, _) in zip(alone, labels, strict=True)
    ]
    return unique_names(names), units, columns


def _listed(info: Any) -> list[Any]:
    """Return the description of the channels of a stream, which may be missing at any level."""
    for key in ("desc", "channels"):
        found = info.get(key) or [None]
        info = found[0] or {}
    return list(info.get("channel") or [])


def _first(info: Any, key: str) -> str:
    found = (info or {}).get(key) or [""]
    return str(found[0] or "")


def _stream_segments(
    path: Path, stream: Any, gaps: Gaps
) -> tuple[float, tuple[tuple[int, float], ...]]:
    n_samples = len(stream["time_stamps"])
    footer = stream.get("footer")
    if footer is not None:
        n_counted = int(_first(footer["info"], "sample_count") or n_samples)
        if n_counted != n_samples:
            problem = f"it holds {n_samples} of the {n_counted} samples of its stream"
            raise fault(path, problem, "restore the complete file")
    nominal_hz = float(stream["info"]["nominal_srate"][0])
    return segments_of_stamps(path, stream["time_stamps"], nominal_hz, gaps)


def _check_complete(path: Path) -> None:
    """Refuse a file that ends within a chunk: pyxdf fills up its last sample in silence."""
    size = path.stat().st_size
    with path.open("rb") as file:
        position = 4 if file.read(4) == b"XDF:" else size + 1
        while position < size:
            file.seek(position)
            n_bytes = file.read(1)[0]
            length = int.from_bytes(file.read(n_bytes), "little")
            if n_bytes not in (1, 4, 8):
                raise fault(path, f"it is damaged at byte {position}", "restore the file")
            position += 1 + n_bytes + length
    if position > size:
        hint = "restore the complete file or write the file anew"
        raise fault(path, "it is no XDF file, or was cut short", hint)
