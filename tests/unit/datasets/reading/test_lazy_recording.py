"""Samples that stay in their file are those that reading the whole file gives."""

import numpy as np
import pytest

from seqbench.datasets.base import DataError
from seqbench.datasets.reading import lazy_recording, source
from seqbench.datasets.reading.lazy_recording import read_recordings
from seqbench.datasets.reading.recording import open_recording as open_file
from seqbench.datasets.reading.recording import read_recording
from seqbench.storage.lazy_array import LazyArray

SIGNAL = np.random.default_rng(0).normal(size=(1000, 3)).astype(np.float32)


@pytest.fixture(autouse=True)
def large(monkeypatch):
    """Every folder is large, and blocks are short."""
    monkeypatch.setattr(lazy_recording, "LARGE_BYTES", 0)
    monkeypatch.setattr(source, "BLOCK_SAMPLES", 70)


@pytest.fixture(params=["npy", "csv", "times.csv"])
def path(request, tmp_path):
    """A file that states its length, one that does not, and one with a clock."""
    path = tmp_path / f"one.{request.param}"
    if request.param == "npy":
        np.save(path, SIGNAL)
    else:
        rows = [",".join(map(str, row.tolist())) for row in SIGNAL]
        header = "a,b,c"
        if request.param == "times.csv":
            header = "time_s," + header
            rows = [f"{i / 50},{row}" for i, row in enumerate(rows)]
        path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_samples_are_those_of_the_whole_file_in_any_order(path):
    whole = read_recording(path)

    lazy = read_recordings({"one": path})["one"]

    assert isinstance(lazy.signal, LazyArray)
    assert (lazy.channels, lazy.units, lazy.files) == (whole.channels, whole.units, whole.files)
    assert lazy.sampling_rate_hz == whole.sampling_rate_hz
    assert lazy.signal.shape == whole.signal.shape
    for start, stop in [(0, 1000), (0, 7), (7, 300), (900, 1000), (3, 4), (4, 4), (140, 210)]:
        assert np.array_equal(lazy.signal[start:stop], whole.signal[start:stop])


def test_windows_that_overlap_read_the_file_once(path, monkeypatch):
    lazy = read_recordings({"one": path})["one"]
    opened = []
    monkeypatch.setattr(
        lazy_recording, "open_recording", lambda *a, **k: opened.append(a) or open_file(*a, **k)
    )
    monkeypatch.setattr(lazy_recording, "BLOCK_BYTES", 12 * 200)

    for start in range(0, 800, 50):
        assert np.array_equal(lazy.signal[start : start + 200], SIGNAL[start : start + 200])
    assert len(opened) == 1
    assert np.array_equal(lazy.signal[100:300], SIGNAL[100:300])
    assert len(opened) == 2


def test_a_fault_is_found_at_the_latest_when_samples_are_needed(tmp_path):
    signal = SIGNAL.copy()
    signal[500, 1] = np.nan
    np.save(tmp_path / "one.npy", signal)
    lazy = read_recordings({"one": tmp_path / "one.npy"})["one"]

    with pytest.raises(DataError, match=r"one\.npy, row 501, column 'ch1'.*not finite"):
        lazy.signal[:]


def test_a_file_that_became_shorter_is_refused(tmp_path):
    (tmp_path / "one.csv").write_text("a\n" + "1\n" * 300)
    lazy = read_recordings({"one": tmp_path / "one.csv"})["one"]
    (tmp_path / "one.csv").write_text("a\n" + "1\n" * 200)

    with pytest.raises(DataError, match="it holds 200 of 300 samples; restore"):
        lazy.signal[:]


def test_an_offset_that_begins_late_is_refused_when_its_samples_are_needed(tmp_path):
    late = np.random.default_rng(0).normal(size=(1000, 2))
    late[420:, 1] += 1e9
    np.save(tmp_path / "one.npy", late)
    recording = read_recordings({"one": tmp_path / "one.npy"})["one"]

    assert np.array_equal(recording.signal[:350], late[:350].astype(np.float32))
    expected = r"one\.npy: channel 'ch1' leaves its range for 1e\+09, .* keeps 0 steps .*; subtract"
    with pytest.raises(DataError, match=expected):
        recording.signal[350:]


def test_an_offset_behind_a_constant_start_is_seen_at_once(tmp_path):
    late = np.zeros((1000, 1))
    late[420:, 0] = 1e9 + np.random.default_rng(0).normal(size=580)
    np.save(tmp_path / "one.npy", late)

    assert read_recordings({"one": tmp_path / "one.npy"})["one"].precision.offsets()[0] > 9e8
