"""Recordings in the format of PhysioNet's WFDB library."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.datasets.base import fault
from seqbench.datasets.reading.columns import quoted
from seqbench.datasets.reading.resample import at_one_rate
from seqbench.datasets.reading.source import (
    Blocks,
    ReadOptions,
    Source,
    block_samples,
    common_rate_hz,
    plain_unit,
    refuse_named,
    select_channels,
    unique_names,
)

LARGEST_BYTES = 4  # of a sample, in any format
SAMPLE_BYTES = {"8": 1, "80": 1, "212": 1.5, "16": 2, "61": 2, "160": 2, "24": 3, "32": 4}


@contextmanager
def open_wfdb(path: Path, options: ReadOptions) -> Iterator[Source]:
    """Open a record by its header; signals with several samples a frame keep them all."""
    import wfdb

    header, files = _header(path)
    names = unique_names([str(name or "") for name in header.sig_name or []])
    selected = select_channels(path, names, options.among(path, names).channels)
    channels = [names[i] for i in selected]
    refuse_named(path, channels, options)
    rates = [header.fs * header.samps_per_frame[i] for i in selected]
    skew = max((header.skew[i] or 0 for i in selected), default=0)  # frames by which one is late
    if skew and any(header.fmt[i] == "8" for i in selected):
        problem = "a signal of its format 8 has a skew, which is not read"
        raise fault(path, problem, "write the record in format 16")
    n_frames = header.sig_len if header.n_sig else 0
    if n_frames is not None and skew:
        n_frames = max(0, n_frames - skew)  # the last ones lack a sample of the late signal
    counts = {header.samps_per_frame[i] for i in selected}
    if not options.resample:
        common_rate_hz(path, channels, rates, may_resample=True)
    longest = block_samples(sum(header.samps_per_frame or []))  # frames
    obstacle = _obstacle(header, selected)
    if options.bounded and obstacle:
        n_bytes = sum(file.stat().st_size for file in files[1:])
        least = n_bytes // (LARGEST_BYTES * sum(header.samps_per_frame))
        if (least if n_frames is None else n_frames) > longest:
            raise fault(path, *obstacle)

    def blocks(wanted: list[int]) -> Blocks:
        for start in [0] if obstacle else range(0, n_frames, longest):
            record = wfdb.rdrecord(
                str(path.with_suffix("")),
                sampfrom=start,
                sampto=None if obstacle else min(start + longest, n_frames),
                smooth_frames=False,
            )
            yield _values(path, record, wanted, skew if obstacle else 0)

    def channels_of(per_frame: int) -> tuple[Source, list[int]]:
        """Return the channels of one rate, and their places among all."""
        places = [i for i, at in enumerate(selected) if header.samps_per_frame[at] == per_frame]
        own = [selected[i] for i in places]
        source = Source(
            channels=[channels[i] for i in places],
            units=[plain_unit(header.units[i]) for i in own],
            n_samples=None if n_frames is None else n_frames * per_frame,
            blocks=blocks(own),
            files=files,
            may_miss=options.targets,
            header_rate_hz=header.fs * per_frame if own else None,
        )
        return source, places

    yield at_one_rate(path, channels_of, counts, options.sampling_rate_hz)


def signal_file_names(path: Path) -> set[str]:
    """Return the names of the signal files in a header, whatever else is wrong with it."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    lines = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return {line.split()[0] for line in lines[1:]}


def _header(path: Path) -> tuple[Any, list[Path]]:
    """Return the header of a record, and the files that the record consists of."""
    import wfdb

    if path.suffix != ".hea":
        raise fault(path, "WFDB finds a header by its suffix in small letters", "rename it to .hea")
    for row, line in enumerate(path.read_bytes().splitlines(), start=1):
        if not line.isascii() and not line.lstrip().startswith(b"#"):  # which makes V of µV
            hint = "write ASCII, such as uV"
            raise fault(path, "WFDB leaves out what is not ASCII", hint, row=row)
    header = wfdb.rdheader(str(path.with_suffix("")))
    if isinstance(header, wfdb.MultiRecord):
        hint = "write it as one record, and leave its segments out of the folder"
        raise fault(path, "it joins several segments", hint)
    names = sorted({str(name) for name in header.file_name or []})
    for name in names:
        if not path.with_name(name).is_file():
            problem = f"its signal file {quoted(name)} is not beside it"
            raise fault(path, problem, "put that file beside the header")
        _check_length(path, header, name)
    return header, [path, *(path.with_name(name) for name in names)]


def _check_length(path: Path, header: Any, name: str) -> None:
    """Refuse a signal file with samples behind those that the header counts."""
    signals = [i for i, file in enumerate(header.file_name) if file == name]
    n_bytes = SAMPLE_BYTES.get(header.fmt[signals[0]])
    if n_bytes is None or header.sig_len is None:
        return
    frame_bytes = n_bytes * sum(header.samps_per_frame[i] for i in signals)
    size = path.with_name(name).stat().st_size - (header.byte_offset[signals[0]] or 0)
    n_frames = int(size // frame_bytes)
    if n_frames > header.sig_len:
        problem = f"{quoted(name)} holds {n_frames} samples of each signal, but it counts"
        hint = "correct the number in its first line, or cut the signal file"
        raise fault(path, f"{problem} {header.sig_len}", hint)


def _obstacle(header: Any, selected: list[int]) -> tuple[str, str] | None:
    """Return why a record cannot be read in pieces, and the fix; None if it can."""
    if header.n_sig and header.sig_len is None:
        problem = "its header has no length, without which it is not read in pieces"
        return problem, "write its samples of each signal behind the rate in the first line"
    if any(header.fmt[i] == "8" for i in selected):
        problem = "its format 8 holds differences, which are not read in pieces"
        return problem, "write the record in format 16"
    return None


def _values(path: Path, record: Any, selected: list[int], n_late: int) -> NDArray[np.float64]:
    """Return what was read of a record without smoothing, less its last frames, (n, C)."""
    signals = []
    for i in selected:
        per_frame = record.samps_per_frame[i]
        signal, n_samples = record.e_p_signal[i], record.sig_len * per_frame
        if len(signal) != n_samples:
            problem = f"its signal file holds {len(signal)} of {n_samples} samples"
            raise fault(path, problem, "restore the complete file")
        signals.append(signal[: n_samples - n_late * per_frame])
    return np.column_stack(signals)
