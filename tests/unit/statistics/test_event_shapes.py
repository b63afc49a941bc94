"""Least errors in time and likeness of shapes, against formulas and a simulation."""

import numpy as np
import pytest

from seqbench.statistics.event_shapes import (
    MEAN_OF_NORMAL,
    similarity,
    snr_db,
    timing_bound_samples,
)

N = 256


def wavelet(centre, *, amplitude=1.0, period=16.0, width=12.0):
    """A wave under a bell, (N,), that may lie between samples."""
    since = np.arange(N) - centre
    return amplitude * np.cos(2 * np.pi * since / period) * np.exp(-0.5 * (since / width) ** 2)


def estimates(observed, template):
    """Return the likeliest delay of each of (n, C, N) in samples, between samples too."""
    frequency = np.fft.rfftfreq(N)
    products = (np.fft.rfft(observed) * np.fft.rfft(template).conj()).sum(axis=1)  # (n, F)
    grid = np.arange(-3, 3, 0.05)
    turns = np.exp(2j * np.pi * np.outer(frequency, grid))
    twice = np.where((frequency > 0) & (frequency < 0.5), 2.0, 1.0)
    likelihood = ((products * twice) @ turns).real
    best = np.clip(likelihood.argmax(axis=1), 1, len(grid) - 2)
    before, at, after = (likelihood[np.arange(len(best)), best + step] for step in (-1, 0, 1))
    return grid[best] + 0.05 * 0.5 * (before - after) / (before - 2 * at + after)


def test_a_matched_filter_comes_within_15_percent_of_the_bound_at_a_high_ratio():
    generator = np.random.default_rng(0)
    shape = np.stack([wavelet(N / 2, amplitude=2.0), wavelet(N / 2 + 3.3, period=9.0)])
    delays = generator.uniform(-0.5, 0.5, 3000)
    moved = np.stack([
        np.stack([wavelet(N / 2 + d, amplitude=2.0), wavelet(N / 2 + 3.3 + d, period=9.0)])
        for d in delays
    ])  # fmt: skip
    errors = estimates(moved + generator.standard_normal(moved.shape), shape) - delays

    bound = timing_bound_samples(shape[None]).item()

    assert 14 < snr_db(shape[None]).item() < 22
    assert errors.std() == pytest.approx(bound, rel=0.15)
    assert errors.std() > 0.95 * bound  # no estimate is better, chance aside
    assert np.abs(errors).mean() == pytest.approx(MEAN_OF_NORMAL * bound, rel=0.15)


def test_the_bound_is_that_of_the_integral_of_the_squared_derivative():
    since = np.arange(N) - N / 2
    slope = -since / 12.0**2 * np.exp(-0.5 * (since / 12.0) ** 2)  # of a bell, by hand

    bound = timing_bound_samples(wavelet(N / 2, period=np.inf)[None, None])

    assert bound == pytest.approx(1 / np.sqrt((slope**2).sum()), rel=1e-6)


def test_twice_the_amplitude_halves_the_bound_and_adds_six_decibels():
    shapes = np.stack([wavelet(100.0), wavelet(100.0, amplitude=2.0)])[:, None]

    first, second = timing_bound_samples(shapes)

    assert second == pytest.approx(first / 2)
    assert np.diff(snr_db(shapes)) == pytest.approx(20 * np.log10(2))


def test_a_type_without_a_shape_has_no_ratio_and_no_bound():
    shapes = np.zeros((1, 2, 8))

    assert snr_db(shapes).tolist() == [-np.inf]
    assert timing_bound_samples(shapes).tolist() == [np.inf]
    assert similarity(shapes, 3).tolist() == [[0.0]]


def test_likeness_is_the_greatest_within_the_reach():
    shapes = np.stack([wavelet(100.0), wavelet(104.0, amplitude=3.0), -wavelet(100.0)])[:, None]

    within, short = similarity(shapes, 4), similarity(shapes, 0)

    assert np.diag(within) == pytest.approx(np.ones(3))
    assert within[0, 1] == pytest.approx(1.0, abs=1e-6)
    assert within == pytest.approx(within.T)
    assert short[0, 1] < 0.3
    assert short[0, 2] == pytest.approx(-1.0)
