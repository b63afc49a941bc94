"""Strikes are exactly where their labels are, and everything about them is known."""

from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from seqbench.datasets.base import DataError
from seqbench.datasets.strike_signals import add_strikes
from seqbench.datasets.strikes import strikes_continuous, strikes_windows
from seqbench.storage.recordings import Recordings

CACHE = Path("unused")
SHORT = {"n_types": 3, "n_channels": 2, "train_s": 12.0, "val_s": 6.0, "test_s": 8.0}
# Every strike of amplitude 1, no sway, and noise of a millionth of a peak.
CLEAN = {"snr_db": 120.0, "amplitude_jitter": 0.0, "drift": 0.0}
SCHEDULES = ("poisson", "change_ringing")


def windows(**options) -> Recordings:
    return strikes_windows(CACHE, **({"n_train": 20, "n_val": 10, "n_test": 10} | options))


def continuous(**options) -> Recordings:
    return strikes_continuous(CACHE, **(SHORT | options))


def synthesised(made: Recordings, index: int) -> np.ndarray:
    """Return recording `index` as its labels and templates describe it, (n_samples, C)."""
    signal = np.zeros_like(made.signals[index])
    mine = made.label_recording == index
    starts = made.label_start[mine] - made.truth["template_onset"]
    add_strikes(signal, made.truth["templates"], starts, made.label[mine])
    return signal


def events(made: Recordings) -> np.ndarray:
    return np.stack([made.label_recording, made.label, made.label_start, made.label_stop])


def assert_refractory_time_is_kept(made: Recordings) -> None:
    for index in range(len(made.signals)):
        for kind in range(len(made.classes)):
            onsets = made.label_start[(made.label_recording == index) & (made.label == kind)]
            assert (np.diff(onsets) / made.sampling_rate_hz >= made.refractory_s).all()


# Both sources


@pytest.mark.parametrize("make", [windows, continuous])
def test_every_recording_is_a_group_of_its_own_and_labelled_throughout(make):
    made = make()

    assert made.groups == made.names
    assert made.known_spans.tolist() == [[0, length] for length in made.lengths]
    assert list(dict.fromkeys(made.splits)) == ["train", "val", "test"]
    assert (made.task, made.sample, made.tolerance_ms) == ("detection", "series", 5.0)
    assert made.source == {"origin": "generated", "licence": "none needed"}


@pytest.mark.parametrize("make", [windows, continuous])
def test_labels_stand_in_order_of_recording_and_time(make):
    made = make()

    order = np.lexsort((made.label_start, made.label_recording))
    assert order.tolist() == list(range(len(made.label)))


@pytest.mark.parametrize("make", [windows, continuous])
def test_parts_have_nothing_in_common(make):
    made = make(train_s=8.0, val_s=8.0, test_s=8.0) if make is continuous else make()

    firsts = [made.splits.index(part) for part in ("train", "val", "test")]
    for one, other in ((0, 1), (1, 2), (0, 2)):
        a, b = (made.signals[firsts[i]][:, 0].astype(np.float64) for i in (one, other))
        assert not np.array_equal(a, b)
        assert abs(np.corrcoef(np.diff(a), np.diff(b))[0, 1]) < 0.1
        onsets = [
            made.label_start[made.label_recording == firsts[i]].tolist() for i in (one, other)
        ]
        assert onsets[0] != onsets[1]


@pytest.mark.parametrize(
    ("make", "loud", "quiet"),
    [(windows, {"noise": 0.5}, {"noise": 0.0}), (continuous, {"snr_db": -6.0}, CLEAN)],
)
def test_noise_changes_no_event(make, loud, quiet):
    np.testing.assert_array_equal(events(make(**loud)), events(make(**quiet)))


# strikes_windows


def test_windows_have_the_numbers_names_and_length_of_the_options():
    made = windows(n_train=3, n_val=2, n_test=1)

    assert made.names[:3] == ["train00000", "train00001", "train00002"]
    assert made.names[3:] == ["val00000", "val00001", "test00000"]
    assert made.lengths.tolist() == [2000] * 6
    assert len(made.channels) == len(made.units) == 6
    assert made.classes == [f"e{kind:02d}" for kind in range(16)]
    assert (made.sampling_rate_hz, made.refractory_s) == (2000.0, 2.0)


def test_a_lone_burst_stands_around_its_label_on_two_channels_and_nothing_elsewhere():
    made = windows(noise=0.0, n_train=300, probability=0.06)

    seen = set()
    for index, n_events in Counter(made.label_recording.tolist()).items():
        if n_events != 1:
            continue
        (event,) = np.flatnonzero(made.label_recording == index)
        kind, time = int(made.label[event]), int(made.label_start[event])
        expected = np.zeros((2000, 6))
        burst = 0.5 * np.sin(2 * np.pi * (kind + 1) * np.arange(50) / 49)
        expected[time - 25 : time + 25, kind % 6] = burst
        expected[time - 25 : time + 25, (kind + 1) % 6] = burst
        np.testing.assert_allclose(made.signals[index], expected, atol=1e-6)
        assert made.label_stop[event] == time + 25
        seen.add(kind)
    assert len(seen) == 16


def test_templates_and_labels_give_the_windows_without_noise():
    made = windows(noise=0.0)

    for index, signal in enumerate(made.signals):
        np.testing.assert_array_equal(signal, synthesised(made, index))


def test_the_truth_of_windows_has_the_promised_shapes():
    truth = windows(noise=0.2, n_types=5, n_channels=3).truth

    assert (truth["templates"].shape, truth["templates"].dtype) == ((5, 3, 50), np.float32)
    assert (truth["template_onset"].shape, int(truth["template_onset"])) == ((), 25)
    assert truth["template_onset"].dtype == np.int64
    np.testing.assert_array_equal(truth["delays_s"], np.zeros((5, 3)))
    assert truth["noise_sd"].tolist() == [0.2] * 3
    assert truth["noise_lag_one"] == 0


def test_every_strike_is_its_template_times_its_amplitude():
    made = continuous(snr_db=120, drift=0, amplitude_jitter=0.5)
    (number,) = np.flatnonzero(np.array(made.splits) == "test")
    amplitude, mine = made.label_amplitude, made.label_recording == number
    signal = np.zeros_like(made.signals[number])
    starts = made.label_start[mine] - made.truth["template_onset"]
    add_strikes(signal, made.truth["templates"], starts, made.label[mine], amplitude[mine])
    left = made.signals[number] - signal

    assert len(np.unique(amplitude)) == len(made.label)
    assert (np.ptp(left, axis=0) < 1e-3 * np.ptp(signal, axis=0)).all()  # offsets and rounding


def test_each_type_is_in_three_of_ten_windows_and_once_at_most():
    made = windows(n_train=1000, n_types=16)

    pairs = Counter(zip(made.label_recording.tolist(), made.label.tolist(), strict=True))
    assert max(pairs.values()) == 1
    share = np.bincount(made.label, minlength=16) / len(made.signals)
    assert share.mean() == pytest.approx(0.3, abs=0.015)  # 16320 draws: standard error 0.0036
    np.testing.assert_allclose(share, 0.3, atol=0.06)  # 1020 draws each: 0.014


def test_times_are_uniform_over_the_window_without_its_margins():
    onsets = windows(n_train=1000).label_start

    assert 100 <= onsets.min() <= 110
    assert 1889 <= onsets.max() <= 1899
    counts, _ = np.histogram(onsets, bins=9, range=(100, 1900))  # about 540 each
    np.testing.assert_allclose(counts, len(onsets) / 9, rtol=0.2)


def test_noise_of_windows_is_white_and_has_its_deviation():
    quiet, loud = (np.stack(windows(noise=noise).signals) for noise in (0.0, 0.1))

    noise = (loud - quiet).astype(np.float64)  # 480000 numbers
    assert noise.std() == pytest.approx(0.1, rel=0.01)
    assert abs(np.mean(noise[:, 1:] * noise[:, :-1])) < 0.01 * 0.1**2
    assert abs(np.mean(noise[..., 1:] * noise[..., :-1])) < 0.01 * 0.1**2


def test_a_larger_train_changes_neither_its_first_windows_nor_val_and_test():
    few, many = windows(n_train=5), windows(n_train=9)

    for name in ("train00004", "val00009", "test00000"):
        one, other = (made.signals[made.names.index(name)] for made in (few, many))
        np.testing.assert_array_equal(one, other)


# strikes_continuous


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_templates_and_labels_give_the_recordings_up_to_offsets(schedule):
    made = continuous(schedule=schedule, n_types=12, n_channels=6, **CLEAN)

    gains = made.truth["noise_sd"] * 1e6
    for index, signal in enumerate(made.signals):
        rest = (signal - synthesised(made, index)) / gains
        offsets = np.median(rest, axis=0)
        assert np.abs(rest - offsets).max() < 1e-5
        assert np.abs(offsets).max() <= 5
        assert np.abs(signal / gains - offsets).max() > 0.9


@pytest.mark.parametrize("options", [{}, {"max_skew_ms": 30.0}, {"max_skew_ms": 0.0}])
def test_whole_strikes_stand_inside_their_recordings(options):
    for seed in range(5):
        made = continuous(seed=seed, rate_hz=0.5, train_s=4.0, val_s=4.0, test_s=4.0, **options)
        onset, lengths = int(made.truth["template_onset"]), made.lengths[made.label_recording]
        n_samples = made.truth["templates"].shape[2]
        assert (made.label_start >= max(100, onset)).all()
        assert (lengths - made.label_start >= max(100, n_samples - onset)).all()
        assert (made.label_stop == made.label_start + n_samples - onset).all()


@pytest.mark.parametrize(
    "options",
    [
        {"schedule": "poisson", "rate_hz": 0.5},
        {"schedule": "poisson", "rate_hz": 3.0, "refractory_s": 0.3, "sampling_rate_hz": 1777.7},
        {"schedule": "change_ringing"},
        {"schedule": "change_ringing", "n_types": 12},
        {"schedule": "change_ringing", "n_types": 5, "jitter_ms": 40.0, "refractory_s": 2.5},
    ],
)
def test_no_type_returns_within_its_refractory_time(options):
    for seed in range(6):
        made = continuous(seed=seed, n_channels=1, **({"n_types": 8} | options))
        assert_refractory_time_is_kept(made)
        assert max(Counter(made.label[made.label_recording == 0].tolist()).values()) > 2


def test_twelve_bells_strike_every_210_ms_and_fewer_more_slowly():
    many, few = (continuous(schedule="change_ringing", n_types=n, jitter_ms=0.0) for n in (12, 6))

    between = np.diff(many.label_start[many.label_recording == 0])
    assert np.median(between) == pytest.approx(420, abs=1)
    # 1.9 s and a sample in five intervals
    between = np.diff(few.label_start[few.label_recording == 0])
    assert np.median(between) == pytest.approx(1.9005 / 5 * 2000, abs=1)


def test_an_interval_can_be_named():
    made = continuous(schedule="change_ringing", n_types=8, interval_ms=300.0, jitter_ms=0.0)

    between = np.diff(made.label_start[made.label_recording == 0])
    assert set(between.tolist()) <= {599, 600, 601, 1199, 1200, 1201}


@pytest.mark.parametrize("snr_db", [0.0, 6.0])
def test_the_loudest_peak_of_every_type_stands_above_the_noise_by_the_ratio(snr_db):
    made = continuous(snr_db=snr_db, amplitude_jitter=0.0, drift=0.0, train_s=60.0)

    noise = made.signals[0] - synthesised(made, 0)
    deviation = noise.std(axis=0, dtype=np.float64)  # 120000 numbers
    np.testing.assert_allclose(deviation, made.truth["noise_sd"], rtol=0.03)
    lag_one = [np.corrcoef(channel[1:], channel[:-1])[0, 1] for channel in noise.T]
    np.testing.assert_allclose(lag_one, made.truth["noise_lag_one"], atol=0.02)
    peaks = np.abs(made.truth["templates"]).max(axis=2) / made.truth["noise_sd"]
    np.testing.assert_allclose(20 * np.log10(peaks.max(axis=1)), snr_db, atol=1e-4)
    assert 20 * np.log10(peaks.min()) >= snr_db - 10.5


def test_amplitudes_are_log_normal_around_one():
    made = continuous(n_types=2, rate_hz=0.4, train_s=300.0, **(CLEAN | {"amplitude_jitter": 0.3}))

    mine = made.label_recording == 0
    onsets, kinds = made.label_start[mine], made.label[mine]
    gains = made.truth["noise_sd"] * 1e6
    signal = (made.signals[0] - np.median(made.signals[0], axis=0)) / gains
    shapes = made.truth["templates"].transpose(0, 2, 1) / gains
    lead, n_samples = int(made.truth["template_onset"]), shapes.shape[1]
    near = [b - a < n_samples for a, b in pairwise(onsets)]
    alone = ~(np.array([False, *near]) | np.array([*near, False]))
    logs = []
    for onset, kind in zip(onsets[alone], kinds[alone], strict=True):
        piece = signal[onset - lead : onset - lead + n_samples]
        logs.append(np.log(np.sum(piece * shapes[kind]) / np.sum(shapes[kind] ** 2)))
    assert len(logs) > 150
    assert abs(np.mean(logs)) < 0.08  # standard error 0.02
    assert np.std(logs) == pytest.approx(0.3, rel=0.2)


def test_sway_is_below_two_hertz_and_as_large_as_the_option():
    still, swaying = (
        continuous(train_s=100.0, drift=drift, snr_db=0.0, n_channels=4) for drift in (0.0, 3.0)
    )

    slow = (swaying.signals[0] - still.signals[0]).astype(np.float64) / still.truth["noise_sd"]
    assert np.sqrt(np.mean(slow**2)) == pytest.approx(3, rel=0.2)
    power = np.abs(np.fft.rfft(slow * np.hanning(len(slow))[:, None], axis=0)) ** 2
    fast = np.fft.rfftfreq(len(slow), 1 / 2000) > 2
    assert power[fast].sum() < 1e-5 * power.sum()
    assert abs(np.corrcoef(slow.T)[0, 1]) < 0.9


def test_channels_differ_in_gain_offset_and_unit():
    made = continuous(n_channels=6, amplitude_jitter=0.0, drift=0.0)

    noise_sd = np.sort(made.truth["noise_sd"])
    assert noise_sd[-1] / noise_sd[0] == pytest.approx(100)
    assert (np.diff(noise_sd) > 0).all()
    assert len({round(float(m), 3) for m in np.median(made.signals[0], axis=0)}) == 6
    assert set(made.units) == {"mV", "g"}


def test_templates_come_from_the_seed_alone():
    one = continuous()
    other = continuous(schedule="change_ringing", train_s=6.0, n_val=2, rate_hz=0.1, drift=0.0)

    for name, array in one.truth.items():
        np.testing.assert_array_equal(array, other.truth[name])
    assert not np.array_equal(one.truth["templates"], continuous(seed=1).truth["templates"])


def test_a_longer_train_changes_neither_val_nor_test():
    short, long = continuous(), continuous(train_s=20.0, n_train=2)

    for name in ("val0", "test0"):
        one, other = (made.signals[made.names.index(name)] for made in (short, long))
        np.testing.assert_array_equal(one, other)


def clean_pieces(made, n_samples):
    """Return the strikes of train in gains, (n, n_samples, C), those alone, and their types."""
    mine = made.label_recording == 0
    onsets, kinds = made.label_start[mine], made.label[mine]
    gains = made.truth["noise_sd"] * 1e6
    signal = (made.signals[0] - np.median(made.signals[0], axis=0)) / gains
    lead = int(made.truth["template_onset"])
    near = np.diff(onsets) < 2 * n_samples
    alone = ~(np.append(False, near) | np.append(near, False)) & (onsets < len(signal) - n_samples)
    pieces = [signal[onset - lead : onset - lead + n_samples] for onset in onsets[alone]]
    return np.stack(pieces), kinds[alone]


VARIED = CLEAN | {"amplitude_jitter": 0.0, "n_types": 2, "rate_hz": 0.4, "train_s": 200.0}


def test_strikes_have_either_of_two_templates():
    made = continuous(second_template=0.4, **VARIED)

    pieces, kinds = clean_pieces(made, made.truth["templates"].shape[2])
    gains = made.truth["noise_sd"] * 1e6
    errors = [
        np.abs(pieces - made.truth[name][kinds].transpose(0, 2, 1) / gains).max(axis=(1, 2))
        for name in ("templates", "second_templates")
    ]
    assert np.min(errors, axis=0).max() < 1e-3
    is_second = errors[1] < errors[0]
    assert len(is_second) > 60
    assert 0.25 < is_second.mean() < 0.55
    height, other = (
        np.abs(made.truth[name]).max(axis=2) for name in ("templates", "second_templates")
    )
    np.testing.assert_allclose(other, height, rtol=1e-5)


def test_every_strike_has_a_pitch_and_a_decay_of_its_own():
    for options in ({"pitch_jitter": 0.08}, {"decay_jitter": 0.3}):
        pieces, _ = clean_pieces(continuous(**VARIED, **options), 100)
        plain, _ = clean_pieces(continuous(**VARIED), 100)
        assert np.abs(pieces - plain).max() > 0.1
        # As strong in the middle, and never the same shape twice.
        ratio = np.square(pieces).sum(axis=(1, 2)) / np.square(plain).sum(axis=(1, 2))
        assert len(np.unique(ratio.round(4))) > 0.9 * len(ratio)
        assert np.median(ratio) == pytest.approx(1, abs=0.1)


def test_half_of_the_strikes_touch_once_more():
    plain, bouncing = continuous(**VARIED), continuous(**VARIED, bounces=0.5)

    np.testing.assert_array_equal(bouncing.label_start, plain.label_start)  # a bounce is no event
    added = clean_pieces(bouncing, 200)[0] - clean_pieces(plain, 200)[0]
    height = np.abs(added).max(axis=(1, 2)) / np.abs(clean_pieces(plain, 200)[0]).max(axis=(1, 2))
    bounced = height > 0.05
    assert 0.35 < bounced.mean() < 0.65
    assert (height[bounced] > 0.29).all()
    assert (height[bounced] < 0.81).all()
    assert np.abs(added[:, :24]).max() < 1e-3  # 12 ms after the strike at the earliest


def test_shapes_that_vary_change_nothing_else():
    plain, varied = continuous(drift=3.0), continuous(drift=3.0, second_template=0.4, bounces=0.5)

    for name, array in plain.truth.items():
        np.testing.assert_array_equal(array, varied.truth[name])
    np.testing.assert_array_equal(plain.label_start, varied.label_start)
    np.testing.assert_array_equal(plain.label_amplitude, varied.label_amplitude)
    same = np.isclose(plain.signals[0], varied.signals[0], atol=1e-6).all(axis=1)
    assert 0.2 < same.mean() < 0.99


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"rate_hz": 0.6},
            "a `rate_hz` of 0.6 brings a type back within its `refractory_s`; give less than 0.526",
        ),
        (
            {"schedule": "change_ringing", "n_types": 8, "interval_ms": 210.0},
            "at an `interval_ms` of 210 one of 8 bells could return within its `refractory_s`;"
            " give at least 281, or none",
        ),
        (
            {"val_s": 0.1},
            "a `val_s` of 0.1 leaves no room between the ends; give at least 0.1005",
        ),
    ],
)
def test_options_that_contradict_each_other_are_refused(options, sentence):
    with pytest.raises(DataError) as refusal:
        continuous(**options)

    assert str(refusal.value) == f"strikes_continuous: {sentence}"


@pytest.mark.parametrize(
    "options",
    [
        {"val_s": 0.1005},
        {"rate_hz": 0.525},
        {"schedule": "change_ringing", "n_types": 8, "interval_ms": 281.0},
    ],
)
def test_the_fix_in_a_refusal_is_accepted(options):
    assert_refractory_time_is_kept(continuous(**options))
