"""Recordings cut in time."""

from dataclasses import replace

import numpy as np
import pytest

from seqbench.config.stages import SplitSettings
from seqbench.datasets.base import DataError
from seqbench.windowing.time_split import split_in_time

SETTINGS = SplitSettings(by="time", val=0.2, test=0.3)


def test_train_comes_first_and_test_last(recordings):
    made = recordings(["a", "b"], lengths=[10, 20])

    pieces = split_in_time(made, SETTINGS, context_samples=0, n_lost=0)

    assert pieces.splits == ["train", "val", "test"] * 2
    assert [len(signal) for signal in pieces.signals] == [5, 2, 3, 10, 4, 6]
    for index in (0, 1):
        together = np.concatenate(pieces.signals[3 * index : 3 * index + 3])
        np.testing.assert_array_equal(together, made.signals[index])
    assert pieces.names[:3] == ["r0 (train)", "r0 (val)", "r0 (test)"]
    assert pieces.groups == ["r0"] * 3 + ["r1"] * 3


def test_context_stands_before_a_split(recordings):
    made = recordings(["a"], lengths=[20], classes=["a", "b"])

    pieces = split_in_time(made, SETTINGS, context_samples=4, n_lost=0)

    assert [len(signal) for signal in pieces.signals] == [10, 4 + 4, 4 + 6]
    np.testing.assert_array_equal(pieces.signals[2], made.signals[0][10:])
    assert pieces.known_spans.tolist() == [[0, 10], [4, 8], [4, 10]]


def test_labels_are_cut_where_recordings_are(recordings):
    made = recordings(["a", "b"], lengths=[10, 10], intervals=[(0, 0, 0, 6), (0, 1, 6, 10)])

    made = replace(made, label_amplitude=np.array([0.5, 2.0]))

    pieces = split_in_time(made, SETTINGS, context_samples=0, n_lost=0)

    assert pieces.label_amplitude.tolist() == [0.5, 0.5, 2.0, 2.0]
    spans = np.stack(
        [pieces.label_recording, pieces.label, pieces.label_start, pieces.label_stop], axis=1
    )
    assert spans.tolist() == [[0, 0, 0, 5], [1, 0, 0, 1], [1, 1, 1, 2], [2, 1, 0, 3]]


def test_an_event_belongs_to_the_split_in_which_it_begins(recordings):
    made = recordings(["a", "b"], lengths=[10, 10], intervals=[(0, 0, 3, 7), (0, 1, 6, 10)])
    made = replace(made, task="detection", sampling_rate_hz=100.0, tolerance_ms=5.0)

    pieces = split_in_time(made, SETTINGS, context_samples=0, n_lost=0)

    spans = np.stack(
        [pieces.label_recording, pieces.label, pieces.label_start, pieces.label_stop], axis=1
    )
    assert spans.tolist() == [[0, 0, 3, 5], [1, 1, 1, 2]]


def test_fractions_count_what_was_lost_to_differences(recordings):
    made = recordings(["a"], lengths=[132], classes=["a", "b"])

    pieces = split_in_time(
        made, SplitSettings(by="time", val=1 / 12, test=0.25), context_samples=0, n_lost=12
    )

    assert [len(signal) for signal in pieces.signals] == [84, 12, 36]


def test_a_split_that_gets_nothing_is_refused(recordings):
    with pytest.raises(DataError, match="'r0' has 3 samples, of which val would get none"):
        split_in_time(
            recordings(["a"], lengths=[3], classes=["a", "b"]),
            SplitSettings(by="time", val=0.1, test=0.3),
            context_samples=0,
            n_lost=0,
        )


def test_an_official_split_is_not_cut_through(recordings):
    made = recordings(["a", "b"], splits=["train", "test"])

    with pytest.raises(DataError, match="official split; leave `by: time` out"):
        split_in_time(made, SETTINGS, context_samples=0, n_lost=0)
