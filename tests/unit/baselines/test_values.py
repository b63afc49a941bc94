"""Baselines whose right predictions are known."""

from dataclasses import replace

import numpy as np
import pytest

from fixtures.windows import job
from seqbench.config.registry import BASELINES
from seqbench.datasets.base import DataError
from seqbench.storage.recordings import Recordings
from seqbench.windowing.windows import make_windows


def forecast_windows(values: np.ndarray, **window):
    made = Recordings.without_classes(
        [values.astype(np.float32)],
        task="forecasting",
        names=["gauge"],
        splits=[""],
        channels=[f"c{i}" for i in range(values.shape[1])],
        units=[""] * values.shape[1],
        sample="video" if values.ndim == 4 else "series",
    )
    by_time = {"by": "time", "val": 0.2, "test": 0.2}
    transform = {"difference_samples": [2] if values.ndim == 2 else []}
    splits = make_windows(made, job(by_time, "zscore", transform, length_samples=14, **window))
    return [splits["train"], splits["val"]], splits["test"]


def targets(windows) -> np.ndarray:
    origin = windows.start + windows.length
    return windows.targets.values[origin[:, None] + np.arange(windows.targets.horizon_samples)]


@pytest.mark.parametrize("shape", [(1,), (2, 2, 3)], ids=["series", "video"])
def test_persistence_predicts_the_last_value_or_frame_in_the_units_of_the_data(shape):
    frames = np.add.outer(np.arange(100.0), np.arange(np.prod(shape)).reshape(shape))
    splits, test = forecast_windows(frames, horizon_samples=3)
    baseline = BASELINES["persistence"]()

    predicted = baseline.predict(baseline.fit(splits, 0), test)

    assert predicted.shape == (len(test), 3, *shape)
    for step in range(3):
        np.testing.assert_allclose(targets(test)[:, step] - predicted[:, step], step + 1.0)


def test_the_mean_frame_is_that_of_what_train_and_val_ask():
    frames = np.random.default_rng(0).random((50, 2, 2, 3))
    splits, test = forecast_windows(frames, horizon_samples=4)
    baseline = BASELINES["mean_frame"]()

    predicted = baseline.predict(baseline.fit(splits, 0), test)

    expected = np.concatenate([targets(split) for split in splits]).mean(axis=(0, 1))
    assert predicted.shape == (len(test), 4, 2, 2, 3)
    np.testing.assert_allclose(predicted[0, 0], expected, rtol=1e-6)
    assert (predicted == predicted[0, 0]).all()


def test_a_season_is_repeated_as_often_as_it_takes():
    season = np.array([5.0, 1.0, 3.0])
    splits, test = forecast_windows(np.resize(season, 100)[:, None], horizon_samples=7)
    baseline = BASELINES["seasonal_naive"](season_samples=3)

    np.testing.assert_array_equal(baseline.predict(baseline.fit(splits, 0), test), targets(test))


def test_an_autoregression_finds_the_series_that_is_one():
    logs = np.empty((120, 2))
    logs[:12] = np.random.default_rng(0).normal(0, 0.3, (12, 2))
    for t in range(12, 120):
        logs[t] = 0.1 + 0.5 * logs[t - 1] + 0.45 * logs[t - 12]
    splits, test = forecast_windows(np.exp(logs), horizon_samples=9)
    baseline = BASELINES["log_ar"](lags=(1, 12))

    arrays = baseline.fit(splits, 0)

    np.testing.assert_allclose(arrays["coefficients"].T, [[0.5, 0.45, 0.1]] * 2, atol=1e-3)
    np.testing.assert_allclose(baseline.predict(arrays, test), targets(test), rtol=1e-4)


def test_an_autoregression_learns_from_every_sample_of_every_horizon_once():
    values = np.random.default_rng(0).normal(size=100).cumsum()[:, None]
    splits, _ = forecast_windows(values, horizon_samples=6, step_samples=4)

    arrays = BASELINES["log_ar"](lags=(1, 3)).fit(splits, 0)

    pairs = [
        (series[row - 1], series[row - 3], series[row])
        for split in splits
        for series in [split.targets.values[:, 0].astype(np.float64)]
        for row in sorted({end + h for end in split.start + split.length for h in range(6)})
    ]
    before = np.array([(one, three, 1.0) for one, three, _ in pairs])
    expected = np.linalg.lstsq(before, np.array([now for *_, now in pairs]), rcond=None)[0]
    assert len(pairs) > 2 * sum(map(len, splits))  # not the first sample of each window alone
    np.testing.assert_allclose(arrays["coefficients"][:, 0], expected, rtol=1e-9)


def test_a_direct_autoregression_has_coefficients_of_each_step():
    # Both channels repeat, after seven samples and after five.
    values = np.array([[t % 7, (t * t) % 5] for t in range(150)], dtype=float)
    splits, test = forecast_windows(values, horizon_samples=9)
    every_step = BASELINES["log_ar"](lags=tuple(range(1, 8)), direct=True)

    arrays = every_step.fit(splits, 0)

    assert arrays["coefficients"].shape == (8, 2, 9)
    np.testing.assert_allclose(every_step.predict(arrays, test), targets(test), atol=1e-6)

    one_lag = BASELINES["log_ar"](lags=(1,), direct=True)
    coefficients = one_lag.fit(splits, 0)["coefficients"]
    known = [(split.targets.values[:, 0], split.start + split.length) for split in splits]
    last = np.concatenate([series[ends - 1] for series, ends in known]).astype(np.float64)
    third = np.concatenate([series[ends + 2] for series, ends in known]).astype(np.float64)
    slope, constant = np.polyfit(last, third, 1)
    np.testing.assert_allclose(coefficients[:, 0, 2], [slope, constant], rtol=1e-9)


def test_as_many_coefficients_of_each_step_as_windows_are_refused():
    splits, _ = forecast_windows(np.arange(70.0)[:, None] % 7, horizon_samples=9, step_samples=3)
    n_windows = sum(map(len, splits))
    lags = tuple(range(1, n_windows))

    with pytest.raises(DataError, match=rf"{n_windows} windows do not determine {n_windows} coef"):
        BASELINES["log_ar"](lags=lags, direct=True).fit(splits, 0)


def test_an_autoregression_of_what_is_not_above_0_takes_no_logarithm():
    values = np.sin(np.arange(100) * 0.3)[:, None]
    splits, test = forecast_windows(values, horizon_samples=5)
    baseline = BASELINES["log_ar"](lags=(1, 2))

    arrays = baseline.fit(splits, 0)

    assert not arrays["is_log"]
    np.testing.assert_allclose(baseline.predict(arrays, test), targets(test), atol=1e-3)


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        (
            "seasonal_naive",
            {"season_samples": 15},
            "season_samples`: 15 samples back .* windows of 14",
        ),
        ("log_ar", {"lags": (1, 20)}, "log_ar.lags`: 20 samples back .* windows of 14"),
    ],
)
def test_what_windows_do_not_reach_is_refused(name, options, sentence):
    splits, _ = forecast_windows(np.arange(100.0)[:, None])

    with pytest.raises(DataError, match=sentence):
        BASELINES[name](**options).fit(splits, 0)


def test_majority_predicts_the_frequencies_of_train_and_val(make_windows):
    splits = make_windows(n_classes=2, n_windows=4)
    train = replace(splits["train"], label=np.array([0, 0, 0, -1]))
    val = replace(splits["val"], label=np.array([1, 0, -1, -1]))
    majority = BASELINES["majority"]()

    scores = majority.predict(majority.fit([train, val], seed=0), splits["test"])

    np.testing.assert_allclose(scores, [[0.8, 0.2]] * 4)
