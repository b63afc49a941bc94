"""Windows cut from recordings on disk are those cut from recordings in memory, bit for bit."""

import subprocess
import sys
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


BOUNDED = """
import sys
from pathlib import Path
import numpy as np
from seqbench.plan.job_settings import WindowJobSettings
from seqbench.process.memory import PeakMemory
from seqbench.steps.window import run
from seqbench.storage.lazy_array import LazyArray
from seqbench.storage.recordings import Recordings, write_recordings

def samples(start, stop):
    return np.sin(np.arange(start * 6, stop * 6, dtype=np.float32)).reshape(-1, 6)

folder = Path(sys.argv[1])
names = [f"r{i}" for i in range(6)]
made = Recordings.one_label_each(
    list("ababab"), [LazyArray((1_400_000, 6), samples)] * 6, names=names, splits=[""] * 6,
    channels=list("uvwxyz"), units=[""] * 6, sampling_rate_hz=100.0,
)
memory = PeakMemory()
write_recordings(folder / "recordings", made)
ingested = memory.peak_bytes()
settings = WindowJobSettings.from_json(sys.argv[2])
run(folder / "recordings", settings, folder / "windows", "100MB")
print(ingested, memory.peak_bytes())
"""


@pytest.mark.full
def test_recordings_are_written_and_cut_in_less_memory_than_they_take(tmp_path):
    settings = job(NAMED, length_samples=2048)

    done = subprocess.run(
        [sys.executable, "-c", BOUNDED, str(tmp_path), settings.to_json()],
        capture_output=True,
        text=True,
        check=True,
    )

    written, cut = map(int, done.stdout.split())
    assert written < 50e6
    assert cut < 6 * 1_400_000 * 6 * 4  # in memory they take three times as much
