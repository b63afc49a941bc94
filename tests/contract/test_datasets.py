"""What every registered source of recordings promises."""

from pathlib import Path

import numpy as np
import pytest

from seqbench.config import SplitSettings, WindowSettings
from seqbench.jobs import WindowJob
from seqbench.registry import DATASETS, TASKS
from seqbench.storage.recordings import Recordings, read_recordings, write_recordings
from seqbench.windowing.windows import make_windows

# Small legal options of each name, none of which needs the network; a name without an entry fails.
TINY = {
    "folder": {"path": "my_recordings"},
    "ucr": {"problem": "ItalyPowerDemand"},
    "uea": {"problem": "BasicMotions"},
    "waves": {"n_windows": 40, "window_samples": 30, "min_samples": 20},
}
COLUMNS = ("label_recording", "label", "label_start", "label_stop")
TEXTS = ("names", "groups", "splits", "channels", "units", "classes")


def make_folder(root: Path) -> None:
    """Make ten recordings of two classes in two channels, and one without a label."""
    generator = np.random.default_rng(0)
    (root / "recordings").mkdir(parents=True)
    rows = ["recording,label"]
    for i in range(11):
        np.save(root / f"recordings/r{i}.npy", generator.normal(size=(25 + i, 2)))
        if i < 10:
            rows.append(f"r{i},{'walk' if i % 2 else 'run'}")
    (root / "labels.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


@pytest.fixture(params=list(DATASETS))
def name(request):
    return request.param


@pytest.fixture
def load(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_folder(tmp_path / "my_recordings")
    return lambda: DATASETS[name](tmp_path / "cache", **TINY[name])


def assert_same(first: Recordings, second: Recordings) -> None:
    assert (first.task, first.sample, first.sampling_rate_hz) == (
        second.task,
        second.sample,
        second.sampling_rate_hz,
    )
    assert first.source == second.source
    for field in TEXTS:
        assert getattr(first, field) == getattr(second, field), field
    for field in COLUMNS:
        np.testing.assert_array_equal(getattr(first, field), getattr(second, field), field)
    for one, other in zip(first.signals, second.signals, strict=True):
        np.testing.assert_array_equal(one, other)


def test_options_are_the_keyword_only_parameters(name, assert_options_are_the_signature):
    assert_options_are_the_signature(DATASETS, name)


def test_recordings_are_finite_float32_with_names_for_everything(load):
    recordings = load()

    for signal in recordings.signals:
        assert signal.dtype == np.float32
        assert signal.ndim == 2
        assert len(signal) > 0
        assert np.isfinite(signal).all()
    assert len(recordings.units) == len(recordings.channels)
    assert len(set(recordings.channels)) == len(recordings.channels)
    assert set(recordings.splits) <= {"", "train", "val", "test"}
    assert recordings.source["origin"]


def test_labels_lie_inside_their_recordings_and_every_class_occurs(load):
    recordings = load()

    assert len(set(recordings.classes)) == len(recordings.classes) >= 2
    assert set(recordings.label.tolist()) == set(range(len(recordings.classes)))
    assert (recordings.label_start >= 0).all()
    assert (recordings.label_start < recordings.label_stop).all()
    assert (recordings.label_stop <= recordings.lengths[recordings.label_recording]).all()


def test_task_and_sample_are_those_it_is_registered_with(load, name):
    recordings = load()

    assert recordings.task in TASKS
    assert recordings.task == DATASETS.entry(name).tags["task"]
    assert recordings.sample == DATASETS.entry(name).tags["sample"]


def test_recordings_survive_a_file(load, tmp_path):
    recordings = load()
    write_recordings(tmp_path / "recordings.h5", recordings)

    assert_same(read_recordings(tmp_path / "recordings.h5"), recordings)


def test_loading_twice_gives_the_same_recordings(load):
    assert_same(load(), load())


def test_windows_can_be_made_of_it(load):
    recordings = load()
    job = WindowJob(split=SplitSettings(), window=WindowSettings(), normalization="zscore")

    splits = make_windows(recordings, job)

    total = sum(int((windows.label >= 0).sum()) for windows in splits.values())
    assert total == len(recordings.label)
    assert np.abs(splits["train"].signal.mean(axis=0)).max() < 1e-4
