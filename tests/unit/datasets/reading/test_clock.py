"""Every time of a clock leads to its sample, whatever the start, unit, drift and jitter."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqbench.datasets.base import DataError
from seqbench.datasets.reading.clock import (
    PIECE_SAMPLES,
    Clock,
    SampleTimes,
    rounded_rate_hz,
    unit_of,
)
from seqbench.datasets.reading.column_names import SECONDS


def clock_of(tmp_path, times, unit="s", stated_hz=None, block=1000):
    clock = Clock(tmp_path / "one.csv", "time", lambda sample: sample + 2, unit, stated_hz)
    for start in range(0, len(times), block):
        clock.extend(np.asarray(times[start : start + block], dtype=np.float64))
    return clock


@given(
    rate_hz=st.floats(1, 5000),
    unit=st.sampled_from([*SECONDS]),
    start_s=st.floats(-1e5, 1e5),
    jitter=st.floats(0, 0.2),
    drift=st.floats(-9e-4, 9e-4),
    block=st.sampled_from([1, 700, 100_000]),
    seed=st.integers(0, 100),
)
def test_each_time_is_at_its_sample(
    tmp_path_factory, rate_hz, unit, start_s, jitter, drift, block, seed
):
    generator = np.random.default_rng(seed)
    n = 2 * PIECE_SAMPLES + 77 if block > 1 else 50
    steps = np.arange(n) + generator.uniform(-jitter, jitter, n)
    steps += drift * n / 4 * np.sin(np.pi * np.arange(n) / n)  # the rate falls while it records
    times_s = start_s + steps / rate_hz
    times = times_s / SECONDS[unit]

    clock = clock_of(tmp_path_factory.getbasetemp(), times, unit, block=block).sample_times()

    places = np.array([clock.sample_at(time) for time in times * SECONDS[unit]])
    assert np.abs(places - np.arange(n)).max() < 0.5
    back = np.array([clock.time_s_at(place) for place in (0, n // 2, n - 1)])
    assert np.abs(back - times_s[[0, n // 2, n - 1]]).max() * rate_hz < 0.5


def test_times_outside_of_the_knots_lie_on_its_rate():
    clock = SampleTimes(np.array([0, 10]), np.array([5.0, 6.0]), 10.0)

    assert clock.sample_at(7) == pytest.approx(20)
    assert clock.sample_at(4) == pytest.approx(-10)
    assert clock.time_s_at(20) == pytest.approx(7)
    assert clock.time_s_at(-10) == pytest.approx(4)
    assert SampleTimes.uniform(4, 2.0).sample_at(3.25) == pytest.approx(5)


def test_a_clock_of_another_rate_keeps_it(tmp_path):
    times = np.arange(25_000) / 99.93

    clock = clock_of(tmp_path, times)

    assert clock.rate_hz() == pytest.approx(99.93)
    assert clock.sample_times().sample_at(times[24_000]) == pytest.approx(24_000, abs=1e-3)


def test_row_numbers_have_no_rate_but_no_gap_either(tmp_path):
    assert clock_of(tmp_path, range(7, 50), "samples").sample_times() is None
    with pytest.raises(DataError, match=r"row 12, column 'time': the step of 2 samples is not"):
        clock_of(tmp_path, [*range(10), *range(11, 30)], "samples")


@pytest.mark.parametrize(
    ("start", "step", "stated_hz", "unit"),
    [
        (0, 0.01, None, "s"),
        (5, 0.1, None, "s"),
        (1.7e9, 0.004, None, "s"),
        (1.7e12, 4, None, "ms"),
        (1.7e15, 500, None, "us"),
        (1.7e18, 5e5, None, "ns"),
        (0, 10, 100, "ms"),
        (0, 0.5, 2, "s"),
        (0, 0.5, 2000, "ms"),
        (0, 499.8, 2000, "us"),
    ],
)
def test_the_unit_of_a_time_without_one(tmp_path, start, step, stated_hz, unit):
    assert unit_of(tmp_path, "time", start, step, stated_hz) == unit


def test_times_are_no_row_numbers_even_without_a_name(tmp_path):
    with pytest.raises(DataError, match=r"row 3, column 'time': 0\.01 is no row number; name"):
        clock_of(tmp_path, [0, 0.01, 0.02], "samples")


def test_fractions_of_a_day_are_not_taken_for_seconds(tmp_path):
    with pytest.raises(DataError, match=r"1\.15741e-07 has no unit: in days it is 100 Hz; write"):
        clock_of(tmp_path, 45_413 + np.arange(1000) / 100 / 86_400, None)


@pytest.mark.parametrize(
    ("start", "step", "stated_hz"),
    [(0, 10, None), (0, 1, None), (0, 0.5, None), (0, 10, 7), (2e9, 5000, None)],
)
def test_a_unit_that_may_be_one_or_another_is_refused(tmp_path, start, step, stated_hz):
    with pytest.raises(DataError, match=r"it may be .* Hz; name the column time_s"):
        unit_of(tmp_path, "time", start, step, stated_hz)


@pytest.mark.parametrize(("stated_hz", "rate_hz"), [(None, 560.0), (560.0, 560.0), (560.75, 560.3)])
def test_rounding_leads_away_from_no_stated_rate(stated_hz, rate_hz):
    assert rounded_rate_hz(560.3, 6e-4, stated_hz) == rate_hz
