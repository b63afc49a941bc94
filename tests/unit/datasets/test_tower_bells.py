"""Bells of a tower are rung in changes, heard by sensors, and labelled at their strikes."""

import sys

import numpy as np
import pytest

from seqbench.datasets.base import DataError
from seqbench.datasets.tower_bells import tower_bells

SMALL = {"n_sensors": 1, "n_train": 1, "n_val": 1, "n_test": 1, "touch_s": 6.0}
FIVE = {"n_bells": 5}


@pytest.fixture(scope="module", autouse=True)
def bells(write_bells, tmp_path_factory):
    package = write_bells(tmp_path_factory.mktemp("packages"))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(package.parent)
        yield package


def rung(**options):
    return tower_bells(None, **SMALL | FIVE | options)


def onsets(recordings, name):
    return recordings.label_start[recordings.label_recording == recordings.names.index(name)]


def kinds(recordings, name):
    return recordings.label[recordings.label_recording == recordings.names.index(name)]


def test_splits_follow_methods_of_their_own():
    methods = rung(n_train=2, n_test=2).source["methods"]

    by_split = {
        split: {method for name, method in methods.items() if name.startswith(split)}
        for split in ("train", "val", "test")
    }
    assert all(len(own) == 1 for own in by_split.values())
    assert set.union(*by_split.values()) == {"New Bob", "Plain Bob", "St Simon's Bob"}


def test_the_same_strikes_at_another_rate_have_the_same_times():
    slow, fast = rung(), rung(sampling_rate_hz=8000, n_sensors=2, snr_db=40.0, bounces=1.0)

    np.testing.assert_array_equal(slow.label, fast.label)
    apart_s = fast.label_start / 8000 - slow.label_start / 2000
    assert (apart_s >= 0).all()
    assert (apart_s < 1 / 2000).all()
    assert not np.array_equal(slow.label, rung(seed=1).label)


def test_before_the_first_strike_it_is_still_and_then_sound_travels_to_the_sensor():
    recordings = rung(snr_db=120.0, amplitude_jitter=0.0, bounces=0.0)

    signal, first = np.abs(recordings.signals[0][:, 0]), onsets(recordings, "train0")[0]
    loud = int(np.argmax(signal > 0.05 * signal.max()))
    assert first < loud <= first + 0.03 * 2000  # up to 9 m
    assert signal[: first - 20].max() < 1e-4 * signal.max()


def test_strengths_vary_and_noise_is_as_strong_as_requested():
    calm = {"amplitude_jitter": 0.0, "bounces": 0.0}
    still, noisy = (rung(**calm, snr_db=snr_db).signals[0] for snr_db in (120.0, 0.0))
    varied = rung(bounces=0.0, snr_db=120.0).signals[0]

    # The loudest strikes overlap little in rows of five bells.
    assert 0.3 < np.abs(still).max() / (noisy - still).std() < 3
    assert np.abs(varied - still).max() > 0.1 * np.abs(still).max()


def test_the_strength_of_each_strike_is_known():
    recordings = rung(bounces=0.0, snr_db=120.0, touch_s=12.0)
    even = rung(bounces=0.0, snr_db=120.0, touch_s=12.0, amplitude_jitter=0.0)

    assert (even.label_amplitude == 1).all()
    assert np.log(recordings.label_amplitude).std() == pytest.approx(0.3, rel=0.3)
    # Before the second strike there is the first one alone.
    first, second = onsets(even, "train0")[:2]
    ratio = (
        np.abs(recordings.signals[0][first:second]).max()
        / np.abs(even.signals[0][first:second]).max()
    )
    assert recordings.label_amplitude[0] == pytest.approx(ratio, rel=1e-3)


def test_bounces_are_heard_after_strikes_and_are_no_events():
    without, bounced = (rung(bounces=share, snr_db=120.0) for share in (0.0, 1.0))

    np.testing.assert_array_equal(without.label_start, bounced.label_start)
    added = np.abs(bounced.signals[0] - without.signals[0])[:, 0]
    first = onsets(without, "train0")[0]
    begin = int(np.argmax(added > 0.01 * added.max()))
    assert first + 0.04 * 2000 <= begin < first + (0.15 + 0.03) * 2000


def test_intervals_are_those_of_ringers_with_a_gap_before_every_second_row():
    recordings = rung(jitter_ms=0.0, interval_ms=400.0)

    between_s = np.diff(onsets(recordings, "test0")) / 2000
    gaps = np.flatnonzero(between_s > 0.6)
    np.testing.assert_allclose(between_s[gaps], 0.8, atol=0.001)
    np.testing.assert_allclose(np.delete(between_s, gaps), 0.4, atol=0.001)
    assert (np.diff(gaps) == 10).all()
    assert recordings.refractory_s == pytest.approx(1.6 - 1 / 2000)


def test_another_tower_is_rung_in_test_and_train_has_the_strikes_requested_of_it():
    few, more = (rung(test_tower="st_michael", strikes_per_bell=n) for n in (1, 3))

    assert np.bincount(kinds(few, "train_st_michael")).tolist() == [1] * 5
    assert np.bincount(kinds(more, "val_st_michael")).tolist() == [3] * 5
    test = few.names.index("test0")
    np.testing.assert_array_equal(few.signals[test], more.signals[more.names.index("test0")])
    own = rung()
    np.testing.assert_array_equal(own.label_start[:5], few.label_start[:5])
    assert not np.array_equal(own.signals[own.names.index("test0")], few.signals[test])
    np.testing.assert_array_equal(own.signals[0], few.signals[0])
    assert any("St_Michael" in file for file in few.source["files"])
    assert not any("St_Michael" in file for file in own.source["files"])


def test_strikes_of_the_other_tower_may_be_all_there_is_to_learn_from():
    recordings = rung(test_tower="st_michael", strikes_per_bell=2, n_train=0, n_val=0)

    assert recordings.names == ["test0", "train_st_michael", "val_st_michael"]


def test_the_origin_of_the_recordings_is_said_to_be_unknown():
    source = rung().source

    assert "MIT" in source["licence"]
    assert any("is not stated" in note for note in source["notes"])
    assert all(len(digest) == 64 for digest in source["files"].values())


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"tower": "st_michael", "n_bells": 7}, "`n_bells` is 7, but there are 6 bells"),
        ({"n_bells": 9}, "fewer methods for that number of bells"),
        ({"jitter_ms": 300.0}, "a bell could strike twice at once; give a smaller `jitter_ms`"),
        ({"strikes_per_bell": 3}, "`strikes_per_bell` are those of another tower"),
        ({"n_val": 0}, "without touches train or val has no strikes"),
    ],
)
def test_options_that_contradict_one_another_are_refused(options, problem):
    with pytest.raises(DataError, match=problem):
        rung(**options)


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "crengine", None)

    with pytest.raises(DataError, match=r"crengine, which is missing; .*'seqbench\[bells\]'"):
        rung()


def test_an_absent_recording_is_named(bells, monkeypatch, tmp_path):
    path = bells / "CRE/towers/St_Wilfrid/9.wav"
    path.rename(tmp_path / "9.wav")
    try:
        with pytest.raises(DataError, match=r"St_Wilfrid/9\.wav: it cannot be read"):
            rung()
    finally:
        (tmp_path / "9.wav").rename(path)
