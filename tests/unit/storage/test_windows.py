"""`windows.h5` gives a split, the whole split and nothing but the split."""

from dataclasses import replace

import numpy as np
import pytest

from seqbench.errors import FormatError
from seqbench.storage.normalization import Normalization
from seqbench.storage.windows import SPLITS, read_windows, write_windows


@pytest.mark.parametrize("lengths", [(20,), (20, 26, 14)])
@pytest.mark.parametrize("split", SPLITS)
def test_a_split_survives_a_file(
    make_windows, make_event_windows, tmp_path, split, lengths, assert_same
):
    made = make_windows(tmp_path / "windows.h5", lengths=lengths, n_classes=3)
    assert_same(read_windows(tmp_path / "windows.h5", split), made[split])

    made = make_event_windows(tmp_path / "windows.h5")
    assert_same(read_windows(tmp_path / "windows.h5", split), made[split])


def test_statistics_units_and_official_splits_survive_a_file(make_windows, tmp_path, assert_same):
    normalization = Normalization("zscore", np.array([1 / 3, -1e9]), np.array([np.pi, 1e-9]))
    known = {"units": ["m/s²", ""], "official_splits": ["train", "test"]}
    made = {
        split: replace(windows, normalization=normalization, sampling_rate_hz=None, **known)
        for split, windows in make_windows().items()
    }
    write_windows(tmp_path / "windows.h5", made)

    assert_same(read_windows(tmp_path / "windows.h5", "val"), made["val"])


def test_labels_can_be_left_in_the_file(make_windows, tmp_path, assert_same):
    made = make_windows(tmp_path / "windows.h5")

    hidden = read_windows(tmp_path / "windows.h5", "train", labels=False)

    assert hidden.label.tolist() == [-1] * 12
    assert_same(replace(hidden, label=made["train"].label), made["train"])


def test_the_signal_can_be_left_in_the_file(make_windows, tmp_path, assert_same):
    made = make_windows(tmp_path / "windows.h5")

    without = read_windows(tmp_path / "windows.h5", "train", signal=False)

    assert without.signal.base.nbytes <= 4
    assert not without.signal.any()
    assert without.signal.shape == made["train"].signal.shape
    assert_same(replace(without, signal=made["train"].signal), made["train"])


@pytest.mark.parametrize("split", SPLITS)
def test_without_labels_nothing_of_events_or_truth_is_read(
    make_event_windows, tmp_path, split, assert_same
):
    made = make_event_windows(tmp_path / "windows.h5")

    hidden = read_windows(tmp_path / "windows.h5", split, labels=False)

    assert set(hidden.label.tolist()) == {-1}
    assert hidden.truth == {}
    timeline = hidden.timeline
    assert len(timeline.onset) == len(timeline.offset) == len(timeline.type) == 0
    assert (timeline.known_start == timeline.known_stop).all()
    # What the recordings themselves are is still there, and nothing else changed.
    shown = replace(hidden, label=made[split].label, truth=made[split].truth)
    assert_same(replace(shown, timeline=made[split].timeline), made[split])
    assert timeline.start.tolist() == made[split].timeline.start.tolist()
    assert timeline.stop.tolist() == made[split].timeline.stop.tolist()


def test_a_split_without_windows_survives_a_file(make_windows, tmp_path, assert_same):
    made = make_windows()
    none = np.zeros(0, dtype=np.int64)
    made["val"] = replace(
        made["val"],
        signal=np.zeros((0, 2), dtype=np.float32),
        start=none,
        length=none,
        label=none,
        recording=none,
    )
    write_windows(tmp_path / "windows.h5", made)

    assert_same(read_windows(tmp_path / "windows.h5", "val"), made["val"])
    assert_same(read_windows(tmp_path / "windows.h5", "test"), made["test"])


def test_a_split_that_is_not_in_the_file_is_named(make_windows, tmp_path):
    make_windows(tmp_path / "windows.h5", splits=("train", "test"))

    with pytest.raises(FormatError, match=r"windows\.h5.*no split 'val'"):
        read_windows(tmp_path / "windows.h5", "val")


def test_a_window_past_the_end_of_the_signal_is_refused(make_windows):
    windows = make_windows()["train"]

    with pytest.raises(ValueError, match="past the end of the signal"):
        replace(windows, length=windows.length + 1)


def test_spans_of_a_timeline_are_recordings_with_the_events_in_them(make_event_windows, tmp_path):
    timeline = make_event_windows(tmp_path / "windows.h5")["train"].events
    first, last = int(timeline.known_start[0]), int(timeline.known_stop[0])
    onset = int(timeline.onset[0])
    start, stop = np.array([first, onset - 1, onset]), np.array([first + 1, onset + 1, onset + 2])

    cut = timeline.only(start, stop)

    assert cut.start.tolist() == [first, onset - 1]  # two that overlap are one
    assert cut.stop.tolist() == [first + 1, onset + 2]
    assert cut.recording.tolist() == [timeline.recording[0]] * 2
    inside = (timeline.onset >= onset - 1) & (timeline.onset < onset + 2)
    np.testing.assert_array_equal(cut.onset, timeline.onset[inside])
    np.testing.assert_array_equal(cut.type, timeline.type[inside])
    np.testing.assert_array_equal(cut.place, 1)
    assert (cut.start < last).all()


def test_a_span_beyond_what_is_labelled_is_cut(make_event_windows, tmp_path):
    timeline = make_event_windows(tmp_path / "windows.h5")["train"].events
    known = int(timeline.known_start[0]), int(timeline.known_stop[0])
    rows = timeline.start[:1], timeline.stop[:1]

    cut = timeline.only(*rows)

    assert (cut.start[0], cut.stop[0]) == known
    assert len(timeline.only(rows[0][:0], rows[1][:0]).onset) == 0
