"""What val and test of a dataset share with train of another one is found, however both are cut."""

from dataclasses import replace

import numpy as np
import pytest

from fixtures.windows import NAMED, job
from seqbench.windowing import overlap
from seqbench.windowing.leakcheck import UNSEEN
from seqbench.windowing.overlap import find_overlap
from seqbench.windowing.windows import make_windows

SWAPPED = {"val": ["r0", "r1"], "test": ["r2", "r3"]}  # r4 and r5, test of `NAMED`, are train


@pytest.fixture
def six(recordings):
    """Six recordings of two classes."""
    return recordings(["a", "b"] * 3, lengths=[120, 90, 150, 80, 100, 110])


@pytest.fixture
def others(recordings):
    """Six others."""
    return recordings(["a", "b"] * 3, lengths=[120, 90, 150, 80, 100, 110], seed=1)


def found(own, source, own_job, source_job):
    """Return what windows of one dataset share with another one."""
    splits = make_windows(own, own_job)
    unseen = {split: splits[split] for split in UNSEEN}
    return find_overlap(unseen, own, source, (own_job, source_job), ("mine", "theirs"))


@pytest.mark.parametrize("normalization", ["zscore", "robust", "per_recording", "per_window"])
@pytest.mark.parametrize("n_places", [17, 1 << 20])
def test_test_of_one_that_is_train_of_another_is_found_whatever_both_are_cut_to(
    six, normalization, n_places, monkeypatch
):
    monkeypatch.setattr(overlap, "N_PLACES", n_places)
    own_job = job(normalization=normalization, length_samples=13, step_samples=7)

    both = found(six, six, own_job, job(SWAPPED, length_samples=40))

    assert (both.dataset, both.source) == ("mine", "theirs")
    assert both.n_repeated["test"] == both.n_windows["test"] > 20  # r4 and r5
    assert both.n_repeated["val"] == 0  # r2 and r3 are test there
    assert set(both.n_repeated_in_val.values()) == {0}
    assert both.n_shared_groups == {"val": 0, "test": 2}
    assert both.is_leak


def test_what_models_are_chosen_on_is_told_apart(six):
    both = found(six, six, job(length_samples=13), job({"val": ["r4"], "test": ["r5"]}))

    assert both.n_repeated == {"val": both.n_windows["val"], "test": 0}
    assert 0 < both.n_repeated_in_val["test"] < both.n_windows["test"]
    assert both.n_shared_groups_in_val == {"val": 0, "test": 1}
    assert both.n_known("test") == both.n_repeated_in_val["test"]
    assert both.n_known_groups("val") == 2


def test_windows_inside_of_a_longer_recording_are_found(six, recordings):
    signal = np.concatenate([np.ones((3, 2), np.float32), six.signals[4], six.signals[1]])
    longer = recordings(["a", "b", "a", "b"], signals=[signal, *six.signals[1:4]])
    split = {"val": ["r1"], "test": ["r2", "r3"]}

    both = found(six, longer, job(), job(split))

    assert both.n_repeated == {"val": 0, "test": 1}  # r4 whole, and not r5
    assert set(both.n_shared_groups.values()) == {0}  # r1 is in both, but not in test


def test_datasets_of_the_same_names_share_nothing(six, others):
    both = found(six, others, job(length_samples=8), job(SWAPPED))

    assert set(both.n_repeated.values()) == {0}
    assert set(both.n_shared_groups.values()) == {0}
    assert not both.is_leak


def test_half_of_a_window_is_none(six):
    changed = [signal.copy() for signal in six.signals]
    for signal in changed[4:]:
        signal[:20] += 1

    both = found(six, replace(six, signals=changed), job(), job(SWAPPED))

    assert both.n_repeated["test"] == 0


def test_a_subject_with_other_recordings_in_train_of_the_other_dataset_is_found(six):
    own = replace(six, groups=["g0", "g1", "g2", "g3", "g4", "g0"])

    both = found(
        own,
        own,
        job({"val": ["r2"], "test": ["r5"], "by": "recording"}),
        job({"val": ["r5"], "test": ["r1"], "by": "recording"}),
    )

    assert both.n_repeated == {"val": 1, "test": 0}
    assert both.n_shared_groups == {"val": 1, "test": 1}  # g2, and g0 by way of r0


def test_silence_is_in_all_datasets_and_does_not_count(six, others):
    quiet = [np.zeros_like(signal) for signal in six.signals]

    both = found(
        replace(six, signals=[*six.signals[:4], *quiet[4:]]),
        replace(others, signals=[*others.signals[:4], *quiet[4:]]),
        job(normalization="none", length_samples=10),
        job(SWAPPED),
    )

    assert both.n_windows["test"] > 0
    assert both.n_repeated["test"] == 0


def test_padding_is_no_part_of_what_is_looked_for(six):
    both = found(six, six, job(pad_to_samples=160), job(SWAPPED))

    assert both.n_repeated["test"] == 2


def test_of_a_series_that_is_cut_elsewhere_in_time_test_is_found(recordings):
    series = recordings(
        ["", ""], lengths=[100, 120], intervals=[], task="forecasting", classes=[], targets=None
    )
    series = replace(series, signals=[np.exp(signal) for signal in series.signals])
    early, late = (
        job(
            {"by": "time", "val": 0.1, "test": test},
            transform={"log": True, "difference_samples": (1, 3)},
            length_samples=5,
            horizon_samples=2,
        )
        for test in (0.5, 0.1)
    )

    assert found(series, series, early, late).n_repeated["test"] > 40
    assert not any(found(series, series, early, late).n_shared_groups.values())
    assert set(found(series, series, early, early).n_repeated.values()) == {0}


def test_recordings_scaled_by_themselves_are_found_where_the_other_dataset_cuts_them_in_time(
    recordings,
):
    series = recordings(
        ["", "", ""], lengths=[100, 120, 110], intervals=[], task="forecasting", classes=[]
    )
    cut = {"length_samples": 5, "horizon_samples": 2}
    whole = job({"val": ["r1"], "test": ["r2"]}, normalization="per_recording", **cut)
    in_time = job({"by": "time", "val": 0.1, "test": 0.2}, **cut)

    both = found(series, series, whole, in_time)

    assert 70 < both.n_repeated["test"] < both.n_windows["test"]


def words(recordings, *spelt):
    """Return words, one a recording."""
    signals = [np.array([[ord(c)] for c in word], np.float32) for word in spelt]
    return recordings(
        ["a", "b"] * (len(spelt) // 2),
        signals=signals,
        sample="tokens",
        channels=["letter"],
        units=[""],
    )


def test_a_word_is_in_another_dataset_if_it_is_one_there(recordings):
    own = words(recordings, "abc", "bca", "cab", "acb", "abcab", "ca")
    source = words(recordings, "abcab", "caa", "b", "c", "a", "bb")

    both = found(own, source, job(), job())

    # "abcab" is a word of train there, "ca" only the beginning of one.
    assert both.n_repeated == {"val": 0, "test": 1}


def test_spans_have_the_same_number_where_they_are_the_same(recordings):
    rows = np.random.default_rng(0).integers(0, 2, size=(4000, 3)).astype(np.float32)
    spans = [rows[i : i + 8].tobytes() for i in range(len(rows) - 7)]

    numbers = overlap._of_spans(overlap._of_rows(rows), 8).tolist()

    assert len(set(numbers)) == len(set(spans)) == len(set(zip(numbers, spans, strict=True)))


def test_splits_by_name_are_those_of_the_job(six):
    assert found(six, six, job(), job(NAMED)).n_repeated == {"val": 0, "test": 0}
