from dataclasses import replace

import numpy as np
import pytest

from seqbench.baselines.matched_filter.baselines import MatchedFilterBaseline, OracleBaseline
from seqbench.baselines.matched_filter.detector import FittedEvent
from seqbench.baselines.matched_filter.interpolation import STEPS, shifted
from seqbench.baselines.matched_filter.positions import likeliest_prior, shift_prior
from seqbench.baselines.matched_filter.shapes import shapes_of
from seqbench.baselines.matched_filter.templates import learned_templates, residual
from seqbench.errors import UserError

RATE_HZ = 2000.0


def found_by(baseline, train, test):
    return baseline.predict(baseline.fit([train], seed=0), test)


def ringing_templates(n_types=3, n_channels=2, n_samples=100, seed=7):
    """Return decaying waves, (K, C, L)."""
    generator = np.random.default_rng(seed)
    t = np.arange(n_samples) / RATE_HZ
    made = np.zeros((n_types, n_channels, n_samples))
    for kind in range(n_types):
        for _ in range(3):
            wave = np.sin(2 * np.pi * generator.uniform(80, 500) * t) * np.exp(-t / 0.008)
            made[kind] += generator.normal(size=(n_channels, 1)) * wave
    return 3 * made / np.abs(made).max(axis=(1, 2), keepdims=True)


@pytest.fixture
def ringing(event_windows):
    """Recordings of strikes that overlap, under coloured noise and slow sway."""

    def make(
        *,
        n_samples=40000,
        n_events=120,
        noise=0.3,
        sway=20.0,
        between=False,
        jitter=0,
        late=0,
        seed=0,
        n_shapes=1,
        **changes,
    ):
        generator = np.random.default_rng(seed)
        templates = ringing_templates(3 * n_shapes)
        signal = generator.normal(scale=noise, size=(n_samples, 2))
        signal[1:] += 0.6 * signal[:-1]
        signal += sway * np.sin(2 * np.pi * np.arange(n_samples) / 5000)[:, None] + 7
        times = np.sort(generator.uniform(200, n_samples - 300, n_events))
        if not between:
            times = np.rint(times)
        kinds = generator.integers(0, len(templates), n_events).tolist()  # shape by shape
        wide = np.pad(templates, [(0, 0), (0, 0), (20, 20)])
        events = []
        for time, kind in zip(times, kinds, strict=True):
            whole = round(float(time))
            piece = generator.normal(1, 0.1) * shifted(wide[kind], time - whole).T
            signal[whole - 20 : whole - 20 + len(piece)] += piece
            events.append((whole + late + round(jitter * generator.normal()), kind % 3))
        truth = {"templates": templates[:3], "template_onset": np.array(0)}
        if n_shapes == 2:
            truth["second_templates"] = templates[3:]
        windows = event_windows([signal], [events], classes="abc", truth=truth, **changes)
        return windows, np.sort(times)

    return make


# The oracle.


def test_the_normalisation_of_the_signal_makes_no_difference(ringing):
    raw, scaled = (ringing(**some)[0] for some in ({}, {"scale": [2.0, 0.01], "centre": [1, -2]}))
    oracle = OracleBaseline()

    one, two = found_by(oracle, raw, raw), found_by(oracle, scaled, scaled)

    np.testing.assert_array_equal(one.type, two.type)
    np.testing.assert_allclose(one.time, two.time, atol=1e-3)
    np.testing.assert_allclose(one.score, two.score, atol=1e-3)


@pytest.mark.parametrize(
    ("truth", "sentence"),
    [
        ({}, "the dataset holds no `truth/templates`"),
        (
            {"templates": np.zeros((2, 6, 50)), "template_onset": np.array(25)},
            r"\(2, 6, 50\).*3 types by 2 channels",
        ),
    ],
)
def test_the_oracle_needs_the_truth_of_train(ringing, truth, sentence):
    windows, _ = ringing(n_samples=5000, n_events=10)

    with pytest.raises(UserError, match=sentence):
        OracleBaseline().fit([replace(windows, truth=truth)], seed=0)


def test_a_generator_without_noise_is_no_problem(ringing, compare):
    windows, _ = ringing(noise=0.0, sway=0.0, n_events=60)

    for baseline in (OracleBaseline(), MatchedFilterBaseline()):
        found = found_by(baseline, windows, windows)
        assert compare(found, windows, tolerance_samples=0)[0] > 0.97
        assert (found.score < 1).all()


# Learned templates.


def test_overlapping_events_spoil_no_template():
    # Types that nearly always come together: an average would mix them.
    generator = np.random.default_rng(0)
    templates = generator.normal(size=(2, 1, 40))
    signal = generator.normal(scale=0.1, size=(1, 12000)).astype(np.float32)
    events = []
    for start in range(100, 11800, 100):
        events.append(FittedEvent(0, STEPS * start, 1.0))
        events.append(FittedEvent(1, STEPS * (start + int(generator.integers(0, 30))), 1.0))
    for event in events:
        start = event.at // STEPS
        signal[:, start : start + 40] += templates[event.type].astype(np.float32)

    found = learned_templates(signal, events, 2, 40)

    np.testing.assert_allclose(found, templates, atol=0.06)
    assert residual(signal, found, events).std() == pytest.approx(0.1, rel=0.05)


@pytest.mark.parametrize("late", [0, 6])
def test_learned_templates_find_strikes_as_late_as_their_labels(ringing, compare, late):
    train, _ = ringing(seed=1, late=late)
    test, _ = ringing(seed=2, late=late)

    f1, error = compare(found_by(MatchedFilterBaseline(), train, test), test)

    assert f1 > 0.97
    assert np.abs(error).mean() < 0.05


def test_events_are_timed_finer_than_samples(ringing):
    train, _ = ringing(seed=1, between=True)
    test, times = ringing(seed=2, between=True)

    found = found_by(MatchedFilterBaseline(), train, test)

    sure = np.sort(found.time[found.score > 0.5])
    nearest = np.abs(sure[:, None] - times[None, :]).min(axis=1)
    assert np.median(nearest) < 0.1  # rounded to samples, it would be 0.25


def test_labels_that_jitter_blur_no_template(ringing, compare):
    train, _ = ringing(seed=1, jitter=3, n_samples=80000, n_events=240)
    test, _ = ringing(seed=2)

    f1, error = compare(found_by(MatchedFilterBaseline(), train, test), test)

    assert f1 > 0.95
    assert np.abs(error - np.median(error)).mean() < 0.5


def test_a_type_of_two_shapes_gets_two_templates(ringing, compare):
    train, _ = ringing(seed=1, n_shapes=2, n_events=240, n_samples=80000)
    test, _ = ringing(seed=2, n_shapes=2)

    found, one = (MatchedFilterBaseline(shapes=n).fit([train], seed=0) for n in (4, 1))

    np.testing.assert_array_equal(found["parent"], [0, 0, 1, 1, 2, 2])
    np.testing.assert_array_equal(one["parent"], [0, 1, 2])
    several, single = (
        compare(MatchedFilterBaseline().predict(arrays, test), test)[0] for arrays in (found, one)
    )
    assert several > 0.97
    assert several > single + 0.03


@pytest.mark.parametrize(
    "options", [{}, {"between": True}, {"jitter": 3}, {"noise": 0.02, "between": True}]
)
def test_where_no_type_has_two_shapes_nothing_changes(ringing, options):
    train, _ = ringing(seed=1, n_events=240, n_samples=80000, **options)

    several, one = (MatchedFilterBaseline(shapes=n).fit([train], seed=0) for n in (4, 1))

    assert several.keys() == one.keys()
    for name, array in one.items():
        np.testing.assert_array_equal(several[name], array)


def test_the_oracle_knows_second_templates(ringing, compare):
    train, _ = ringing(seed=1, n_shapes=2)
    test, _ = ringing(seed=2, n_shapes=2)
    known = {name: train.truth[name] for name in ("templates", "template_onset")}

    both = compare(found_by(OracleBaseline(), train, test), test)[0]
    first = compare(found_by(OracleBaseline(), replace(train, truth=known), test), test)[0]

    assert both > 0.97
    assert both > first + 0.05


# Shapes of one type.


def events_of(shapes, n_events, noise=1.0, seed=0):
    """Return events (n, D) of each of several shapes, in turn, under white noise."""
    generator = np.random.default_rng(seed)
    amplitudes = generator.uniform(0.7, 1.3, (n_events, len(shapes), 1))
    clean = (amplitudes * shapes).reshape(-1, shapes.shape[1])
    return clean + generator.normal(scale=noise, size=clean.shape)


@pytest.mark.parametrize("n_shapes", [1, 2, 3])
def test_events_are_divided_by_shape_and_not_by_strength(n_shapes):
    shapes = 8 * np.linalg.qr(np.random.default_rng(1).normal(size=(64, 3)))[0].T[:n_shapes]

    found = shapes_of(events_of(shapes, 40), 4, np.random.default_rng(0))

    by_truth = found.reshape(-1, n_shapes)
    assert len(set(by_truth[0].tolist())) == n_shapes
    np.testing.assert_array_equal(by_truth, np.broadcast_to(by_truth[0], by_truth.shape))


def test_there_are_no_more_shapes_than_named_and_none_of_few_events():
    shapes = 8 * np.linalg.qr(np.random.default_rng(1).normal(size=(64, 3)))[0].T

    assert shapes_of(events_of(shapes, 40), 2, np.random.default_rng(0)).max() == 1
    assert shapes_of(events_of(shapes, 5), 4, np.random.default_rng(0)).max() == 0
    assert len(shapes_of(np.zeros((0, 64)), 4, np.random.default_rng(0))) == 0


def test_two_shapes_that_noise_drowns_stay_one():
    shapes = 0.5 * np.linalg.qr(np.random.default_rng(1).normal(size=(64, 2)))[0].T

    assert shapes_of(events_of(shapes, 200), 4, np.random.default_rng(0)).max() == 0


@pytest.mark.parametrize("baseline", [OracleBaseline(), MatchedFilterBaseline()])
def test_a_train_without_events_or_labelled_spans_finds_nothing(ringing, baseline):
    windows, _ = ringing(n_samples=5000, n_events=10)
    unknown = replace(windows, timeline=windows.timeline.without_events())
    none = np.zeros(0, dtype=np.int64)
    quiet = replace(windows.timeline, onset=none, offset=none, type=none)

    for train in (unknown, replace(windows, timeline=quiet)):
        assert len(found_by(baseline, train, windows)) == 0


def test_an_onset_behind_the_template_is_refused():
    with pytest.raises(UserError, match="`before_ms` is 20, but a template is 20 ms long"):
        MatchedFilterBaseline(length_ms=20.0, before_ms=20.0)


def test_the_length_of_a_template_is_in_milliseconds(ringing):
    windows, _ = ringing(n_samples=20000, n_events=50)
    arrays = MatchedFilterBaseline(length_ms=30.0, before_ms=5.0).fit([windows], seed=0)

    taps = arrays["filters"].shape[1]
    assert arrays["templates"].shape == (3, 2, 60 + taps - 1)
    assert arrays["onset"] == 10


# How far labels are off.


@pytest.mark.parametrize("jitter", [0.0, 2.0, 8.0])
def test_the_jitter_of_labels_is_seen_in_their_likelihoods(jitter):
    generator = np.random.default_rng(0)
    true = np.clip(np.rint(generator.normal(scale=jitter, size=500)), -20, 20)
    likelihood = -2.0 * (np.arange(-20, 21)[None, :] - true[:, None]) ** 2

    np.testing.assert_array_equal(likeliest_prior(likelihood), shift_prior(jitter, 20))
