"""Recordings that stop and go on later: where, when, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seqbench.datasets.base import DataError
from seqbench.datasets.reading.clock import SampleTimes
from seqbench.datasets.reading.gaps import segment_starts
from seqbench.datasets.reading.lazy_recording import lazy_recording
from seqbench.datasets.reading.recording import open_recording, read_recording


@pytest.fixture
def save(tmp_path):
    """Write a table of times and a counter."""

    def call(times, column: str = "time_s"):
        frame = pd.DataFrame({column: times, "x": np.arange(len(times)) ** 2 % 97})
        frame.to_csv(tmp_path / "one.csv", index=False)
        return tmp_path / "one.csv"

    return call


def stepped(lengths, gaps, rate_hz=100.0, start_s=5.0):
    """Return times of segments of so many samples, each so many seconds behind the one before."""
    parts, next_s = [], start_s
    for n, gap_s in zip(lengths, [0.0, *gaps], strict=True):
        parts.append(next_s + gap_s + np.arange(n) / rate_hz)
        next_s = parts[-1][-1] + 1 / rate_hz
    return np.concatenate(parts)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_sample_of_a_segment_keeps_its_time(save, monkeypatch, data):
    lengths = data.draw(st.lists(st.integers(2, 60), min_size=1, max_size=5))
    lengths[0] += 10
    gaps = [data.draw(st.floats(0.006, 100)) for _ in lengths[1:]]
    rate_hz = data.draw(st.sampled_from([99.93, 100.0, 128.0]))
    digits = data.draw(st.sampled_from([3, 9]))
    times = stepped(lengths, gaps, rate_hz).round(digits)
    path = save(times)
    whole = read_recording(path, gaps="split")
    monkeypatch.setattr(
        "seqbench.datasets.reading.source.BLOCK_SAMPLES", data.draw(st.integers(5, 70))
    )
    lazy = lazy_recording(path, gaps="split")

    for read in (whole, lazy):
        assert read.times.starts == tuple(np.cumsum([0, *lengths[:-1]]).tolist())
        found = [read.times.time_s_at(i) for i in range(len(times))]
        np.testing.assert_allclose(found, times, atol=0.3 / rate_hz)
        places = [read.times.sample_at(time) for time in times]
        assert np.round(places).tolist() == list(range(len(times)))
    assert whole.sampling_rate_hz == pytest.approx(rate_hz, rel=1e-9 if digits == 9 else 0.05)
    assert (lazy.signal[: len(times)] == whole.signal).all()


def test_a_time_between_segments_is_that_of_no_sample():
    times = SampleTimes.joined([SampleTimes.uniform(100), SampleTimes.uniform(100, 3)], [0, 200])

    assert [times.is_in_gap(t) for t in (1.99, 1.996, 2.5, 2.994, 2.996, 3)] == [
        False, True, True, True, False, False,
    ]  # fmt: skip
    assert times.sample_at(1.993) == pytest.approx(199.3)
    assert times.sample_at(2.5) == 200
    assert times.sample_at(2.997) == pytest.approx(199.7)
    assert times.time_s_at(199.3) == pytest.approx(1.993)
    assert times.time_s_at(199.7) == pytest.approx(2.997)
    assert times.segments[1].time_s_at(100) == 4


def test_without_the_option_the_gap_is_refused_and_the_option_named(save, refusal):
    message = refusal(save(stepped([20, 30], [0.5])))

    assert "row 22, column 'time_s': the step of 0.51 s" in message
    assert "set `gaps: split`" in message


def test_a_sample_between_two_gaps_is_refused(save):
    with pytest.raises(DataError, match=r"row 22, .*gap before this sample and one behind it"):
        read_recording(save(stepped([20, 1, 30], [0.5, 0.5])), gaps="split")


def test_a_rate_that_changes_is_no_row_of_gaps(save):
    slower = np.concatenate([np.arange(100) / 100, 1 + np.arange(50) / 50])
    faster = np.concatenate([np.arange(100) / 100, 3 + np.arange(100) / 140])

    with pytest.raises(DataError, match="a gap before this sample"):
        read_recording(save(slower), gaps="split")
    with pytest.raises(DataError, match=r"row 2, .*its steps are 0\.01 here, but 0\.0085"):
        read_recording(save(faster), gaps="split")


def test_times_that_go_back_are_refused(save):
    with pytest.raises(DataError, match="is not after"):
        read_recording(save(stepped([20, 30], [-0.1])), gaps="split")


def test_gaps_of_row_numbers_last_as_the_stated_rate_says(save):
    path = save([*range(20), *range(70, 100)], column="Sample Index")

    read = read_recording(path, gaps="split", sampling_rate_hz=100)

    assert read.times.starts == (0, 20)
    assert [one.start_s for one in read.times.segments] == pytest.approx([0, 0.7])
    with pytest.raises(DataError, match=r"row 22, .*set `sampling_rate_hz`"):
        read_recording(path, gaps="split")


def test_runs_of_a_header_are_joined_unless_they_are_apart(tmp_path):
    def starts(*times_s, gaps="split"):
        return segment_starts(tmp_path, [0, 100, 200], times_s, 0.01, gaps)

    assert starts(0, 1, 2) == [0]
    assert starts(0, 1.004, 2.1) == [0, 2]
    with pytest.raises(
        DataError, match=r"an overlap of 0\.5 s: it ends at 1 s and goes on at 0\.5 s"
    ):
        starts(0, 0.5, 1.5)
    with pytest.raises(DataError, match=r"a gap of 0\.1 s: it ends at 1\.1 s .*`gaps: split`"):
        starts(0.1, 1.2, 2.2, gaps="refuse")


@pytest.mark.parametrize("longest", [7, 20, 1000])
def test_segments_are_read_one_after_the_other(save, monkeypatch, longest):
    monkeypatch.setattr("seqbench.datasets.reading.source.BLOCK_SAMPLES", longest)
    path = save(stepped([20, 30, 5], [0.5, 2]))
    signal = read_recording(path, gaps="split").signal

    with open_recording(path, gaps="split") as source:
        read = np.concatenate(list(source.samples()))
        times = source.sample_times()

    assert (read == signal).all()
    assert times.starts == (0, 20, 50)
    assert [one.start_s for one in times.segments] == pytest.approx([5, 5.7, 8])
