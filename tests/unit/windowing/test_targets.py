"""Windows whose samples, or those behind them, have targets: nothing of test reaches train."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fixtures.windows import job
from seqbench.datasets.base import DataError
from seqbench.storage.recordings import Recordings
from seqbench.storage.windows import Split, WindowSet, read_windows, write_windows
from seqbench.windowing.windows import make_windows

N = 100
BY_TIME = {"by": "time", "val": 0.2, "test": 0.2}


def a_series(n: int = N, seed: int = 0) -> Recordings:
    values = np.random.default_rng(seed).uniform(1, 9, (n, 2)).astype(np.float32)
    return Recordings.without_classes(
        [values],
        task="forecasting",
        names=["gauge"],
        splits=[""],
        channels=["level", "flow"],
        units=["m", "l/s"],
    )


def forecast(
    recordings: Recordings, transform: dict[str, Any] | None = None, **window: Any
) -> dict[Split, WindowSet]:
    return make_windows(
        recordings,
        job(BY_TIME, "zscore", transform, **{"length_samples": 8} | window),
    )


def horizons(windows: WindowSet) -> np.ndarray:
    """Return the values of every horizon, (N, H, 2)."""
    origin = windows.start + windows.length
    return windows.targets.values[origin[:, None] + np.arange(windows.targets.horizon_samples)]


@pytest.mark.parametrize("horizon", [1, 5])
def test_every_split_has_horizons_of_its_own_samples_and_looks_back_where_it_may(horizon):
    made = a_series()
    values = made.signals[0]

    splits = forecast(made, horizon_samples=horizon)

    for split, (first, end) in {"train": (8, 60), "val": (60, 80), "test": (80, 100)}.items():
        expected = horizons(splits[split])
        assert len(expected) == end - first - horizon + 1
        for i, rows in enumerate(expected):
            np.testing.assert_array_equal(rows, values[first + i : first + i + horizon])
        past = splits[split].window(0) * splits[split].normalization.scale
        past = past + splits[split].normalization.centre
        np.testing.assert_allclose(past, values[first - 8 : first], rtol=1e-4)


@pytest.mark.parametrize("transform", [{}, {"log": True, "difference_samples": [6]}])
def test_what_test_holds_changes_nothing_of_train_and_val(transform):
    made = a_series()
    other = replace(made, signals=[made.signals[0].copy()])
    other.signals[0][80:] *= 100

    first, second = (forecast(one, transform, horizon_samples=3) for one in (made, other))

    for split in ("train", "val"):
        np.testing.assert_array_equal(first[split].signal, second[split].signal)
        np.testing.assert_array_equal(first[split].targets.values, second[split].targets.values)
        np.testing.assert_array_equal(first[split].start, second[split].start)
    np.testing.assert_array_equal(
        first["test"].normalization.scale, second["test"].normalization.scale
    )
    assert not np.array_equal(first["test"].signal, second["test"].signal)


def test_a_normalised_signal_stands_beside_the_values_it_came_from():
    made = a_series()

    train = forecast(made, {"difference_samples": [6]})["train"]

    changed = made.signals[0][6:] - made.signals[0][:-6]
    np.testing.assert_allclose(
        train.signal * train.normalization.scale + train.normalization.centre,
        changed[: len(train.signal)],
        atol=1e-5,
    )
    np.testing.assert_array_equal(train.targets.values, made.signals[0][6 : 6 + len(train.signal)])


def test_windows_step_by_one_sample_by_default():
    assert len(forecast(a_series())["train"]) == 52
    assert len(forecast(a_series(), step_samples=8)["train"]) == 7
    assert len(forecast(a_series(), overlap=0.5)["train"]) == 13


def test_a_split_too_short_for_its_horizon_is_refused():
    with pytest.raises(DataError, match="val has no window with a horizon behind it"):
        forecast(a_series(), horizon_samples=21)


def regression(scale: float = 1.0) -> dict[Split, WindowSet]:
    generator = np.random.default_rng(1)
    signals = [generator.normal(size=(10 + i, 1)).astype(np.float32) for i in range(5)]
    targets = [3 + 2 * signal for signal in signals]
    targets[0][4:6] = np.nan
    targets[4] = targets[4] * scale
    made = Recordings.without_classes(
        signals,
        task="regression",
        targets=targets,
        target_names=["force"],
        target_units=["N"],
        names=[f"r{i}" for i in range(5)],
        splits=["train", "train", "train", "val", "test"],
        channels=["x"],
        units=["V"],
    )
    return make_windows(made, job({}))


def test_values_are_normalised_by_those_of_train():
    splits = regression()
    known = np.concatenate([splits["train"].targets.values])
    known = known[np.isfinite(known)]

    assert splits["test"].targets.normalization.centre[0] == pytest.approx(known.mean(), rel=1e-6)
    assert splits["test"].targets.normalization.scale[0] == pytest.approx(known.std(), rel=1e-6)
    other = regression(scale=100.0)
    for split in ("train", "val"):
        np.testing.assert_array_equal(
            other[split].targets.values, splits[split].targets.values, err_msg=split
        )
    assert other["test"].targets.normalization.scale == splits["test"].targets.normalization.scale


def test_targets_survive_their_file(tmp_path):
    splits = forecast(a_series(), {"log": True, "difference_samples": [6]}, horizon_samples=4)
    write_windows(tmp_path / "windows.h5", splits)

    for split, written in splits.items():
        targets = read_windows(tmp_path / "windows.h5", split).targets
        np.testing.assert_array_equal(targets.values, written.targets.values)
        assert targets.transform == written.targets.transform
        assert targets.record() == written.targets.record()


def test_pretraining_sees_no_target(tmp_path):
    write_windows(tmp_path / "windows.h5", regression())

    assert read_windows(tmp_path / "windows.h5", "train", labels=False).targets is None


def test_every_sample_has_the_class_of_the_label_that_covers_it(recordings):
    made = recordings(
        ["a", "b", "a"],
        task="labelling",
        lengths=6,
        splits=["train", "val", "test"],
        intervals=[(0, 0, 0, 2), (0, 1, 3, 6), (1, 1, 0, 6), (2, 0, 0, 6)],
    )

    train = make_windows(made, job({}, "none"))["train"]

    np.testing.assert_array_equal(train.targets.values[:, 0], [0, 0, np.nan, 1, 1, 1])


def test_recordings_put_aside_have_no_target(recordings):
    made = recordings(
        ["a", "b"] * 3,
        task="labelling",
        splits=["train", "train", "train", "train", "val", "test"],
    )

    train = make_windows(made, job({"unlabelled": ["r3"]}, "none"))["train"]

    assert train.label.tolist() == [0, 0, 0, -1]
    assert np.isnan(train.targets.values[30:]).all()
    assert np.isfinite(train.targets.values[:30]).all()
