"""Recordings at another rate: values, clocks, pieces, gaps and channels of several rates."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pyedflib
import pytest
import wfdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seqbench.datasets.base import DataError
from seqbench.datasets.reading.lazy_recording import lazy_recording
from seqbench.datasets.reading.recording import open_recording, read_recording
from seqbench.datasets.reading.resample import LARGEST_TERM, ratio_of

from .conftest import EDF_CHANNEL, WRITERS


@pytest.fixture
def save(tmp_path):
    """Write a table of times and channels."""

    def call(times, **channels):
        pd.DataFrame({"time_s": times} | channels).to_csv(tmp_path / "one.csv", index=False)
        return tmp_path / "one.csv"

    return call


def slow_wave(times_s):
    return np.cos(2 * np.pi * 2 * np.asarray(times_s))


@given(rate_hz=st.floats(0.5, 1e6), target_hz=st.floats(0.5, 1e6))
def test_ratios_are_bounded_and_near(rate_hz, target_hz):
    ratio = ratio_of(rate_hz, target_hz)

    larger = max(rate_hz / target_hz, target_hz / rate_hz)
    assert max(ratio.numerator, ratio.denominator) <= max(LARGEST_TERM, larger + 1)
    assert float(ratio) == pytest.approx(target_hz / rate_hz, rel=1e-3)


def test_common_ratios_are_exact():
    assert ratio_of(44_100, 2_000) == Fraction(20, 441)
    assert ratio_of(256, 250) == Fraction(125, 128)
    assert ratio_of(99.95, 100) == 1  # near enough: kept as it is


@pytest.mark.parametrize(("rate_hz", "target_hz"), [(200, 50), (100, 256), (128, 100), (102.4, 98)])
@pytest.mark.parametrize("start_s", [0, 5])
def test_a_wave_is_the_same_at_another_rate(save, rate_hz, target_hz, start_s):
    times = start_s + np.arange(int(10 * rate_hz)) / rate_hz
    path = save(times, x=slow_wave(times), flat=101_325.0)

    read = read_recording(path, resample=True, sampling_rate_hz=target_hz)

    assert read.sampling_rate_hz == pytest.approx(target_hz, rel=1e-4)
    at = np.array([read.times.time_s_at(i) for i in range(len(read.signal))])
    assert at[0] == start_s
    assert len(at) == pytest.approx(10 * read.sampling_rate_hz, abs=1)
    inside = (at > start_s + 0.5) & (at < start_s + 9.5)
    np.testing.assert_allclose(read.signal[inside, 0], slow_wave(at[inside]), atol=0.01)
    assert (read.signal[:, 1] == 101_325).all()  # no ripple beside an offset


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_pulse_stays_at_its_time(save, data):
    rate_hz = data.draw(st.floats(60, 700))
    target_hz = data.draw(st.floats(60, 700))
    drift = data.draw(st.floats(-8e-4, 8e-4))
    start_s = data.draw(st.sampled_from([0.0, 5.0, 1.7e9]))
    n = data.draw(st.integers(200, 600))
    gap_at = data.draw(st.sampled_from([None, 100, 113]))
    pulse = data.draw(
        st.integers(20, n - 20).filter(lambda i: gap_at is None or abs(i - gap_at) > 19)
    )
    places = np.arange(n)
    times = start_s + places / rate_hz * (1 + drift * places / n)
    if gap_at is not None:
        times[gap_at:] += 2.345
    signal = np.exp(-0.5 * ((places - pulse) / (2 * max(1, rate_hz / target_hz))) ** 2)
    path = save(times, x=signal)

    # Named, as a short block of a pulse may rise as evenly as a counter does.
    read = read_recording(path, ["x"], gaps="split", resample=True, sampling_rate_hz=target_hz)

    place = read.times.sample_at(times[pulse])
    assert abs(int(read.signal[:, 0].argmax()) - place) <= 0.51


def test_a_ratio_that_is_not_exact_is_made_good_by_the_clock(tmp_path):
    np.savez(tmp_path / "one.npz", signal=np.random.default_rng(0).normal(size=(60_000, 1)),
             sampling_rate_hz=100.377777)  # fmt: skip

    read = read_recording(tmp_path / "one.npz", resample=True, sampling_rate_hz=61.803399)

    assert read.sampling_rate_hz != 61.803399
    assert read.times.time_s_at(len(read.signal)) == pytest.approx(60_000 / 100.377777, abs=0.02)
    assert len(read.signal) / read.sampling_rate_hz == pytest.approx(60_000 / 100.377777, abs=0.02)


@pytest.mark.parametrize("suffix", sorted({*WRITERS} - {".npy", ".txt", ".hdf5"}))
@pytest.mark.parametrize("target_hz", [20, 77, 128])
def test_pieces_are_the_whole_bit_for_bit(write, monkeypatch, suffix, target_hz):
    path = write(suffix)
    options = {"resample": True, "sampling_rate_hz": target_hz}
    monkeypatch.setattr("seqbench.datasets.reading.source.BLOCK_SAMPLES", 1 << 16)
    whole = read_recording(path, **options)
    monkeypatch.setattr("seqbench.datasets.reading.source.BLOCK_SAMPLES", 7)

    with open_recording(path, **options) as source:
        pieces = list(source.samples())
    lazy = lazy_recording(path, **options)

    assert len(pieces) > 3
    np.testing.assert_array_equal(np.concatenate(pieces), whole.signal)
    np.testing.assert_array_equal(lazy.signal[3:70], whole.signal[3:70])
    assert lazy.sampling_rate_hz == whole.sampling_rate_hz == pytest.approx(target_hz, rel=1e-4)
    assert len(whole.signal) == -(-200 * target_hz // 50)


def test_segments_are_resampled_one_by_one(save):
    times = np.arange(300) / 100 + np.where(np.arange(300) < 101, 0, 7.003)
    path = save(times, x=np.where(np.arange(300) < 101, 1.0, -1.0))

    read = read_recording(path, gaps="split", resample=True, sampling_rate_hz=50)

    assert read.times.starts == (0, 51)
    assert read.times.segments[1].start_s == pytest.approx(1.01 + 7.003)
    np.testing.assert_allclose(read.signal[:51], 1, rtol=1e-6)  # nothing came over the gap
    np.testing.assert_allclose(read.signal[51:], -1, rtol=1e-6)


def test_an_unknown_target_makes_those_near_it_unknown(save):
    y = np.arange(400.0) % 7
    y[200] = np.nan
    path = save(np.arange(400) / 100, x=slow_wave(np.arange(400) / 100), y=y)

    read = read_recording(path, targets=("y",), resample=True, sampling_rate_hz=50)

    unknown = np.flatnonzero(np.isnan(read.signal[:, 1]))
    assert unknown.tolist() == list(range(89, 111))  # 20 samples of 100 Hz, and one
    assert np.isfinite(read.signal[:, 0]).all()


def test_what_is_not_finite_is_named_with_its_own_row(save):
    with pytest.raises(DataError, match=r"row \d+, column 'x': "):
        read_recording(
            save(np.arange(99) / 100, x=np.where(np.arange(99) == 50, np.inf, np.arange(99) % 5)),
            resample=True, sampling_rate_hz=50,
        )  # fmt: skip


def test_a_recording_without_a_rate_is_refused(write):
    with pytest.raises(DataError, match="its sampling rate is unknown, so it cannot be resampled"):
        read_recording(write(".npy"), resample=True, sampling_rate_hz=50)


def test_the_rate_to_go_to_says_nothing_of_the_unit_of_times(tmp_path):
    pd.DataFrame({"time": np.arange(99) * 10, "x": np.arange(99) % 7}).to_csv(tmp_path / "one.csv")

    with pytest.raises(DataError, match="its step of 10 has no unit"):
        read_recording(tmp_path / "one.csv", resample=True, sampling_rate_hz=100)


def write_mixed(path, seconds=20):
    """Write a channel of 100 Hz, one of 10 Hz, and one of 100 Hz, all of the same wave."""
    rates = {"EEG": 100, "Temp": 10, "EOG": 100}
    columns = [0.9 * slow_wave(np.arange(rate * seconds) / rate) for rate in rates.values()]
    if path.suffix == ".hea":
        per_frame = [10, 1, 10]
        wfdb.wrsamp(
            path.stem, fs=10, units=["mV"] * 3, sig_name=[*rates], fmt=["16"] * 3,
            e_p_signal=columns, samps_per_frame=per_frame, write_dir=str(path.parent),
        )  # fmt: skip
        return
    with pyedflib.EdfWriter(str(path), 3, file_type=pyedflib.FILETYPE_EDF) as file:
        for i, (label, rate) in enumerate(rates.items()):
            file.setSignalHeader(i, EDF_CHANNEL | {"label": label, "sample_frequency": rate})
        file.writeSamples(columns)


@pytest.mark.parametrize("suffix", [".edf", ".hea"])
@pytest.mark.parametrize("target_hz", [10, 64, 100, 130])
def test_channels_of_several_rates_become_those_of_one(tmp_path, suffix, target_hz):
    path = tmp_path / f"night{suffix}"
    write_mixed(path)

    read = read_recording(path, resample=True, sampling_rate_hz=target_hz)

    assert read.channels == ["EEG", "Temp", "EOG"]
    assert read.sampling_rate_hz == target_hz
    at = np.arange(len(read.signal)) / target_hz
    assert at[-1] == pytest.approx(20, abs=0.11)
    inside = (at > 2) & (at < 18)
    for column in range(3):
        np.testing.assert_allclose(
            read.signal[inside, column], 0.9 * slow_wave(at[inside]), atol=0.02
        )
    some = read_recording(path, ["EOG", "Temp"], resample=True, sampling_rate_hz=target_hz)
    np.testing.assert_array_equal(some.signal, read.signal[:, [2, 1]])
    with open_recording(path, resample=True, sampling_rate_hz=target_hz) as source:
        np.testing.assert_array_equal(np.concatenate(list(source.samples())), read.signal)
    with pytest.raises(DataError, match=r"`resample: true` .*`sampling_rate_hz`, or .*`channels`"):
        read_recording(path)
