"""Recordings in the format of PhysioNet's WFDB library."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.datasets.base import fault
from seqbench.datasets.reading.columns import quoted
from seqbench.datasets.reading.source import (
    Blocks,
    Source,
    block_samples,
    columns_of,
    common_rate_hz,
    plain_unit,
    select_channels,
    unique_names,
)


@contextmanager
def open_wfdb(path: Path, requested: Sequence[str] | None, bounded: bool) -> Iterator[Source]:
    """Open a record by its header; signals with several samples a frame keep them all."""
    import wfdb

    header, files = _header(path)
    names = unique_names([str(name or "") for name in header.sig_name or []])
    selected = select_channels(path, names, requested)
    channels = [names[i] for i in selected]
    rates = [header.fs * header.samps_per_frame[i] for i in selected]
    n_frames = _n_frames(path, header)
    per_frame = header.samps_per_frame[selected[0]] if selected else 1
    longest = block_samples(sum(header.samps_per_frame or []))  # frames
    in_pieces = n_frames > longest and _is_seekable(path, header, selected, n_frames, bounded)

    def blocks() -> Blocks:
        step = longest if in_pieces else max(1, n_frames)
        for start in range(0, n_frames, step):
            record = wfdb.rdrecord(
                str(path.with_suffix("")),
                sampfrom=start,
                sampto=min(start + step, n_frames) if in_pieces else None,
                smooth_frames=False,
            )
            yield _values(path, record, selected)

    yield Source(
        channels=channels,
        units=[plain_unit(header.units[i]) for i in selected],
        n_samples=n_frames * per_frame,
        blocks=blocks(),
        files=files,
        header_rate_hz=common_rate_hz(path, channels, rates),
    )


def _header(path: Path) -> tuple[Any, list[Path]]:
    """Return the header of a record, and the files that the record consists of."""
    import wfdb

    header = wfdb.rdheader(str(path.with_suffix("")))
    if isinstance(header, wfdb.MultiRecord):
        hint = "write it as one record, and leave its segments out of the folder"
        raise fault(path, "it joins several segments", hint)
    names = sorted({str(name) for name in header.file_name or []})
    for name in names:
        if not path.with_name(name).is_file():
            problem = f"its signal file {quoted(name)} is not beside it"
            raise fault(path, problem, "put that file beside the header")
    return header, [path, *(path.with_name(name) for name in names)]


def _n_frames(path: Path, header: Any) -> int:
    """Return the frames of a record, by the size of its first signal file if not in its header."""
    from wfdb.io._signal import BYTES_PER_SAMPLE

    if header.sig_len is not None:
        return int(header.sig_len)
    if not header.n_sig:
        return 0
    name = header.file_name[0]
    pairs = zip(header.file_name, header.samps_per_frame, strict=True)
    per_frame = sum(n for other, n in pairs if other == name)
    n_bytes = path.with_name(name).stat().st_size - (header.byte_offset[0] or 0)
    return int(n_bytes / (BYTES_PER_SAMPLE[header.fmt[0]] * per_frame))


def _is_seekable(
    path: Path, header: Any, selected: list[int], n_frames: int, bounded: bool
) -> bool:
    """Return whether a record can be read in pieces; refuse one that cannot but must be."""
    if header.sig_len is None:
        problem = "its header has no length, without which it is not read in pieces"
        hint = f"write {n_frames} behind the rate in the first line"
    elif any(header.fmt[i] == "8" for i in selected):
        problem = "its format 8 holds differences, which are not read in pieces"
        hint = "write the record in format 16"
    else:
        return True
    if bounded:
        raise fault(path, problem, hint)
    return False


def _values(path: Path, record: Any, selected: list[int]) -> NDArray[np.float64]:
    """Return the samples of a record that was read without smoothing, (n, C)."""
    signals = [record.e_p_signal[i] for i in selected]
    for signal, i in zip(signals, selected, strict=True):
        n_samples = record.sig_len * record.samps_per_frame[i]
        if len(signal) != n_samples:
            problem = f"its signal file holds {len(signal)} of {n_samples} samples"
            raise fault(path, problem, "restore the complete file")
    return columns_of(signals)
