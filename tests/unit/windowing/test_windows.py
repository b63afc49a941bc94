"""From recordings to windows: nothing of val or test reaches train."""

from dataclasses import replace

import numpy as np
import pytest

from fixtures.windows import NAMED, job
from seqbench.config.registry import TASKS
from seqbench.config.stages import Fold
from seqbench.datasets.base import DataError
from seqbench.storage.detections import Candidates, Decoding, Detections
from seqbench.storage.recordings import Recordings
from seqbench.storage.windows import read_windows, write_windows
from seqbench.windowing.normalize import fit_normalization, normalize, standardize
from seqbench.windowing.windows import make_windows


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


@pytest.mark.parametrize(
    ("split", "official"),
    [
        ({}, ["train", "test"]),
        ({"test": 0.25}, []),
        ({"val": ["r0"]}, ["train", "test"]),
    ],
    ids=["kept", "replaced", "val named"],
)
def test_splits_of_the_source_are_official_unless_the_config_replaces_them(six, split, official):
    given = replace(six, splits=["train"] * 4 + ["test"] * 2)

    windows = make_windows(given, job(split))["val"]

    assert windows.official_splits == official
    assert windows.units == six.units


def test_a_fold_puts_official_splits_aside(six):
    given = replace(six, splits=["train"] * 4 + ["test"] * 2)
    of_fold = job({}).model_copy(update={"fold": Fold(n_folds=2, repeat=0, index=0)})

    assert make_windows(given, of_fold)["train"].official_splits == []


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


# Recordings with events.


@pytest.fixture
def bells(recordings):
    """Seven recordings in which a step of height 1 + type begins and ends with each event."""
    events = [
        (0, 1, 20, 23),
        (0, 0, 5, 12),
        (1, 0, 0, 1),
        (2, 1, 8, 9),
        (2, 0, 39, 40),
        (3, 0, 10, 13),
        (5, 1, 3, 5),
        (4, 0, 16, 17),
        (4, 1, 16, 18),
    ]
    lengths = [40, 10, 40, 21, 30, 11, 25]  # nothing is known of the last one
    made = recordings(
        ["bell"] * 7,
        lengths=lengths,
        intervals=events,
        classes=["ding", "dong"],
        task="detection",
        refractory_s=0.05,
        tolerance_ms=2.5,
        signals=[np.zeros((length, 2), dtype=np.float32) for length in lengths],
        truth={"templates": np.ones((2, 2, 3))},
    )
    for recording, kind, start, stop in events:
        made.signals[recording][start:stop, kind] = 1
    return made


def without_events(made: Recordings, where: list[int]) -> Recordings:
    """Remove the events of some recordings; nothing is known of them then."""
    kept = ~np.isin(made.label_recording, where)
    columns = ("label_recording", "label", "label_start", "label_stop")
    return replace(made, **{column: getattr(made, column)[kept] for column in columns})


SLIDING = {"length_samples": 8, "overlap": 0.5}
OFFICIAL = ["train", "train", "val", "val", "test", "test", "train"]


@pytest.mark.parametrize("window", [{}, SLIDING], ids=["default", "sliding"])
def test_events_stand_where_they_are_in_the_signal_of_their_split(bells, window):
    splits = make_windows(bells, job(normalization="none", **window))

    n_events = {split: len(windows.timeline.onset) for split, windows in splits.items()}
    assert n_events == {"train": 3, "val": 3, "test": 3}
    for windows in splits.values():
        timeline, expected = windows.timeline, np.zeros_like(windows.signal)
        for onset, offset, kind in zip(timeline.onset, timeline.offset, timeline.type, strict=True):
            expected[onset:offset, kind] = 1
        np.testing.assert_array_equal(windows.signal, expected)
        assert (np.diff(timeline.onset) >= 0).all()


def test_the_types_that_rank_reach_the_metric_that_ranks(bells, tmp_path):
    splits = make_windows(replace(bells, ranked_types=["dong"]), job(normalization="none"))
    write_windows(tmp_path / "windows.h5", splits)
    test = read_windows(tmp_path / "windows.h5", "test")
    found = Candidates.at(np.array([3.0]), place=0, type=1, score=0.9)
    decoding = Decoding(decoder="greedy", thresholds={"greedy": np.array([0.5, 0.5])})

    assert test.timeline.ranked_types == ["dong"]
    assert TASKS["detection"]().headline_of(test) == "macro_f1_at_2.5ms"
    assert Detections.of(test, found, decoding, are_probabilities=True).ranked_types == ["dong"]
    plain = make_windows(bells, job(normalization="none"))["test"]
    assert TASKS["detection"]().headline_of(plain) == "f1_at_2.5ms"


def test_amplitudes_stay_with_their_events_and_their_split(bells, tmp_path):
    by_event = {
        (r, k, a): 1.0 + i
        for i, (r, k, a) in enumerate(
            zip(bells.label_recording, bells.label, bells.label_start, strict=True)
        )
    }
    strong = replace(bells, label_amplitude=np.array(list(by_event.values())))
    write_windows(tmp_path / "windows.h5", make_windows(strong, job()))

    for split in ("train", "val", "test"):
        timeline = read_windows(tmp_path / "windows.h5", split).timeline
        recording = timeline.recording[timeline.place]
        onset = timeline.onset - timeline.start[timeline.place]
        keys = zip(recording, timeline.type, onset, strict=True)
        assert timeline.amplitude.tolist() == [by_event[key] for key in keys]
    assert read_windows(tmp_path / "windows.h5", "test", labels=False).timeline.amplitude is None
    assert make_windows(bells, job())["test"].timeline.amplitude is None


def test_recordings_stand_whole_and_once_in_the_timeline(bells):
    splits = make_windows(bells, job(**SLIDING))

    lengths = bells.lengths
    for split, where in (("train", [0, 1, 6]), ("val", [2, 3]), ("test", [4, 5])):
        timeline = splits[split].timeline
        assert timeline.recording.tolist() == where
        stops = np.cumsum(lengths[where])
        assert timeline.stop.tolist() == stops.tolist()
        assert timeline.start.tolist() == [0, *stops[:-1].tolist()]
        assert stops[-1] == len(splits[split].signal)
        assert (timeline.refractory_s, timeline.tolerance_ms) == (0.05, 2.5)
        # Windows are cut from the recording whose rows they are.
        of_window = np.searchsorted(timeline.start, splits[split].start, side="right") - 1
        assert timeline.recording[of_window].tolist() == splits[split].recording.tolist()
        assert splits[split].truth.keys() == {"templates"}
    assert splits["train"].timeline.place.tolist() == [0, 0, 1]


def test_all_of_a_recording_with_events_is_known_and_nothing_of_one_without(bells):
    train = make_windows(bells, job(**SLIDING))["train"]

    timeline = train.timeline
    assert timeline.known_start.tolist() == [0, 40, 50]
    assert timeline.known_stop.tolist() == [40, 50, 50]
    assert set(train.label[train.recording == 6].tolist()) == {-1}
    assert -1 not in train.label[train.recording != 6]


def test_what_is_known_of_a_recording_moves_with_it(bells):
    known = np.array([[2, 30], [0, 10], [8, 40], [10, 20], [16, 30], [0, 5], [0, 25]])

    splits = make_windows(replace(bells, known=known), job(**SLIDING))

    assert splits["train"].timeline.known_start.tolist() == [2, 40, 50]
    assert splits["train"].timeline.known_stop.tolist() == [30, 50, 75]
    assert splits["val"].timeline.known_start.tolist() == [8, 50]
    assert splits["val"].timeline.known_stop.tolist() == [40, 60]
    assert splits["test"].timeline.known_start.tolist() == [16, 30]
    assert splits["test"].timeline.known_stop.tolist() == [30, 35]


def test_events_outside_of_what_is_known_are_none(bells):
    at = bells.label_start[bells.label_recording == 0]
    first, last = int(at.min()), int(at.max())
    assert first < last
    known = np.array([[first + 1, 40], [0, 10], [0, 40], [0, 21], [0, 30], [0, 11], [0, 0]])

    train = make_windows(replace(bells, known=known), job(**SLIDING))["train"]

    assert first not in train.timeline.onset.tolist()
    assert last in train.timeline.onset.tolist()
    holds_first = (train.start <= first) & (first < train.start + train.length)
    holds_another = (train.start <= last) & (last < train.start + train.length)
    alone = holds_first & ~holds_another & (train.recording == 0)
    assert alone.any()
    assert not set(train.label[alone].tolist()) & set(range(len(bells.classes)))


def test_windows_of_which_nothing_is_known_serve_train_alone(bells):
    made = replace(
        without_events(bells, [3]),
        splits=OFFICIAL,
        known=np.array([[0, 24], [0, 10], [8, 40], [0, 0], [16, 30], [0, 5], [0, 0]]),
    )

    splits = make_windows(made, job({}, length_samples=8))

    assert (splits["train"].label == -1).sum() == 2 + 4  # of 40 and of 25 samples
    for split in ("val", "test"):
        assert -1 not in splits[split].label
    # A recording of val of which nothing is known is not there at all.
    assert splits["val"].timeline.recording.tolist() == [2]
    assert splits["val"].start.tolist() == [8, 16, 24, 32]
    assert len(splits["val"].signal) == 40


@pytest.mark.parametrize(("part", "where"), [("train", [0, 1]), ("val", [2, 3]), ("test", [4, 5])])
def test_a_split_without_an_event_is_refused(bells, part, where):
    made = replace(without_events(bells, where), splits=OFFICIAL)

    with pytest.raises(DataError, match=f"{part} has no labelled event; choose another split"):
        make_windows(made, job({}))


def test_a_type_that_train_lacks_is_refused_by_name(bells):
    made = replace(bells, label=np.where(bells.label_recording < 2, 0, bells.label))

    with pytest.raises(
        DataError, match="event type 'dong' does not occur in train; add recordings"
    ):
        make_windows(made, job())


def test_a_recording_known_to_hold_no_event_is_tested_on_all_of_its_samples(bells):
    made = without_events(bells, [4])
    known = bells.known_spans
    known[4] = bells.whole_spans[4]

    test = make_windows(replace(made, known=known), job(**SLIDING))["test"]

    assert set(test.recording.tolist()) == {4, 5}
    assert set(test.label[test.recording == 4].tolist()) == {len(made.classes)}
    timeline = test.events
    assert timeline.recording.tolist() == [4, 5]
    assert timeline.known_stop[0] - timeline.known_start[0] == len(made.signals[4])
    assert set(timeline.place.tolist()) == {1}


# Bad input.


@pytest.mark.parametrize("part", ["train", "val", "test"])
def test_a_split_without_a_labelled_window_is_refused(recordings, part):
    lengths = {"train": [3, 3, 9, 9, 9, 9], "val": [9, 9, 3, 3, 9, 9], "test": [9, 9, 9, 9, 3, 3]}
    made = recordings(["a", "b"] * 3, lengths=lengths[part], splits=OFFICIAL[:6])

    expected = f"{part} has no labelled window; shorten `window.length_samples`"
    with pytest.raises(DataError, match=expected):
        make_windows(made, job({}, length_samples=5))


def test_labels_that_are_put_aside_leave_windows_for_pretraining(recordings):
    eight = recordings(["a", "b"] * 4, lengths=[12, 9, 15, 8, 10, 11, 13, 14])
    aside = NAMED | {"unlabelled": ["r0", "r1"]}

    train = make_windows(eight, job(aside, length_samples=4))["train"]

    of_named = train.recording < 2
    assert of_named.any()
    assert set(train.label[of_named].tolist()) == {-1}
    assert set(train.label[~of_named].tolist()) == {0, 1}


def test_of_recordings_without_labels_no_event_is_known(bells):
    aside = NAMED | {"unlabelled": ["r1"]}

    train = make_windows(bells, job(aside, **SLIDING))["train"]

    timeline = train.timeline
    at = timeline.recording.tolist().index(1)
    assert timeline.known_start[at] == timeline.known_stop[at]
    assert not (timeline.place == at).any()
    assert (timeline.place == 0).any()
    assert set(train.label[train.recording == 1].tolist()) == {-1}


def test_a_recording_can_have_its_own_mean_and_deviation(six):
    splits = make_windows(six, job(normalization="per_recording", length_samples=4))

    for windows in splits.values():
        for i, recording in enumerate(windows.recording):
            own = standardize(six.signals[recording])
            begin = int(windows.start[i] - windows.start[windows.recording == recording][0])
            np.testing.assert_allclose(windows.window(i), own[begin : begin + 4], rtol=1e-6)


def test_what_test_holds_changes_nothing_of_train_in_any_fold(recordings):
    made = recordings(["a", "b"] * 10, lengths=5)

    for index in range(4):
        of_fold = job({}).model_copy(update={"fold": Fold(n_folds=4, repeat=1, index=index)})
        before = make_windows(made, of_fold)
        tested = set(before["test"].recording.tolist())
        signals = [
            1000 * signal + 7 if i in tested else signal for i, signal in enumerate(made.signals)
        ]
        after = make_windows(replace(made, signals=signals), of_fold)

        assert len(tested) == 5
        assert after["train"].normalization.record() == before["train"].normalization.record()
        for part in ("train", "val"):
            np.testing.assert_array_equal(after[part].signal, before[part].signal)
            np.testing.assert_array_equal(after[part].label, before[part].label)
        assert not np.allclose(after["test"].signal, before["test"].signal)


@pytest.mark.parametrize(
    ("labels", "changes", "sentence"),
    [
        ("abacab", {}, "class 'c' has no window in train"),
        ("aaaaaa", {}, "class"),
        ("aaaaaa", {"intervals": []}, "unlabelled"),
    ],
)
def test_classes_that_cannot_be_learned_are_refused(recordings, labels, changes, sentence):
    with pytest.raises(DataError, match=sentence):
        make_windows(recordings(list(labels), **changes), job())
