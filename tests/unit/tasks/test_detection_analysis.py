"""Which events are found, counted by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from fixtures.detections import made
from seqbench.storage.event_counts import Confused, EventCounts, OfLag, OfLevel, OfRival
from seqbench.tasks.detection.analysis import count_events


def windows(amplitude=None):
    return SimpleNamespace(events=SimpleNamespace(amplitude=amplitude))


def counted(references, candidates, **changes):
    return count_events(windows(), made(references, candidates, **changes))


def test_an_event_found_as_another_type_is_confused_and_neither_missed_nor_extra():
    found = counted(
        [(0, 100), (0, 300), (1, 500), (1, 700)],
        [(0, 101), (1, 303), (0, 900)],  # right, of the wrong type, of nothing
    )

    assert set(found.confusion) == {
        Confused(0, 0, 1), Confused(0, 1, 1), Confused(1, None, 2), Confused(None, 0, 1),
    }  # fmt: skip


def test_the_right_type_comes_first_and_one_detection_stands_for_one_event():
    found = counted([(0, 100), (1, 102)], [(1, 100)])

    assert set(found.confusion) == {Confused(1, 1, 1), Confused(0, None, 1)}


def test_nothing_is_confused_across_recordings_or_beyond_the_tolerance():
    found = counted(
        [(0, 100, 0), (0, 300, 0)],
        [(1, 100, 0.9, 1), (1, 306, 0.9, 0)],
        n_recordings=2,
    )

    assert set(found.confusion) == {Confused(0, None, 2), Confused(None, 1, 2)}


def test_events_are_counted_by_the_lag_to_the_nearest_other_one_of_their_recording():
    found = counted(
        [(0, 100, 0), (1, 103, 0), (0, 400, 0), (1, 410, 0), (0, 103, 1)],
        [(0, 100), (0, 400), (1, 410)],
        n_recordings=2,
    )

    assert found.by_lag == (OfLag(5.0, 2, 1), OfLag(10.0, 2, 2), OfLag(None, 1, 0))


def test_rivals_are_near_and_of_another_type():
    found = counted(
        [(0, 100), (1, 120), (0, 300), (0, 310), (1, 500), (0, 521)],
        [(0, 100), (1, 500)],
    )

    assert found.near_ms == 20
    assert found.by_rival == (OfRival(0, 1, 1, 1), OfRival(1, 0, 1, 0))


def test_levels_are_those_of_the_amplitudes_and_errors_those_of_pairs_within_10_ms():
    detections = made(
        [(0, 50), (0, 100), (0, 300), (1, 500), (1, 700)],
        [(0, 100), (0, 303), (1, 508), (1, 900)],  # 8 ms is no hit at 5 ms, but has an error
        known=np.array([[60, 1000]]),  # the first event is not scored
    )

    found = count_events(windows(np.array([9.0, 2.0, 1.0, 0.5, 0.51])), detections)

    assert found.has_levels
    assert found.by_level == (
        OfLevel(0, 0, 1, 1, 1, 3.0),
        OfLevel(0, 6, 1, 1, 1, 0.0),
        OfLevel(1, -6, 2, 0, 1, 8.0),
    )


def test_without_amplitudes_there_are_no_levels():
    found = counted([(0, 100), (1, 300)], [(0, 100)])

    assert not found.has_levels
    assert found.by_level == (OfLevel(0, 0, 1, 1, 1, 0.0), OfLevel(1, 0, 1, 0, 0, 0.0))


@pytest.mark.parametrize("candidates", [[], [(1, 40)]])
def test_nothing_there_is_counted_as_nothing(candidates):
    found = counted([], candidates)

    assert (found.by_level, found.by_lag, found.by_rival) == ((), (), ())
    assert found.confusion == tuple(Confused(None, kind, 1) for kind, _ in candidates)


def test_counts_survive_their_file():
    found = counted([(0, 100), (1, 103)], [(0, 100), (0, 900)])

    assert EventCounts.of_json(found.model_dump(mode="json")) == found
