"""Logarithm, differences, and the way back."""

import numpy as np
import pytest

from seqbench.config.stages import TransformSettings
from seqbench.datasets.base import DataError
from seqbench.windowing.transform import check_length, n_samples_lost, restored, transformed

SETTINGS = [
    {},
    {"log": True},
    {"difference_samples": [1]},
    {"log": True, "difference_samples": [12]},
    {"log": True, "difference_samples": [12, 1]},
    {"difference_samples": [1, 1]},
]


def series(n: int = 60, n_channels: int = 2) -> np.ndarray:
    return np.random.default_rng(0).uniform(1, 9, (n, n_channels)).astype(np.float32)


def test_differences_are_those_by_hand():
    signal = np.array([[1.0], [4.0], [9.0], [16.0]], dtype=np.float32)

    once = transformed(signal, TransformSettings(difference_samples=[1]), "r")
    twice = transformed(signal, TransformSettings(difference_samples=[1, 1]), "r")
    over_two = transformed(signal, TransformSettings(difference_samples=[2]), "r")

    assert once[:, 0].tolist() == [3, 5, 7]
    assert twice[:, 0].tolist() == [2, 2]
    assert over_two[:, 0].tolist() == [8, 12]


@pytest.mark.parametrize("options", SETTINGS)
@pytest.mark.parametrize("horizon", [1, 5, 30])
def test_the_true_future_comes_back_whatever_the_horizon(options, horizon):
    settings, signal = TransformSettings(**options), series()
    origin = 25
    lost = n_samples_lost(settings)
    changed = transformed(signal, settings, "r")

    back = restored(
        changed[None, origin - lost : origin - lost + horizon].astype(np.float64),
        signal[None, origin - lost : origin],
        settings,
    )

    np.testing.assert_allclose(back[0], signal[origin : origin + horizon], rtol=1e-4)


@pytest.mark.parametrize("options", SETTINGS)
def test_what_comes_later_changes_nothing_before(options):
    settings, signal = TransformSettings(**options), series()
    other = signal.copy()
    other[40:] *= 2

    n = 40 - n_samples_lost(settings)
    np.testing.assert_array_equal(
        transformed(signal, settings, "r")[:n], transformed(other, settings, "r")[:n]
    )


def test_no_logarithm_is_taken_of_nothing():
    signal = series()
    signal[7, 1] = 0

    with pytest.raises(DataError, match=r"'gauge' holds 0 in row 7, .* or train without"):
        transformed(signal, TransformSettings(log=True), "gauge")


def test_a_series_shorter_than_its_differences_is_refused():
    with pytest.raises(DataError, match=r"'r' has 10 samples, and .* takes 12 of them"):
        check_length(10, TransformSettings(difference_samples=[12]), "r")
