"""Templates, sway and noise are as described."""

import numpy as np
import pytest

from seqbench.datasets.strike_signals import (
    add_strikes,
    coloured_noise,
    noise_lag_one,
    strike_templates,
    sway,
)

GAINS = np.array([0.5, 50.0, 7.0])
RATE_HZ = 2000.0
LEAD = 10


def templates_of(seed: int = 0, *, rate_hz: float = RATE_HZ, lead: int = LEAD, n_types: int = 8):
    return strike_templates(
        np.random.default_rng(seed),
        n_types,
        GAINS,
        lead=lead,
        max_skew_s=0.005,
        sampling_rate_hz=rate_hz,
    )


def test_delays_lie_within_the_skew_and_are_no_whole_samples():
    delays_s = np.concatenate([templates_of(seed)[1] for seed in range(20)])

    assert np.abs(delays_s).max() <= 0.005
    assert delays_s.min() < -0.004 < 0.004 < delays_s.max()
    assert len(np.unique(np.rint(delays_s * RATE_HZ) - delays_s * RATE_HZ)) == delays_s.size


def test_each_channel_sets_in_at_its_delay_and_is_over_40_ms_later():
    templates, delays_s = templates_of()

    since_s = (np.arange(100) - LEAD) / RATE_HZ - delays_s[..., None]
    is_heard = (since_s >= 0) & (since_s < 0.04)
    assert (templates[~is_heard] == 0).all()
    first = np.argmax(templates != 0, axis=2)
    np.testing.assert_array_equal(first, np.argmax(since_s >= 0, axis=2))
    ends = np.abs(templates) * (since_s > 0.039)
    assert (ends.max(axis=2) < 0.01 * np.abs(templates).max(axis=2)).all()


def test_every_type_has_the_gain_as_peak_on_its_loudest_channel():
    templates, _ = templates_of()

    loudness = np.abs(templates).max(axis=2) / GAINS
    np.testing.assert_allclose(loudness.max(axis=1), 1, rtol=1e-6)
    assert loudness.min() >= 0.3
    assert len(np.unique(loudness)) > 8


def test_delays_finer_than_a_sample_are_those_of_the_same_strike_sampled_finer():
    coarse, delays_s = templates_of()
    fine, the_same = templates_of(rate_hz=10 * RATE_HZ, lead=10 * LEAD)

    np.testing.assert_array_equal(delays_s, the_same)
    thinned = fine[..., ::10]
    scale = np.linalg.norm(coarse, axis=2, keepdims=True) / np.linalg.norm(
        thinned, axis=2, keepdims=True
    )
    np.testing.assert_allclose(thinned * scale, coarse, atol=1e-4 * GAINS.max())


def test_types_differ_at_any_shift():
    templates, _ = templates_of()

    white = templates / GAINS[:, None]
    white /= np.linalg.norm(white, axis=(1, 2), keepdims=True)
    for i, one in enumerate(white):
        for other in white[i + 1 :]:
            alike = sum(np.correlate(one[c], other[c], mode="full") for c in range(3))
            assert np.abs(alike).max() < 0.8


def test_strikes_add_up_where_they_overlap():
    templates = np.array([[[1, 2, 3], [0, 0, 1]], [[10, 20, 30], [0, 5, 0]]], dtype=np.float32)
    signal = np.ones((6, 2), dtype=np.float32)

    add_strikes(
        signal,
        templates,
        np.array([0, 1, 3]),
        np.array([0, 0, 1]),
        np.array([1.0, 2.0, 0.5]),
    )

    assert signal[:, 0].tolist() == [1 + 1, 1 + 2 + 2, 1 + 3 + 4, 1 + 6 + 5, 1 + 10, 1 + 15]
    assert signal[:, 1].tolist() == [1, 1, 1 + 1, 1 + 2, 1 + 2.5, 1]


def test_sway_has_a_root_mean_square_of_one():
    slow = [sway(np.random.default_rng(seed), 50 * 400, 50.0) for seed in range(10)]

    assert np.sqrt(np.mean(np.square(slow))) == pytest.approx(1, rel=0.05)
    assert not np.array_equal(slow[0], slow[1])


@pytest.mark.parametrize("rate_hz", [1600.0, 2000.0, 10000.0])
def test_noise_is_a_first_order_autoregression_of_one_millisecond(rate_hz):
    noise = coloured_noise(np.random.default_rng(0), 200_000, rate_hz)

    lag_one = np.exp(-1000 / rate_hz)
    assert noise_lag_one(rate_hz) == pytest.approx(lag_one)
    assert noise.std() == pytest.approx(1, rel=0.03)
    new = noise[1:] - lag_one * noise[:-1]
    assert new.var() == pytest.approx(1 - lag_one**2, rel=0.03)
    for lag in (1, 2, 5):  # standard error 0.0022
        assert abs(np.corrcoef(new[lag:], new[:-lag])[0, 1]) < 0.01


def test_noise_has_its_variance_from_the_first_sample_on():
    generator = np.random.default_rng(0)
    first = [coloured_noise(generator, 1, RATE_HZ)[0] for _ in range(4000)]

    assert np.var(first) == pytest.approx(1, rel=0.1)
