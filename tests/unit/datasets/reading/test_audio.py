"""Sound files: fractions of full scale, and headers that do not fit the samples."""

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from seqbench.datasets.reading.recording import read_recording

COUNTER = np.arange(-100, 100, dtype=np.int16).reshape(100, 2)
FULL_SCALE = 1 << 15


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".WAV"])
def test_integers_are_fractions_of_full_scale(tmp_path, joined, suffix):
    path = tmp_path / f"one{suffix}"
    soundfile.write(path, COUNTER, 8000)

    np.testing.assert_array_equal(joined(path), COUNTER / FULL_SCALE)
    np.testing.assert_array_equal(joined(path, ["ch1"]), COUNTER[:, 1:] / FULL_SCALE)
    assert read_recording(path).sampling_rate_hz == 8000


def wav(path: Path, n_bytes: int, behind: bytes = b"", kind: bytes = b"RIFF") -> Path:
    """Write a WAV file of `COUNTER` whose header counts `n_bytes`."""
    samples = COUNTER.astype("<i2").tobytes()
    chunks = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 2, 50, 200, 4, 16)
    if kind == b"RF64":
        chunks = b"ds64" + struct.pack("<IQQQI", 28, 0, n_bytes, 100, 0) + chunks
        n_bytes = 0xFFFFFFFF
    chunks += b"data" + struct.pack("<I", n_bytes) + samples + behind
    path.write_bytes(kind + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)
    return path


@pytest.mark.parametrize("kind", [b"RIFF", b"RF64"])
def test_a_header_that_counts_other_samples_is_refused(tmp_path, joined, refusal, kind):
    path = tmp_path / "one.wav"

    assert len(joined(wav(path, 400, kind=kind))) == 100
    message = refusal(wav(path, 404, kind=kind))
    assert "it holds 400 of 404 bytes of samples" in message
    assert "cut short" in message
    message = refusal(wav(path, 300, kind=kind))
    assert "100 bytes stand behind the samples" in message
    assert "--ignore-length" in message


def test_chunks_behind_the_samples_and_unknown_lengths_are_no_fault(tmp_path, joined):
    path = tmp_path / "one.wav"

    assert len(joined(wav(path, 400, behind=b"LIST" + struct.pack("<I", 4) + b"INFO"))) == 100
    assert len(joined(wav(path, 0xFFFFFFFF))) == 100
