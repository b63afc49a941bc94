"""Centre and scale of each channel, by hand."""

import numpy as np
import pytest

from seqbench.windowing import normalize as normalize_module
from seqbench.windowing.normalize import fit_normalization, normalize, standardize

# Channel means 3 and 10; mean squared deviations (4 + 4 + 0 + 0) / 4 = 2 and 25.
TRAIN = np.array([[1, 5], [5, 15], [3, 5], [3, 15]], dtype=np.float32)


def test_zscore_has_the_mean_and_the_deviation_of_each_channel():
    fitted = fit_normalization(TRAIN, "zscore")

    assert fitted.mode == "zscore"
    np.testing.assert_allclose(fitted.centre, [3, 10])
    np.testing.assert_allclose(fitted.scale, [np.sqrt(2), 5])
    assert fitted.centre.dtype == fitted.scale.dtype == np.float64


def test_robust_has_the_median_and_the_scaled_quartile_range():
    train = np.array([[0], [1], [2], [3], [1000]], dtype=np.float32)  # quartiles 1, 2 and 3

    fitted = fit_normalization(train, "robust")

    np.testing.assert_allclose(fitted.centre, [2])
    # The quartiles of a normal distribution lie at -0.67448975 and 0.67448975.
    np.testing.assert_allclose(fitted.scale, [(3 - 1) / (2 * 0.67448975)])


@pytest.mark.parametrize("mode", ["per_window", "none"])
def test_other_modes_fit_nothing(mode):
    fitted = fit_normalization(TRAIN, mode)

    assert fitted.mode == mode
    assert fitted.centre.tolist() == [0, 0]
    assert fitted.scale.tolist() == [1, 1]
    np.testing.assert_array_equal(normalize(TRAIN, fitted), TRAIN)


@pytest.mark.parametrize("mode", ["zscore", "robust"])
@pytest.mark.parametrize("value", [0.0, 0.1, -1e6, 3e-12])
def test_a_constant_channel_is_centred_and_left_unscaled(mode, value):
    train = np.full((1000, 1), value, dtype=np.float32)

    fitted = fit_normalization(train, mode)

    assert fitted.scale.tolist() == [1]
    np.testing.assert_allclose(normalize(train, fitted), 0, atol=1e-6)


def test_a_quiet_channel_is_not_taken_for_a_constant_one():
    train = np.array([[1e-9], [-1e-9]], dtype=np.float32)  # volts where others have millivolts

    np.testing.assert_allclose(normalize(train, fit_normalization(train, "zscore")), [[1], [-1]])


def test_normalising_leaves_the_signal_as_it_was():
    before = TRAIN.copy()

    normalize(TRAIN, fit_normalization(TRAIN, "zscore"))
    standardize(TRAIN)

    np.testing.assert_array_equal(TRAIN, before)


def test_a_window_is_standardised_by_its_own_mean_and_deviation():
    expected = [[-np.sqrt(2), -1], [np.sqrt(2), 1], [0, -1], [0, 1]]

    np.testing.assert_allclose(standardize(TRAIN), expected, rtol=1e-6)
    assert standardize(TRAIN).dtype == np.float32


@pytest.mark.parametrize("value", [0.0, 0.1, 1234.567, -3e5])
def test_a_constant_channel_of_a_window_becomes_zero(value):
    # Not the rounding of its mean, blown up to unit size.
    window = np.full((700, 2), value, dtype=np.float32)
    window[:, 1] = np.arange(700)

    np.testing.assert_allclose(standardize(window)[:, 0], 0, atol=1e-5)


@pytest.mark.parametrize("mode", ["zscore", "robust"])
def test_all_pixels_of_a_plane_share_one_centre_and_scale(mode):
    pixels = np.random.default_rng(0).normal(size=(60, 2)).astype(np.float32) * [1, 30] + [5, 0]
    frames = pixels.reshape(5, 3, 4, 2).transpose(0, 3, 1, 2).astype(np.float32)

    fitted = fit_normalization(frames, mode)

    flat = fit_normalization(pixels.astype(np.float32), mode)
    np.testing.assert_allclose(fitted.centre, flat.centre)
    np.testing.assert_allclose(fitted.scale, flat.scale)
    normal = normalize(pixels.astype(np.float32), flat)
    np.testing.assert_allclose(
        normalize(frames, fitted), normal.reshape(5, 3, 4, 2).transpose(0, 3, 1, 2), rtol=1e-6
    )


@pytest.mark.parametrize("mode", ["zscore", "robust"])
@pytest.mark.parametrize("shape", [(1000, 3), (100, 2, 4, 3)])
def test_statistics_of_blocks_are_those_of_the_whole(monkeypatch, mode, shape):
    values = np.random.default_rng(0).normal(1e3, 5, size=shape).astype(np.float32)
    values[:50] *= -1
    values[3, 1] = 0.0
    whole = fit_normalization(values, mode)

    monkeypatch.setattr(normalize_module, "WHOLE_BYTES", 100)
    monkeypatch.setattr(normalize_module, "blocks", lambda rows: np.array_split(rows, 7))
    merged = fit_normalization(values, mode)

    exact = mode == "robust"  # which counts, and rounds nothing
    np.testing.assert_allclose(merged.centre, whole.centre, rtol=0 if exact else 1e-12)
    np.testing.assert_allclose(merged.scale, whole.scale, rtol=0 if exact else 1e-6)


def test_what_is_unknown_is_left_out_of_every_block(monkeypatch):
    values = np.array([[np.nan, 1], [2, 3], [4, np.nan], [np.nan, np.nan]] * 5, dtype=np.float32)
    monkeypatch.setattr(normalize_module, "WHOLE_BYTES", 8)
    monkeypatch.setattr(normalize_module, "blocks", lambda rows: np.array_split(rows, 20))

    merged = fit_normalization(values, "zscore")

    np.testing.assert_allclose(merged.centre, [3, 2])
    np.testing.assert_allclose(merged.scale, [1, 1])
