"""Recordings along a signal, and the events in them."""

import h5py
import numpy as np
import pytest

from seqbench.storage.mapping import write_record
from seqbench.storage.timeline import Timeline, read_timeline


@pytest.fixture
def timeline():
    """Three recordings in rows 0, 10 and 30 of a signal; the middle one has no event."""
    return Timeline(
        recording=np.array([4, 0, 7]),
        start=np.array([0, 10, 30]),
        stop=np.array([10, 30, 45]),
        known_start=np.array([0, 10, 32]),
        known_stop=np.array([10, 10, 45]),
        onset=np.array([0, 9, 32, 44]),
        offset=np.array([3, 10, 33, 45]),
        type=np.array([1, 0, 1, 1]),
        refractory_s=0.2,
        tolerance_ms=5.0,
    )


def test_its_length_is_the_number_of_recordings(timeline):
    assert len(timeline) == 3


def test_every_event_is_placed_in_its_recording(timeline):
    assert timeline.place.tolist() == [0, 0, 2, 2]


def test_without_events_the_recordings_are_left_and_nothing_is_known(timeline, tmp_path):
    blind = timeline.without_events()

    for column in ("recording", "start", "stop"):
        np.testing.assert_array_equal(getattr(blind, column), getattr(timeline, column))
    assert len(blind.onset) == len(blind.offset) == len(blind.type) == len(blind.place) == 0
    assert (blind.known_stop == blind.known_start).all()
    assert len(timeline.onset) == 4  # the first one is as it was


def test_events_may_stay_in_the_file(timeline, tmp_path):
    with h5py.File(tmp_path / "file.h5", "w") as file:
        write_record(file, timeline)
        blind = read_timeline(file, events=False)

    for column, expected in vars(timeline.without_events()).items():
        np.testing.assert_array_equal(getattr(blind, column), expected)
