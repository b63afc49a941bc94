from dataclasses import replace

import numpy as np
import pytest

from seqbench.baselines.matched_filter import joined
from seqbench.baselines.matched_filter.detector import (
    FittedEvent,
    TemplateDetector,
    commonest_shapes,
    scores,
)
from seqbench.baselines.matched_filter.interpolation import (
    GRID,
    REACH,
    STEPS,
    doubled,
    finer,
    shifted,
    summits,
)
from seqbench.baselines.matched_filter.joined import JoinedSignal
from seqbench.baselines.matched_filter.pursuit import Pursuit, candidates
from seqbench.baselines.matched_filter.whitening import Whitener, fit_whitener

PLAIN = Whitener(np.ones((2, 1)), np.eye(2))


def pulse(n_samples, frequency, width=8.0):
    """Return a wave of a frequency in cycles per sample under a bell, (n_samples,)."""
    t = np.arange(n_samples) - n_samples / 2
    return np.cos(2 * np.pi * frequency * t) * np.exp(-0.5 * (t / width) ** 2)


@pytest.fixture
def detector():
    """A detector of two types in two channels of white noise."""

    def make(templates=None, **changes):
        if templates is None:
            one = np.stack([pulse(64, 0.1), pulse(64, 0.15)])
            two = np.stack([pulse(64, 0.12), -pulse(64, 0.2)])
            templates = 4 * np.stack([one, two])
        values = {
            "whitener": PLAIN,
            "templates": templates,
            "parent": np.arange(len(templates)),
            "onset": 32.0,
            "bias": np.zeros(2),
            "rate": np.full(2, 1e-3),
            "amplitude": np.ones(2),
            "spread": np.full(2, 0.1),
            "apart": 32,
            "between": True,
        }
        return TemplateDetector(**values | changes)

    return make


def with_events(n_samples, templates, events, noise=1.0, seed=0):
    """Return noise (n_samples, C) with templates that start at fractions of samples."""
    generator = np.random.default_rng(seed)
    signal = generator.normal(scale=noise, size=(n_samples, templates.shape[1]))
    for start, kind, amplitude in events:
        whole = int(start)
        wide = np.pad(templates[kind], [(0, 0), (16, 16)])
        stop = whole + wide.shape[1] - 16
        signal[whole - 16 : stop] += amplitude * shifted(wide, start - whole).T
    return signal


# Whitening.


def noise_with_sway(n_samples, seed=0):
    """Return noise of two channels that are coloured, go together and sway slowly."""
    generator = np.random.default_rng(seed)
    noise = generator.normal(size=(2, n_samples))
    noise[1] += 0.8 * noise[0]
    for t in range(1, n_samples):
        noise[:, t] += 0.7 * noise[:, t - 1]
    return noise + 300 * np.sin(2 * np.pi * np.arange(n_samples) / 5000)


def test_whitening_leaves_noise_white_and_channels_apart():
    noise = noise_with_sway(20000)

    fitted = fit_whitener(noise, np.ones(20000, dtype=bool), 16, 0.0, mix=True)
    white = fitted(noise, extend=False)

    assert white.shape == noise.shape
    covariance = np.cov(white)
    np.testing.assert_allclose(covariance, np.eye(2), atol=0.03)
    for lag in range(1, 10):
        assert np.abs((white[:, lag:] * white[:, :-lag]).mean(axis=1)).max() < 0.05


def test_a_whitened_event_is_the_difference_it_makes_to_the_whitened_signal():
    noise = noise_with_sway(2000)
    fitted = fit_whitener(noise, np.ones(2000, dtype=bool), 8, 0.0, mix=True)
    template = np.random.default_rng(1).normal(size=(2, 30))
    changed = noise.copy()
    changed[:, 500:530] += template

    difference = fitted(changed, extend=False) - fitted(noise, extend=False)

    expected = np.zeros_like(noise)
    expected[:, 500:538] = fitted(template, extend=True)
    np.testing.assert_allclose(difference, expected, atol=1e-6)


def test_two_whitenings_in_turn_are_one():
    noise = noise_with_sway(3000)
    inside = np.ones(3000, dtype=bool)
    first = fit_whitener(noise, inside, 4, 0.0, mix=False)
    second = fit_whitener(first(noise, extend=False), inside, 6, 0.0, mix=True)

    template = np.random.default_rng(1).normal(size=(3, 2, 30))

    np.testing.assert_allclose(
        first.then(second)(template, extend=True),
        second(first(template, extend=True), extend=True),
        atol=1e-9,
    )


def test_a_dead_channel_is_left_out_and_one_without_noise_is_not():
    silent = np.zeros((2, 1000))

    dead = fit_whitener(silent, np.ones(1000, dtype=bool), 8, 0.0, mix=True)
    quiet = fit_whitener(silent, np.ones(1000, dtype=bool), 8, 0.1, mix=False)

    assert not dead.filters.any()
    np.testing.assert_allclose(quiet.filters[:, 0], 10)
    assert np.isfinite(dead.mixing).all()


def test_few_samples_lower_the_order():
    noise = np.random.default_rng(0).normal(size=(1, 200))
    inside = np.ones(200, dtype=bool)

    assert fit_whitener(noise, inside, 32, 0.0, mix=False).filters.shape == (1, 5)
    assert fit_whitener(noise, ~inside, 32, 0.0, mix=False).filters.shape == (1, 1)


def test_gaps_are_no_noise():
    noise = np.random.default_rng(0).normal(size=(1, 5000))
    inside = np.zeros(5000, dtype=bool)
    inside[1000:4000] = True
    with_gaps = np.where(inside, noise, 0)

    a = fit_whitener(with_gaps, inside, 4, 0.0, mix=False)
    b = fit_whitener(noise[:, 1000:4000], np.ones(3000, dtype=bool), 4, 0.0, mix=False)

    np.testing.assert_allclose(a.filters, b.filters)


# JoinedSignal.


def test_every_sample_counts_in_exactly_one_block(monkeypatch):
    monkeypatch.setattr(joined, "BLOCK", 100)
    pieces = [np.ones((1, n)) for n in (30, 30, 30, 700, 150, 20, 401)]
    laid = JoinedSignal.of(pieces, 1, 10)
    counted = np.zeros(laid.signal.shape[1], dtype=int)

    for first, last, core_first, core_last in laid.blocks(25):
        assert 0 <= first <= core_first < core_last <= last <= laid.signal.shape[1]
        counted[core_first:core_last] += 1

    np.testing.assert_array_equal(counted[laid.inside()], 1)
    assert counted.max() == 1


def test_a_long_piece_is_cut_at_places_of_its_own(monkeypatch):
    monkeypatch.setattr(joined, "BLOCK", 100)
    long = np.ones((1, 700))

    def cuts(pieces, which):
        laid = JoinedSignal.of(pieces, 1, 10)
        begin, length = laid.start[which], laid.length[which]
        ends = [block[3] - begin for block in laid.blocks(25)]
        return [end for end in ends if 0 < end <= length]

    alone = cuts([long], 0)

    assert alone == cuts([np.ones((1, 40)), long, long], 1)
    assert len(alone) > 3


# Interpolation.


@pytest.mark.parametrize("delay", [-0.4, -0.1, 0.0, 0.25, 0.37])
def test_the_summit_of_a_wave_is_found_between_samples(delay):
    rows = doubled(shifted(pulse(64, 0.2), delay))[None]
    first = REACH - 1

    fine = finer(rows)
    position, height = summits(fine)

    assert fine.shape == (1, (GRID * 64 - 2 * REACH + 1) * STEPS // GRID)
    np.testing.assert_allclose(first / GRID + position[0] / STEPS, 32 + delay, atol=0.01)
    np.testing.assert_allclose(height, 1, atol=0.01)


# Detection.


def test_correlations_are_sums_of_products_in_standard_deviations(detector):
    d = detector()
    signal = np.random.default_rng(0).normal(size=(2, 1500))

    found = d.correlations(signal)

    assert found.shape == (2, GRID * 1500)
    for kind in range(2):
        for start in (0, 700, 1400):
            piece = signal[:, start : start + 64]
            expected = (piece * d.templates[kind][:, : piece.shape[1]]).sum() / d.norms[kind]
            np.testing.assert_allclose(found[kind, GRID * start], expected, atol=1e-9)
    assert found[:, : GRID * 1400].std() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("step", range(STEPS))
def test_subtracting_an_event_leaves_nothing_of_it(detector, step):
    d = detector()
    signal = with_events(600, d.templates, [(200 + step / STEPS, 1, 1.5)], noise=0.0)
    block = Pursuit(d, d.correlations(signal.T), np.ones(600, dtype=bool))
    before = np.abs(block.correlations).max()

    block.change(FittedEvent(1, STEPS * (200 + block.pad // GRID) + step, 1.5), -1)

    assert np.abs(block.correlations).max() < 0.01 * before


def test_log_odds_are_those_of_two_hypotheses(detector):
    # Amplitude 1 for sure: the ratio of two normal densities, and the rate.
    d = detector(spread=np.full(2, 1e-6), templates=np.ones((2, 1, 49)))
    expected = -0.5 * (6.0 - 7.0) ** 2 + 0.5 * 6.0**2 + np.log(1e-3)

    np.testing.assert_allclose(d.log_odds(np.full((2, 1), 6.0), slice(None)), expected, rtol=1e-6)


def test_types_that_never_occur_or_have_no_template_are_never_found(detector, event_windows):
    d = detector()
    templates = d.templates.copy()
    signal = with_events(3000, templates, [(500, 0, 1), (1500, 1, 1)], noise=1.0)
    windows = event_windows([signal], [[]])
    templates[1] = 0

    for changes in ({"rate": np.array([1e-3, 0.0])}, {"templates": templates}):
        found = candidates(detector(**changes), windows, peel=True)
        assert set(found.type.tolist()) == {0}


def test_scores_keep_apart_what_is_nearly_certain():
    odds = np.array([-1e9, -50.0, -6.0, 0.0, 6.0, 500.0, 1e4, 1e4 + 1, 1e9])

    found = scores(odds)

    assert (np.diff(found) > 0).all()
    assert found.min() > 0
    assert found.max() < 1
    assert found[3] == 0.5


@pytest.mark.parametrize("peel", [True, False])
def test_events_that_stand_apart_are_all_found(detector, event_windows, compare, peel):
    d = detector()
    events = [(40.0, 0, 1.0), (700.0, 1, 1.1), (1200.0, 0, 0.9), (1915.0, 1, 1.0)]
    signals = [with_events(2000, d.templates, events, seed=s) for s in range(3)]
    labels = [[(int(start) + 32, kind) for start, kind, _ in events]] * 3
    windows = event_windows(signals, labels)

    found = candidates(d, windows, peel=peel)

    f1, error = compare(found, windows)
    assert len(error) == 12
    assert np.abs(error).mean() < 0.3
    if peel:  # plain peaks of one type are often echoes of the other
        assert f1 == 1


@pytest.mark.parametrize("peel", [True, False])
def test_no_two_candidates_of_a_type_are_the_same(detector, event_windows, peel):
    d = detector(apart=3)
    windows = event_windows([with_events(4000, d.templates, [(900, 0, 1)])], [[]])

    found = candidates(d, windows, peel=peel)

    same_type = np.diff(found.type) == 0
    assert (np.diff(found.time)[same_type] > 0.5).all()


@pytest.mark.parametrize("peel", [True, False])
def test_one_place_of_a_type_has_its_likeliest_shape(detector, event_windows, peel):
    d = detector(parent=np.zeros(2, dtype=np.int64), apart=16)
    d = replace(d, templates=d.templates[[0, 0]] + 0.4 * d.templates[[0, 1]])
    events = [(300.0 * i + 200, i % 2, 1.0) for i in range(20)]
    windows = event_windows([with_events(6400, d.templates, events)], [[]])
    times = np.array([start + 32 for start, _, _ in events])

    found = candidates(d, windows, peel=peel)
    of_two_types = candidates(replace(d, parent=np.arange(2)), windows, peel=False)

    near = np.abs(found.time[:, None] - times) < 16
    assert set(found.type.tolist()) == {0}
    np.testing.assert_array_equal(near.sum(axis=0), 1)
    assert np.abs(found.time - times[near.argmax(axis=1)])[near.any(axis=1)].mean() < 0.3
    np.testing.assert_array_equal((np.abs(of_two_types.time[:, None] - times) < 16).sum(axis=0), 2)


def test_a_file_of_before_there_were_shapes_has_one_for_each_type(detector):
    arrays = detector().arrays()
    np.testing.assert_array_equal(arrays.pop("parent"), [0, 1])

    np.testing.assert_array_equal(TemplateDetector.of(arrays).parent, [0, 1])


def test_the_shape_of_most_events_stands_for_a_type(detector):
    rate = np.array([0.1, 0.3, 0.2, 0.0])
    arrays = detector(templates=np.ones((4, 2, 8)), parent=np.array([0, 0, 1, 1]), rate=rate)

    np.testing.assert_array_equal(commonest_shapes(arrays.arrays(), 2), [1, 2])


@pytest.mark.parametrize("delay", [0.0, 0.2, 0.5, 0.8])
def test_a_fast_wave_is_found_at_the_right_swing(detector, event_windows, delay):
    # A wave of 2.5 samples: half-way between two samples its highest swing looks low.
    wave = 5 * np.stack([pulse(64, 0.4, width=12.0), pulse(64, 0.4, width=12.0)])
    d = detector(templates=np.stack([wave, np.zeros_like(wave)]))
    signal = with_events(1000, d.templates, [(500 + delay, 0, 1.0)], noise=0.3)

    found = candidates(d, event_windows([signal], [[]]), peel=True)

    best = found.score.argmax()
    np.testing.assert_allclose(found.time[best], 532 + delay, atol=0.1)


def test_events_at_whole_samples_are_found_there(detector, event_windows):
    d = detector(between=False)
    signal = with_events(1000, d.templates, [(500, 0, 1.0)])

    found = candidates(d, event_windows([signal], [[]]), peel=True)

    assert 532.0 in found.time
    np.testing.assert_array_equal(found.time, np.rint(found.time))


def collisions(n_events, seed):
    """Return starts, types and amplitudes of pairs that overlap."""
    generator = np.random.default_rng(seed)
    events = []
    for i in range(n_events):
        start = 200.0 * (i + 1)
        events.append((start, 0, 1.0))
        events.append((start + generator.integers(-12, 13), 1, 0.5))
    return events


def test_peeling_tells_colliding_events_apart(detector, event_windows, compare):
    one = np.stack([pulse(64, 0.1), pulse(64, 0.1)])
    two = np.stack([pulse(64, 0.1), pulse(64, 0.2)])
    d = detector(templates=5 * np.stack([one, two]), spread=np.full(2, 0.3))
    events = collisions(30, seed=0)
    labels = [[(int(start) + 32, kind) for start, kind, _ in events]]
    windows = event_windows([with_events(6600, d.templates, events)], labels)

    peeled, error = compare(candidates(d, windows, peel=True), windows, tolerance_samples=2)
    plain, _ = compare(candidates(d, windows, peel=False), windows, tolerance_samples=2)

    assert peeled > 0.95
    assert peeled > plain + 0.05
    assert np.abs(error).mean() < 0.5


@pytest.mark.parametrize("peel", [True, False])
def test_a_recording_that_is_cut_into_blocks_gives_the_same(
    detector, event_windows, monkeypatch, peel
):
    d = detector()
    events = [(150.0 * i + 40.5, i % 2, 1.0) for i in range(60)]
    windows = event_windows([with_events(9200, d.templates, events)], [[]])
    whole = candidates(d, windows, peel=peel)

    monkeypatch.setattr(joined, "BLOCK", 1000)
    cut = candidates(d, windows, peel=peel)

    np.testing.assert_array_equal(cut.type, whole.type)
    np.testing.assert_allclose(cut.time, whole.time)
    np.testing.assert_allclose(cut.score, whole.score)


def test_explained_events_move_no_further_than_the_prior_lets_them(detector):
    d = detector()
    signal = with_events(600, d.templates, [(203, 0, 1.3)], noise=0.3)
    correlations = d.correlations(signal.T)
    labelled = [FittedEvent(0, STEPS * 200, 1.0)]

    def explained(prior):
        block = Pursuit(d, correlations.copy(), np.ones(600, dtype=bool))
        (event,), likelihood, gain = block.explain(labelled, np.array(prior))
        return event, likelihood, gain

    free, likelihood, _ = explained(np.zeros(9))
    fixed, _, _ = explained(np.where(np.arange(9) == 4, 0.0, -np.inf))

    assert free.at == pytest.approx(STEPS * 203, abs=1)
    assert likelihood[0].argmax() == 4 + 3
    assert abs(fixed.at - STEPS * 200) <= STEPS // 2
