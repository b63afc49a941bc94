"""Recordings in WAV and FLAC files."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seqbench.datasets.base import fault
from seqbench.datasets.reading.source import (
    Blocks,
    ReadOptions,
    Source,
    block_lengths,
    block_samples,
    numbered_names,
    select_channels,
)

UNKNOWN = 0xFFFFFFFF  # length of a WAV file that was written into a pipe


@contextmanager
def open_audio(path: Path, options: ReadOptions) -> Iterator[Source]:
    """Open a sound file; integers become fractions of full scale, floats stay as they are."""
    import soundfile

    _check_length(path)
    with soundfile.SoundFile(str(path)) as file:
        names = numbered_names(file.channels)
        selected = select_channels(path, names, options.channels)
        n_samples = file.frames

        def blocks() -> Blocks:
            for n in block_lengths(n_samples, block_samples(file.channels)):
                block = file.read(n, dtype="float64", always_2d=True)
                if len(block) < n:
                    hint = "it was cut short: restore the complete file"
                    raise fault(path, f"it holds fewer than {n_samples} samples", hint)
                yield block[:, selected]

        yield Source(
            channels=[names[i] for i in selected],
            units=[""] * len(selected),
            n_samples=n_samples,
            blocks=blocks(),
            files=[path],
            may_miss=options.targets,
            header_rate_hz=float(file.samplerate),
        )


def _check_length(path: Path) -> None:
    """Refuse a WAV file whose header counts more or fewer samples than it holds.

    libsndfile reads the smaller number in silence. An unknown length reaches to
    the end of the file.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] not in (b"RIFF", b"RF64") or head[8:] != b"WAVE":
            return
        position, wide_length, is_behind = 12, UNKNOWN, False
        while position + 8 <= size:
            file.seek(position)
            name, length = struct.unpack("<4sI", file.read(8))
            if name == b"ds64":  # of RF64: lengths of over 4 GiB
                _, wide_length = struct.unpack("<QQ", file.read(16).ljust(16, b"\0"))
            if name == b"data":
                is_behind, length = True, wide_length if length == UNKNOWN else length
                if length == UNKNOWN:
                    return
                if position + 8 + length > size:
                    problem = f"it holds {size - position - 8} of {length} bytes of samples"
                    hint = "it was cut short: restore the complete file or write the file anew"
                    raise fault(path, problem, hint)
            elif is_behind and not (name.isascii() and name.decode().isprintable()):
                problem = f"{size - position} bytes stand behind the samples that it counts"
                hint = "convert it with `sox --ignore-length`, which takes them as samples"
                raise fault(path, problem, hint)
            position += 8 + length + length % 2
