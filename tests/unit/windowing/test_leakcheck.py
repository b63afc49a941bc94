"""Planted leaks are found: those that can only be faults are refused, the others counted."""

from dataclasses import replace

import numpy as np
import pytest

from fixtures.windows import NAMED, job
from seqbench.config.stages import Fold
from seqbench.steps import window
from seqbench.storage.recordings import write_recordings
from seqbench.storage.windows import read_leakcheck
from seqbench.windowing import windows as making
from seqbench.windowing.leakcheck import LeakError, find_leaks
from seqbench.windowing.windows import make_windows

IN_TIME = {"by": "time", "val": 0.2, "test": 0.2}


@pytest.fixture
def six(recordings):
    return recordings(["a", "b"] * 3, lengths=[12, 9, 15, 8, 10, 11])


@pytest.fixture
def series(recordings):
    """Two long series to forecast."""
    return recordings(
        ["", ""], lengths=[50, 60], intervals=[], task="forecasting", classes=[], targets=None
    )


@pytest.fixture
def words(recordings):
    """Six words, letters of which only test has one."""
    spelt = [np.array([[ord(c)] for c in word], np.float32) for word in (*["ab", "ba"] * 2, "abz")]
    return recordings(
        ["a", "b", "a", "b", "a"],
        signals=spelt,
        sample="tokens",
        channels=["letter"],
        units=[""],
    )


@pytest.fixture
def statistics_of_all(monkeypatch):
    """Fit statistics and vocabularies on all splits."""
    monkeypatch.setattr(making, "_of_train", lambda arrays, in_train: np.concatenate(arrays))


def found(recordings, job, **changes):
    """Return what is found in windows, after changes to a split."""
    splits = make_windows(recordings, job)
    for split, of_split in changes.items():
        splits[split] = replace(splits[split], **of_split)
    return find_leaks(recordings, splits, job)


@pytest.mark.parametrize("normalization", ["zscore", "robust", "per_recording", "per_window"])
@pytest.mark.parametrize(
    "settings", [{}, {"length_samples": 4, "overlap": 0.5}, {"pad_to_samples": 14}]
)
def test_clean_windows_have_nothing_to_find(six, normalization, settings):
    if normalization == "per_window" and "pad_to_samples" in settings:
        return  # refused by the config

    check = found(six, job(normalization=normalization, **settings))

    assert check.by == "group"
    assert check.n_shared_groups == 0
    assert set(check.n_repeated.values()) == {0}
    assert check.n_windows.keys() == {"val", "test"}
    assert check.n_windows["test"] >= 2


@pytest.mark.parametrize("normalization", ["zscore", "robust", "none"])
@pytest.mark.parametrize("transform", [{}, {"difference_samples": (1, 3)}])
def test_context_before_a_horizon_may_be_that_of_train(series, normalization, transform):
    check = found(
        series, job(IN_TIME, normalization, transform, length_samples=8, horizon_samples=2)
    )

    assert check.by == "time"
    assert set(check.n_repeated.values()) == {0}


@pytest.mark.parametrize("settings", [{}, {"length_samples": 2}, {"pad_to_samples": 30}])
def test_labelled_recordings_can_be_cut_in_time(recordings, settings):
    made = recordings(
        ["a", "b"], lengths=20, intervals=[(0, 0, 0, 18), (1, 1, 0, 20), (0, 1, 18, 20)]
    )

    assert found(made, job(IN_TIME, **settings)).n_shared_groups == 0


def test_a_group_in_two_splits_is_refused(six):
    with pytest.raises(LeakError, match="group 'anna' has windows in train and test"):
        found(six, job(), train={"groups": ["anna"] * 6}, test={"groups": ["anna"] * 6})


def test_a_group_that_may_be_cut_is_counted(six):
    shared = replace(six, groups=["anna"] * 2 + ["bert"] * 2 + ["anna", "carl"])

    assert found(shared, job(NAMED | {"by": "recording"})).n_shared_groups == 1


def test_a_recording_in_two_splits_is_refused(six):
    with pytest.raises(LeakError, match="recording 'r0' has windows in train and test"):
        found(six, job(), test={"recording": np.array([0, 5])})


def test_windows_of_other_recordings_are_refused(six):
    with pytest.raises(LeakError, match="train has a window of 's0', which is not one of its own"):
        found(six, job(), train={"names": [f"s{i}" for i in range(6)]})


@pytest.mark.usefixtures("statistics_of_all")
@pytest.mark.parametrize("normalization", ["zscore", "robust"])
def test_statistics_of_all_data_are_refused(six, normalization):
    with pytest.raises(LeakError, match=r"'x' of train is normalised .* but that of train is"):
        found(six, job(normalization=normalization))


@pytest.mark.usefixtures("statistics_of_all")
def test_targets_with_statistics_of_all_data_are_refused(recordings):
    made = recordings(
        [""] * 6,
        intervals=[],
        classes=[],
        task="regression",
        targets=[np.full((10, 1), i, np.float32) for i in range(6)],
        target_names=["load"],
        target_units=["N"],
    )

    with pytest.raises(LeakError, match=r"'load' of train .* the centre 2\.5,"):
        found(made, job(normalization="none"))


@pytest.mark.usefixtures("statistics_of_all")
def test_a_vocabulary_of_all_data_is_refused(words):
    with pytest.raises(LeakError, match="the vocabulary is not that of train, 2 tokens"):
        found(words, job({"val": ["r2", "r3"], "test": ["r4"]}, "none"))


def test_a_signal_that_its_statistics_do_not_make_is_refused(six):
    signal = make_windows(six, job())["test"].signal

    with pytest.raises(LeakError, match="test holds samples of recording 'r4'"):
        found(six, job(), test={"signal": signal * 1.01})


@pytest.mark.parametrize("split", ["val", "test"])
def test_a_horizon_in_another_split_is_refused(series, split):
    in_time = job(IN_TIME, length_samples=8, horizon_samples=2)
    start = make_windows(series, in_time)[split].start.copy()
    start[0] -= 1  # the first sample of its horizon is the last of the part before

    with pytest.raises(LeakError, match=f"{split} holds samples of recording 'r0' that are not"):
        found(series, in_time, **{split: {"start": start - start.min()}})


def test_a_window_that_reaches_into_another_split_is_refused(recordings):
    made = recordings(["a", "b"], lengths=20)
    in_time = job(IN_TIME, length_samples=2)
    splits = make_windows(made, in_time)
    moved = replace(splits["train"], split="val", names=splits["val"].names)
    splits["val"] = replace(moved, recording=moved.recording + 1)  # as if they were of val

    with pytest.raises(LeakError, match=r"val holds samples of recording 'r0' .* 12 to 16"):
        find_leaks(made, splits, in_time)


def test_repeated_windows_are_counted_and_those_with_the_same_target_apart(six):
    signals = [*six.signals]
    signals[4], signals[5] = signals[0], signals[0]  # of the classes a and b
    check = found(replace(six, signals=signals, label_stop=six.lengths), job())
    assert check.n_repeated == {"val": 0, "test": 0}  # cut short, so nothing is the same

    lengths = np.array([len(signal) for signal in signals])
    check = found(replace(six, signals=signals, label_stop=lengths), job())
    assert check.n_repeated == {"val": 0, "test": 2}
    assert check.n_same_target == {"val": 0, "test": 1}


def test_silence_repeats_without_being_a_leak(six):
    silent = [np.full_like(signal, 3.0) for signal in six.signals]
    pictures = [np.ones((1, 2, 4, 4), np.float32)] * 6

    for signals, sample in ((silent, "series"), (pictures, "video")):
        stop = np.array([len(signal) for signal in signals])
        check = found(replace(six, signals=signals, label_stop=stop, sample=sample), job())
        assert check.n_repeated == {"val": 0, "test": 0}


def test_single_values_that_are_equal_do_repeat(recordings):
    rows = [np.array([[1.0, i % 2]], np.float32) for i in range(6)]

    assert found(recordings(["a", "b"] * 3, signals=rows), job()).n_same_target["test"] == 2


def test_an_equal_past_with_another_horizon_is_no_repeat(recordings):
    ramp = np.tile(np.array([[0.0], [1.0], [2.0]], np.float32), (4, 1))
    other = ramp.copy()
    other[3::4] += 5
    made = recordings(
        [""] * 3,
        signals=[ramp, other, ramp],
        intervals=[],
        classes=[],
        channels=["x"],
        task="forecasting",
    )

    check = found(made, job({"val": ["r1"], "test": ["r2"]}, length_samples=3))

    assert check.n_repeated == {"val": 0, "test": 9}


def test_targets_of_events_are_their_types_and_times(recordings):
    made = recordings(
        ["a"] * 6,
        intervals=[(i, i == 4, 3 + (i == 5), 5) for i in range(6)] + [(0, 1, 8, 9)],
        classes=["a", "b"],
        task="detection",
        tolerance_ms=20.0,
    )
    made = replace(made, signals=[made.signals[0]] * 6)

    check = found(made, job(length_samples=6))  # two windows each, the last moved back

    assert check.n_repeated == {"val": 4, "test": 4}
    assert check.n_same_target == {"val": 4, "test": 1}


def test_labels_in_the_order_of_the_list_are_found(recordings):
    drawn = job({"val": 0.2, "test": 0.2})

    assert found(recordings(["a"] * 60 + ["b"] * 60), drawn).order_agreement > 0.9
    assert found(recordings(["a", "b"] * 60), drawn).order_agreement < 0.3
    assert found(recordings(["a"] * 10 + ["b"] * 10), drawn).order_agreement is None


def test_the_step_keeps_what_it_found(six, tmp_path):
    write_recordings(tmp_path / "recordings.h5", six)

    window.run(tmp_path / "recordings.h5", job(), tmp_path / "windows.h5")

    assert read_leakcheck(tmp_path / "windows.h5") == found(six, job())


@pytest.mark.usefixtures("statistics_of_all")
def test_the_step_writes_nothing_that_leaks(six, tmp_path):
    write_recordings(tmp_path / "recordings.h5", six)

    with pytest.raises(LeakError):
        window.run(tmp_path / "recordings.h5", job(), tmp_path / "windows.h5")

    assert not (tmp_path / "windows.h5").exists()


def test_splits_are_drawn_as_they_were_where_labels_are_put_aside(recordings):
    made = recordings(["a", "b"] * 12)
    drawn = make_windows(made, job({"val": 0.2, "test": 0.2}))["train"]
    aside = [made.names[i] for i in drawn.recording.tolist()[:8]]

    assert found(made, job({"val": 0.2, "test": 0.2, "unlabelled": aside})).n_windows["val"]


def test_series_can_be_drawn_whole(recordings):
    made = recordings([""] * 10, lengths=20, intervals=[], task="forecasting", classes=[])

    check = found(made, job({"val": 0.2, "test": 0.2}, length_samples=4))

    assert check.n_windows == {"val": 32, "test": 32}


@pytest.mark.parametrize("index", [0, 1, 2])
def test_folds_are_held_against_their_own_splits(recordings, index):
    fold = Fold(n_folds=3, repeat=0, index=index)
    of_fold = job({"val": 0.2}).model_copy(update={"fold": fold})

    assert found(recordings(["a", "b"] * 6), of_fold).n_windows["test"] == 4
