"""From recordings to windows: nothing of val or test reaches train."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from seqbench.config import SplitSettings, WindowSettings
from seqbench.datasets.base import DataError
from seqbench.jobs import WindowJob
from seqbench.storage.recordings import Recordings
from seqbench.windowing.normalize import fit_normalization, normalize
from seqbench.windowing.windows import make_windows

NAMED = {"val": ["r2", "r3"], "test": ["r4", "r5"]}


def job(
    split: dict[str, Any] | None = None, normalization: str = "zscore", **window: Any
) -> WindowJob:
    return WindowJob(
        split=SplitSettings(**(NAMED if split is None else split)),
        window=WindowSettings(**window),
        normalization=normalization,
    )


@pytest.fixture
def six(recordings):
    """Six recordings of two classes and different lengths."""
    return recordings(["a", "b"] * 3, lengths=[12, 9, 15, 8, 10, 11])


def test_a_window_is_the_normalised_piece_of_its_recording(six):
    splits = make_windows(six, job(length_samples=4, overlap=0.5))

    statistics = fit_normalization(np.concatenate(six.signals[:2]), "zscore")
    np.testing.assert_allclose(splits["test"].normalization.centre, statistics.centre)
    np.testing.assert_allclose(splits["test"].normalization.scale, statistics.scale)
    val = splits["val"]
    assert val.recording.tolist() == [2] * 6 + [3] * 3
    begins = [0, 2, 4, 6, 8, 10, 0, 2, 4]
    for i, (recording, begin) in enumerate(zip(val.recording, begins, strict=True)):
        raw = six.signals[recording][begin : begin + 4]
        np.testing.assert_allclose(val.window(i), normalize(raw, statistics))


def test_a_recording_stands_once_however_much_its_windows_overlap(six):
    train = make_windows(six, job(length_samples=4, overlap=0.75))["train"]

    assert len(train) == 9 + 6
    assert train.signal.shape == (12 + 9, 2)
    assert train.start.tolist() == [*range(9), *range(12, 18)]
    assert set(train.length.tolist()) == {4}


def test_what_is_known_of_the_recordings_comes_along(six):
    splits = make_windows(six, job())

    for split, windows in splits.items():
        assert windows.split == split
        assert (windows.task, windows.sample) == ("classification", "series")
        assert windows.names == six.names
        assert windows.groups == six.groups
        assert windows.channels == ["x", "y"]
        assert windows.classes == ["a", "b"]
        assert windows.sampling_rate_hz == 100
    assert [splits[s].label.tolist() for s in ("train", "val", "test")] == [[0, 1]] * 3
    assert splits["test"].length.tolist() == [10, 11]


def test_recordings_are_left_as_they_were(six):
    before = [signal.copy() for signal in six.signals]

    make_windows(six, job(pad_to_samples=20))

    for signal, one in zip(six.signals, before, strict=True):
        np.testing.assert_array_equal(signal, one)


# Nothing leaks.


def with_garbage(made: Recordings, where: list[int]) -> Recordings:
    """Replace recordings by noise of another size and place."""
    generator = np.random.default_rng(99)
    signals = list(made.signals)
    for i in where:
        noise = generator.normal(size=signals[i].shape) * 1e6 - 1e5
        signals[i] = noise.astype(np.float32)
    return replace(made, signals=signals)


@pytest.mark.parametrize("normalization", ["zscore", "robust", "per_window", "none"])
@pytest.mark.parametrize(
    "window",
    [{}, {"length_samples": 4, "overlap": 0.5}, {"pad_to_samples": 20, "pad_with": "edge"}],
    ids=["whole", "sliding", "padded"],
)
@pytest.mark.parametrize("spoilt", ["test", "val"])
def test_train_does_not_change_when_val_or_test_become_garbage(
    recordings, normalization, window, spoilt
):
    made = recordings(
        ["a", "b"] * 10, lengths=list(range(8, 28)), groups=[f"g{i // 2}" for i in range(20)]
    )
    settings = job({"val": 0.2, "test": 0.2}, normalization, **window)
    clean = make_windows(made, settings)
    where = sorted(set(clean[spoilt].recording.tolist()))

    dirty = make_windows(with_garbage(made, where), settings)

    untouched = {"train", "val", "test"} - {spoilt}
    for split in untouched:
        np.testing.assert_array_equal(dirty[split].signal, clean[split].signal)
    for split in clean:
        for column in ("start", "length", "label", "recording"):
            np.testing.assert_array_equal(
                getattr(dirty[split], column), getattr(clean[split], column)
            )
    np.testing.assert_array_equal(
        dirty["test"].normalization.centre, clean["test"].normalization.centre
    )
    np.testing.assert_array_equal(
        dirty["test"].normalization.scale, clean["test"].normalization.scale
    )
    assert not np.array_equal(dirty[spoilt].signal, clean[spoilt].signal)


def test_the_signal_of_a_split_holds_its_own_recordings_only(six):
    splits = make_windows(six, job(normalization="none"))

    for split, where in (("train", [0, 1]), ("val", [2, 3]), ("test", [4, 5])):
        np.testing.assert_array_equal(
            splits[split].signal, np.concatenate([six.signals[i] for i in where])
        )


def test_no_group_has_windows_in_two_splits(recordings):
    made = recordings(["a", "b"] * 15, groups=[f"g{i // 3}" for i in range(30)])

    splits = make_windows(made, job({"val": 0.2, "test": 0.2}, length_samples=4, overlap=0.5))

    groups = [group for w in splits.values() for group in {w.groups[i] for i in w.recording}]
    assert sorted(groups) == sorted(set(made.groups))  # each once


# Windows without a class.


def test_windows_without_a_class_are_kept_in_train_alone(recordings):
    made = recordings(
        ["a", "b"] * 3,
        lengths=20,
        intervals=[(i, i % 2, 5, 15) for i in range(6)],
    )

    splits = make_windows(made, job(length_samples=5))

    assert splits["train"].label.tolist() == [-1, 0, 0, -1, -1, 1, 1, -1]
    assert splits["val"].label.tolist() == [0, 0, 1, 1]
    assert splits["test"].label.tolist() == [0, 0, 1, 1]


def test_a_recording_without_a_label_serves_train(recordings):
    made = recordings(
        ["a", "b"] * 3 + ["a"], lengths=10, intervals=[(i, i % 2, 0, 10) for i in range(6)]
    )

    splits = make_windows(made, job())

    assert splits["train"].label.tolist() == [0, 1, -1]
    assert splits["train"].recording.tolist() == [0, 1, 6]


# Normalisation and padding.


def test_per_window_leaves_the_signal_to_those_who_read_it(six):
    train = make_windows(six, job(normalization="per_window"))["train"]

    assert train.normalization.mode == "per_window"
    np.testing.assert_array_equal(train.window(0), six.signals[0])


def test_a_channel_that_is_constant_in_train_is_centred_everywhere(six):
    signals = [signal.copy() for signal in six.signals]
    for signal in signals[:2]:
        signal[:, 1] = 7
    signals[5][:, 1] = 9.5

    splits = make_windows(replace(six, signals=signals), job())

    assert (splits["train"].signal[:, 1] == 0).all()
    assert (splits["test"].window(1)[:, 1] == 2.5).all()


def test_short_sequences_are_padded_with_the_mean_of_train(six):
    splits = make_windows(six, job(pad_to_samples=12))

    assert splits["train"].length.tolist() == [12, 12]
    assert splits["val"].length.tolist() == [15, 12]  # longer ones stay as they are
    whole = make_windows(six, job())["train"]
    np.testing.assert_array_equal(splits["train"].window(1)[:9], whole.window(1))
    assert (splits["train"].window(1)[9:] == 0).all()


def test_short_sequences_are_padded_with_their_last_sample(six):
    train = make_windows(six, job(pad_to_samples=12, pad_with="edge"))["train"]

    np.testing.assert_array_equal(train.window(1)[9:], [train.window(1)[8]] * 3)


def test_truncating_and_padding_to_one_length_makes_all_windows_equal(six):
    settings = job(max_samples=10, truncate="start", pad_to_samples=10)

    splits = make_windows(six, settings)

    assert {n for windows in splits.values() for n in windows.length.tolist()} == {10}
    whole = make_windows(six, job())["train"]
    np.testing.assert_array_equal(splits["train"].window(0), whole.window(0)[2:])


def test_signals_are_float32(six):
    for settings in (job(), job(pad_to_samples=20), job(normalization="none")):
        assert all(w.signal.dtype == np.float32 for w in make_windows(six, settings).values())


# Bad input.


@pytest.mark.parametrize("part", ["train", "val", "test"])
def test_a_part_without_a_labelled_window_is_refused(recordings, part):
    lengths = {"train": [3, 3, 9, 9, 9, 9], "val": [9, 9, 3, 3, 9, 9], "test": [9, 9, 9, 9, 3, 3]}
    made = recordings(["a", "b"] * 3, lengths=lengths[part])

    expected = f"{part} has no labelled window; shorten `window.length_samples`"
    with pytest.raises(DataError, match=expected):
        make_windows(made, job(length_samples=5))


def test_a_kept_remainder_mends_that(recordings):
    made = recordings(["a", "b"] * 3, lengths=[9, 9, 3, 3, 9, 9])

    splits = make_windows(made, job(length_samples=5, remainder="keep"))

    assert splits["val"].length.tolist() == [3, 3]


def test_a_class_that_train_lacks_is_refused_by_name(recordings):
    made = recordings(["a", "b", "a", "c", "a", "b"])

    with pytest.raises(DataError, match="class 'c' has no window in train"):
        make_windows(made, job())


def test_a_dataset_of_one_class_is_refused(recordings):
    with pytest.raises(DataError, match="class"):
        make_windows(recordings(["a"] * 6), job())


def test_recordings_without_any_label_are_refused(recordings):
    made = recordings(["a"] * 6, intervals=[])

    with pytest.raises(DataError, match="no labelled window"):
        make_windows(made, job())
