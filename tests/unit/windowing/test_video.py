"""Videos to be continued: what follows, in which units, and that nothing of test leaks."""

from dataclasses import replace

import h5py
import numpy as np
import pytest
import torch

from fixtures.windows import job
from seqbench.storage.recordings import Recordings
from seqbench.storage.windows import read_windows, write_windows
from seqbench.training.batches import WindowTable
from seqbench.windowing.windows import make_windows

N_FRAMES = 9
BY_TIME = {"by": "time", "val": 0.25, "test": 0.25}


@pytest.fixture
def videos():
    """Six videos of two planes with an official split, two of each split."""
    generator = np.random.default_rng(0)
    scale = np.array([1.0, 50.0])[:, None, None]
    return Recordings.without_classes(
        [(scale * generator.random((N_FRAMES, 2, 3, 4))).astype(np.float32) for _ in range(6)],
        task="forecasting",
        sample="video",
        names=[f"v{i}" for i in range(6)],
        splits=["train", "train", "val", "val", "test", "test"],
        channels=["left", "right"],
        units=["", "dBZ"],
    )


FORECAST = job({}, length_samples=3, horizon_samples=4)


def test_an_official_split_is_kept_and_windows_lie_inside_recordings(videos):
    splits = make_windows(videos, FORECAST)

    for split, own in (("train", [0, 1]), ("val", [2, 3]), ("test", [4, 5])):
        # Seven of nine frames are a window and its horizon, so it begins at 0, 1 or 2.
        assert splits[split].recording.tolist() == np.repeat(own, 3).tolist()
        assert splits[split].start.tolist() == [0, 1, 2, 9, 10, 11]


def test_targets_are_what_follows_in_the_units_of_the_data(videos):
    test = make_windows(videos, FORECAST)["test"]

    targets = test.required_targets.values[test.rows_around_end(0, 4)]

    assert targets.shape == (6, 4, 2, 3, 4)
    np.testing.assert_array_equal(targets[4], videos.signals[5][1 + 3 : 1 + 7])


def test_targets_of_batches_are_the_normalised_frames_behind_the_window(videos):
    train = make_windows(videos, FORECAST)["train"]

    batch = WindowTable(train, torch.device("cpu")).batch(torch.tensor([5, 0]))

    assert batch.x.shape == (2, 3, 2, 3, 4)
    assert batch.target.shape == (2, 4, 2, 3, 4)
    raw = videos.signals[1][2:9]
    planes = (train.normalization.centre[:, None, None], train.normalization.scale[:, None, None])
    both = torch.cat([batch.x[0], batch.target[0]]).double().numpy() * planes[1] + planes[0]
    np.testing.assert_allclose(both, raw, rtol=1e-5, atol=1e-5)


def test_frames_stand_in_the_file_once_and_come_back_in_their_units(videos, tmp_path):
    splits = make_windows(videos, FORECAST)
    path = tmp_path / "windows.h5"

    write_windows(path, splits)

    with h5py.File(path) as file:
        assert "values" not in file["targets"]
    for split, windows in splits.items():
        read = read_windows(path, split)
        np.testing.assert_array_equal(read.signal, windows.signal)
        np.testing.assert_allclose(
            read.required_targets.values, windows.required_targets.values, rtol=1e-5, atol=1e-5
        )
        assert read.required_targets.values.dtype == np.float32
        assert read.required_targets.units == ["", "dBZ"]
    assert read_windows(path, "train", labels=False).targets is None


@pytest.mark.parametrize("part", ["train", "val", "test"])
def test_no_split_has_targets_of_another(videos, part):
    """Cut in time, a split may look back over the cut; its targets lie in itself."""
    made = replace(videos, splits=[""] * 6)
    values = [np.zeros_like(s) + np.arange(N_FRAMES)[:, None, None, None] for s in made.signals]
    made = replace(made, signals=[v.astype(np.float32) for v in values])
    windows = make_windows(made, job(BY_TIME, length_samples=2, horizon_samples=1))[part]

    targets = windows.required_targets.values[windows.rows_around_end(0, 1)][:, 0, 0, 0, 0]

    assert set(targets.tolist()) == {"train": {2, 3, 4}, "val": {5, 6}, "test": {7, 8}}[part]
