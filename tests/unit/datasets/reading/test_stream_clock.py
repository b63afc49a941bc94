"""A clock without an end keeps the latest times, and refuses what leaves its rate."""

import io
from pathlib import Path

import numpy as np
import pytest

from seqbench.datasets.base import DataError
from seqbench.datasets.reading import stream_clock
from seqbench.datasets.reading.stream import csv_stream
from seqbench.datasets.reading.stream_clock import StreamClock


def running(times, unit="s", rate_hz=100.0, block=7) -> StreamClock:
    clock = StreamClock(Path("live.csv"), "time", unit, rate_hz)
    for start in range(0, len(times), block):
        piece = np.asarray(times[start : start + block], dtype=np.float64)
        clock.extend(piece, range(start + 2, start + 2 + len(piece)))
    return clock


@pytest.mark.parametrize("block", [1, 7, 40_000])
def test_the_latest_times_are_exact_and_memory_does_not_grow(monkeypatch, block):
    monkeypatch.setattr(stream_clock, "KEPT_SAMPLES", 1000)
    times_s = 5 + np.arange(30_000) / 99.95 + 2e-3 * np.sin(np.arange(30_000) / 900)

    clock = running(times_s * 1e3, "ms", block=block)

    kept = clock.sample_times()
    for sample in (0, 29_100, 29_500.5, 29_999):
        expected_s = np.interp(sample, np.arange(30_000), times_s)
        assert kept.time_s_at(sample) == pytest.approx(expected_s, abs=1e-9)
    assert abs(kept.time_s_at(15_000) - times_s[15_000]) < 0.01
    assert len(kept.samples) <= max(2000, 30_000 * (block > 1000)) + 1


def test_a_rate_is_held_against_all_times_so_far():
    with pytest.raises(DataError, match=r"live\.csv, row 5\d\d, .*: its rate is 99\.7 Hz so far"):
        running(np.arange(3000) / 99.7)
    assert running(np.arange(3000) / 99.91).sample_times().time_s_at(2999) == 2999 / 99.91


@pytest.mark.parametrize("block", [1, 3, 7, 500])
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda t: np.delete(t, 40), r"row 42, .*: the step of 0\.02 is not uniform with 0\.01"),
        (lambda t: np.insert(t, 40, t[39]), r"row 42, .*: 0\.39 is not after 0\.39"),
    ],
)
def test_lost_and_repeated_samples_are_named_by_their_row(change, problem, block):
    with pytest.raises(DataError, match=problem):
        running(change(np.arange(200) / 100), block=block)


def test_row_numbers_have_no_times():
    assert running(np.arange(5, 100), "samples").sample_times() is None
    assert running([], "s").sample_times() is None


def test_a_rate_above_the_samples_is_held_against_that_of_the_model():
    preamble = "1700000000.0,1700000000.0\n64.0,64.0\n" + "1,2\n" * 9
    times = []

    list(csv_stream(io.StringIO(preamble), 2, sampling_rate_hz=64, started=times.append))

    assert times[0]().time_s_at(32) == 1_700_000_000.5
    with pytest.raises(DataError, match="row 2: its rows above state 64 Hz instead of 100 Hz"):
        list(csv_stream(io.StringIO(preamble), 2, sampling_rate_hz=100))
