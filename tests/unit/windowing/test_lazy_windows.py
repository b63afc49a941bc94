"""Windows cut from recordings on disk are those cut from recordings in memory, bit for bit."""

from dataclasses import replace

import numpy as np
import pytest

from fixtures.windows import NAMED, job
from seqbench.storage.lazy_array import LazyArray
from seqbench.storage.recordings import read_recordings, write_recordings
from seqbench.storage.windows import SPLITS, read_windows, write_windows
from seqbench.windowing.leakcheck import LeakError, find_leaks
from seqbench.windowing.windows import make_windows

LENGTHS = [40, 55, 33, 61, 47, 52]
CUT = {"length_samples": 16, "overlap": 0.5}


def in_memory(windows):
    """Windows with all of their arrays in memory."""
    targets = windows.targets and replace(windows.targets, values=windows.targets.values[:])
    return replace(windows, signal=windows.signal[:], targets=targets)


@pytest.fixture
def kinds(recordings):
    """Recordings of every task."""
    series = recordings(["a", "b"] * 3, lengths=LENGTHS)
    events = [(r, r % 2, s, s + 1) for r in range(6) for s in (5, 20)]
    rng = np.random.default_rng(1)
    values = [rng.normal(size=(n, 1)).astype(np.float32) for n in LENGTHS]
    tokens = [np.abs(signal[:, :1] * 9).round() + 65 for signal in series.signals]
    none = np.zeros(0, dtype=np.int64)
    unlabelled = {name: none for name in ("label_recording", "label", "label_start", "label_stop")}
    return {
        "classification": series,
        "tokens": replace(
            series, sample="tokens", signals=tokens, channels=["character"], units=[""]
        ),
        "labelling": replace(series, task="labelling"),
        "regression": replace(
            series, task="regression", targets=values, target_names=["y"], target_units=[""],
            classes=[], **unlabelled,
        ),
        "forecasting": replace(series, task="forecasting", classes=[], **unlabelled),
        "detection": recordings(
            ["a", "b"] * 3, task="detection", lengths=LENGTHS, intervals=events, tolerance_ms=5.0
        ),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("classification", job(**CUT)),
        ("classification", job(normalization="robust", **CUT)),
        ("classification", job(normalization="per_recording", **CUT)),
        ("classification", job(pad_to_samples=70)),
        ("tokens", job(normalization="none", **CUT)),
        ("labelling", job(**CUT)),
        ("regression", job(**CUT)),
        ("regression", job(pad_to_samples=70)),
        (
            "forecasting",
            job(
                {"by": "time", "val": 0.2, "test": 0.2},
                transform={"difference_samples": [1, 3]},
                length_samples=8,
                horizon_samples=2,
            ),
        ),
        ("detection", job(**CUT)),
    ],
)
def test_windows_from_disk_are_those_from_memory(kinds, kind, settings, tmp_path, assert_same):
    made = kinds[kind]
    path = tmp_path / "recordings.h5"
    write_recordings(path, made)
    lazy = read_recordings(path, memory_limit_bytes=0)
    assert all(isinstance(signal, LazyArray) for signal in lazy.signals)

    expected = make_windows(read_recordings(path), settings)
    found = make_windows(lazy, settings)

    assert all(isinstance(found[split].signal, LazyArray) for split in SPLITS)
    for split in SPLITS:
        assert_same(in_memory(found[split]), expected[split])
    leaks = find_leaks(lazy, found, settings)
    assert leaks == find_leaks(made, expected, settings)

    write_windows(tmp_path / "lazy.h5", found, leaks)
    write_windows(tmp_path / "memory.h5", expected, leaks)
    assert (tmp_path / "lazy.h5").read_bytes() == (tmp_path / "memory.h5").read_bytes()
    for split in SPLITS:
        read = read_windows(tmp_path / "lazy.h5", split, memory_limit_bytes=0)
        assert isinstance(read.signal, LazyArray)
        assert_same(in_memory(read), expected[split])


def test_a_foreign_sample_is_found_on_disk(kinds, tmp_path):
    path = tmp_path / "recordings.h5"
    write_recordings(path, kinds["classification"])
    lazy = read_recordings(path, memory_limit_bytes=0)
    made = make_windows(lazy, job(NAMED, **CUT))
    other = made["test"].signal[:].copy()
    other[3] += 1
    made["test"] = replace(
        made["test"], signal=LazyArray(other.shape, lambda start, stop: other[start:stop])
    )

    with pytest.raises(LeakError, match="holds samples of recording"):
        find_leaks(lazy, made, job(NAMED, **CUT))
