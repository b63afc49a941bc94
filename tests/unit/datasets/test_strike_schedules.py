"""Schedules keep the time between strikes, and their rates and rows are those they promise."""

import numpy as np
import pytest

from seqbench.datasets.strike_schedules import (
    change_ringing_strikes,
    changes,
    poisson_strikes,
    shortest_interval_s,
)

SEEDS = range(30)


def poisson(seed: int = 0, duration_s: float = 100.0, **options):
    values = {"n_types": 12, "rate_hz": 0.25, "refractory_s": 1.9} | options
    return poisson_strikes(np.random.default_rng(seed), duration_s, **values)


def ringing(seed: int = 0, duration_s: float = 100.0, **options):
    values = {"n_types": 12, "interval_s": 0.21, "jitter_s": 0.01} | options
    return change_ringing_strikes(np.random.default_rng(seed), duration_s, **values)


def gaps(times: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """Return the times between neighbouring strikes of one type, all types together."""
    return np.concatenate([np.diff(times[kinds == kind]) for kind in np.unique(kinds)])


@pytest.mark.parametrize("draw", [poisson, ringing])
def test_strikes_are_in_order_and_inside_the_duration(draw):
    times, kinds = draw(duration_s=60.0)

    assert (np.diff(times) >= 0).all()
    assert times[0] >= 0
    assert times[-1] < 60.0
    assert set(kinds.tolist()) == set(range(12))


@pytest.mark.parametrize("rate_hz", [0.05, 0.25, 0.52])
def test_poisson_types_never_return_within_the_refractory_time(rate_hz):
    for seed in SEEDS:
        assert gaps(*poisson(seed, rate_hz=rate_hz)).min() >= 1.9


def test_poisson_gaps_are_the_refractory_time_and_an_exponential_rest():
    times, kinds = poisson(duration_s=5000.0)

    rest = gaps(times, kinds) - 1.9  # about 15000 of them; mean 1 / 0.25 - 1.9
    assert rest.mean() == pytest.approx(2.1, rel=0.03)
    assert rest.std() == pytest.approx(2.1, rel=0.05)
    assert len(times) / 5000.0 / 12 == pytest.approx(0.25, rel=0.02)


def test_poisson_strikes_are_as_frequent_at_the_start_as_later():
    # A process that began with a strike or with a whole gap would differ in its first second.
    times = np.concatenate([poisson(seed, 10.0)[0] for seed in range(500)])

    counts, _ = np.histogram(times, bins=10, range=(0, 10))  # 1500 each
    np.testing.assert_allclose(counts, 12 * 0.25 * 500, rtol=0.1)


def test_rows_begin_with_rounds_and_hold_every_bell_once():
    rows = changes(np.random.default_rng(0), 200, 7)

    assert rows[0].tolist() == [0, 1, 2, 3, 4, 5, 6]
    np.testing.assert_array_equal(np.sort(rows, axis=1), np.tile(np.arange(7), (200, 1)))


@pytest.mark.parametrize("n_bells", [2, 5, 12])
def test_from_row_to_row_no_bell_moves_more_than_one_place(n_bells):
    places = np.argsort(changes(np.random.default_rng(0), 300, n_bells), axis=1)

    moves = np.abs(np.diff(places, axis=0))
    assert moves.max() == 1


def test_rows_do_not_repeat_with_the_period_of_plain_hunt():
    rows = changes(np.random.default_rng(0), 400, 8)

    assert len({tuple(row) for row in rows.tolist()}) > 350


def test_bells_strike_evenly_with_one_interval_left_out_every_two_rows():
    times, kinds = ringing(jitter_s=0.0, n_types=6, interval_s=0.5)

    steps = np.rint(np.diff(times) / 0.5).astype(int)
    np.testing.assert_allclose(np.diff(times), steps * 0.5)
    assert np.flatnonzero(steps == 2).tolist() == list(range(11, len(steps), 12))
    assert set(steps.tolist()) == {1, 2}
    assert sorted(kinds[:6].tolist()) == sorted(kinds[6:12].tolist()) == [0, 1, 2, 3, 4, 5]


def test_errors_of_ringers_have_their_deviation_and_are_cut_at_three_of_it():
    exact, human = (ringing(duration_s=300.0, jitter_s=jitter_s) for jitter_s in (0.0, 0.01))

    n = len(human[0])
    np.testing.assert_array_equal(human[1], exact[1][:n])
    errors = human[0] - exact[0][:n] - 0.03  # room for the largest error of the first strike
    assert errors.std() == pytest.approx(0.01, rel=0.1)
    assert np.abs(errors).max() <= 0.03 + 1e-9


@pytest.mark.parametrize("n_bells", [2, 5, 8, 12])
@pytest.mark.parametrize("jitter_s", [0.0, 0.01, 0.05])
def test_no_bell_returns_within_the_refractory_time_at_the_shortest_interval(n_bells, jitter_s):
    interval_s = shortest_interval_s(n_bells, refractory_s=1.9, jitter_s=jitter_s)

    for seed in SEEDS:
        times, kinds = ringing(seed, n_types=n_bells, interval_s=interval_s, jitter_s=jitter_s)
        assert gaps(times, kinds).min() >= 1.9 - 1e-9


def test_the_shortest_interval_of_eight_bells_by_hand():
    # 7 intervals, less 3 standard deviations of 10 ms at both ends, are 1.9 s.
    assert shortest_interval_s(8, refractory_s=1.9, jitter_s=0.01) == pytest.approx(1.96 / 7)
