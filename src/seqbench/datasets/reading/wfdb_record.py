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
    common_rate_hz,
    plain_unit,
    select_channels,
    unique_names,
)

LARGEST_BYTES = 4  # of a sample, in any format


@contextmanager
def open_wfdb(path: Path, requested: Sequence[str] | None, bounded: bool) -> Iterator[Source]:
    """Open a record by its header; signals with several samples a frame keep them all."""
    import wfdb

    header, files = _header(path)
    names = unique_names([str(name or "") for name in header.sig_name or []])
    selected = select_channels(path, names, requested)
    channels = [names[i] for i in selected]
    rates = [header.fs * header.samps_per_frame[i] for i in selected]
    n_frames = header.sig_len if header.n_sig else 0
    per_frame = header.samps_per_frame[selected[0]] if selected else 1
    longest = block_samples(sum(header.samps_per_frame or []))  # frames
    obstacle = _obstacle(header, selected)
    if bounded and obstacle:
        n_bytes = sum(file.stat().st_size for file in files[1:])
        least = n_bytes // (LARGEST_BYTES * sum(header.samps_per_frame))
        if (least if n_frames is None else n_frames) > longest:
            raise fault(path, *obstacle)

    def blocks() -> Blocks:
        for start in [0] if obstacle else range(0, n_frames, longest):
            record = wfdb.rdrecord(
                str(path.with_suffix("")),
                sampfrom=start,
                sampto=None if obstacle else min(start + longest, n_frames),
                smooth_frames=False,
            )
            yield _values(path, record, selected)

    yield Source(
        channels=channels,
        units=[plain_unit(header.units[i]) for i in selected],
        n_samples=None if n_frames is None else n_frames * per_frame,
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


def _obstacle(header: Any, selected: list[int]) -> tuple[str, str] | None:
    """Return why a record cannot be read in pieces, and the fix; None if it can."""
    if header.n_sig and header.sig_len is None:
        problem = "its header has no length, without which it is not read in pieces"
        return problem, "write its samples of each signal behind the rate in the first line"
    if any(header.fmt[i] == "8" for i in selected):
        problem = "its format 8 holds differences, which are not read in pieces"
        return problem, "write the record in format 16"
    return None


def _values(path: Path, record: Any, selected: list[int]) -> NDArray[np.float64]:
    """Return the samples of a record that was read without smoothing, (n, C)."""
    signals = [record.e_p_signal[i] for i in selected]
    for signal, i in zip(signals, selected, strict=True):
        n_samples = record.sig_len * record.samps_per_frame[i]
        if len(signal) != n_samples:
            problem = f"its signal file holds {len(signal)} of {n_samples} samples"
            raise fault(path, problem, "restore the complete file")
    return np.column_stack(signals)
