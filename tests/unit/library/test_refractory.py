"""The enforcer of the refractory period over chunks."""

import math

import numpy as np
import pytest

from seqbench.library.utils import RefractoryPeriodEnforcer


@pytest.fixture
def enforcer():
    return RefractoryPeriodEnforcer(num_events=2, refractory_period_samples=100)


def test_an_event_is_kept_with_its_timing(enforcer):
    events, timings = enforcer.enforce([1, 0], [7.5, 3.0])

    assert events.tolist() == [1, 0]
    assert timings.tolist() == [7.5, 0]
    assert enforcer.retracted == []


def test_a_rival_in_a_later_chunk_is_dropped_by_global_time(enforcer):
    enforcer.enforce([1, 1], [90, 10], global_offset=0)
    # 90 -> 185 is too close, 10 -> 115 is not; within their chunks they are 5 and 15 apart.
    events, timings = enforcer.enforce([1, 1], [85, 15], global_offset=100)

    assert events.tolist() == [0, 1]
    assert timings.tolist() == [0, 15]


def test_exactly_one_period_later_is_kept(enforcer):
    enforcer.enforce([1, 0], [20, 0])

    assert enforcer.enforce([1, 0], [20, 0], global_offset=100)[0].tolist() == [1, 0]


def test_a_more_probable_rival_replaces_the_earlier_one(enforcer):
    enforcer.enforce([1, 1], [90, 90], [0.6, 0.9])
    events, _ = enforcer.enforce([1, 1], [10, 10], [0.8, 0.8], global_offset=100)

    assert events.tolist() == [1, 0]
    assert enforcer.retracted == [(0, 90.0)]
    # The new one rules now, and the list is that of the latest call.
    assert enforcer.enforce([1, 0], [5, 0], [0.7, 0], global_offset=200)[0].tolist() == [0, 0]
    assert enforcer.retracted == []


@pytest.mark.parametrize("probability", [None, [0.5, 0.5]])
def test_of_equals_the_first_is_kept(enforcer, probability):
    enforcer.enforce([1, 0], [90, 0], probability)

    assert enforcer.enforce([1, 0], [50, 0], probability, 100)[0].tolist() == [0, 0]


def test_a_duplicate_in_an_overlapping_chunk_is_dropped(enforcer):
    enforcer.enforce([1, 0], [190, 0], [0.7, 0])

    assert enforcer.enforce([1, 0], [90, 0], [0.7, 0], global_offset=100)[0].tolist() == [0, 0]
    assert enforcer.retracted == []


def test_an_earlier_event_of_an_overlapping_chunk_is_compared_with_all_its_rivals(enforcer):
    enforcer.enforce([1, 0], [150, 0], [0.6, 0], 0)
    enforcer.enforce([1, 0], [210, 0], [0.7, 0], 40)  # at 250, allowed beside 150
    events, _ = enforcer.enforce([1, 0], [150, 0], [0.8, 0], 50)  # at 200, between both

    assert events.tolist() == [1, 0]
    assert enforcer.retracted == [(0, 150.0), (0, 250.0)]
    # More probable than one of two rivals is not enough.
    enforcer.enforce([1, 0], [240, 0], [0.9, 0], 60)
    assert enforcer.enforce([1, 0], [180, 0], [0.85, 0], 70)[0].tolist() == [0, 0]


def test_reset_drops_the_state(enforcer):
    enforcer.enforce([1, 0], [90, 0], global_offset=1000)
    enforcer.reset()

    assert enforcer.enforce([1, 0], [95, 0], global_offset=0)[0].tolist() == [1, 0]


def test_the_inputs_are_not_changed(enforcer):
    detected, timings = np.array([True, True]), np.array([5, 6])
    enforcer.enforce(detected, timings)
    enforcer.enforce(detected, timings, global_offset=10)

    assert detected.tolist() == [True, True]
    assert timings.tolist() == [5, 6]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"detected_events": [1]}, r"detected_events has shape \(1,\), not \(2,\)"),
        ({"event_timings": [0]}, "event_timings has shape"),
        ({"event_timings": [-1, 0]}, "before its chunk"),
        ({"event_timings": [math.nan, 0]}, "has time nan"),
        ({"event_probs": [math.nan, 0]}, "probability nan"),
        ({"global_offset": 400}, r"call reset\(\)"),
    ],
)
def test_an_impossible_chunk_is_refused(enforcer, change, sentence):
    enforcer.enforce([0, 0], [0, 0], global_offset=500)
    chunk = {"detected_events": [1, 0], "event_timings": [0, 0], "global_offset": 500}

    with pytest.raises(ValueError, match=sentence):
        enforcer.enforce(**chunk | change)


def test_chunks_of_a_batch_follow_each_other(enforcer):
    # Starts 0, 60, 200: type 0 at 50, 70, 205; type 1 at 10 and 290.
    detected = [[1, 1], [1, 0], [1, 1]]
    events, timings = enforcer.enforce_batch(
        detected, [[50, 10], [10, 0], [5, 90]], sequence_lengths=[60, 140, 100]
    )

    assert events.tolist() == [[1, 1], [0, 0], [1, 1]]
    assert timings.tolist() == [[50, 10], [0, 0], [5, 90]]


def test_a_batch_drops_its_own_rivals_and_retracts_earlier_ones(enforcer):
    enforcer.enforce([0, 1], [0, 90], [0, 0.5])
    events, timings = enforcer.enforce_batch(
        [[1, 1], [1, 0]],
        [[50, 20], [10, 0]],
        [[0.6, 0.7], [0.8, 0]],
        sequence_lengths=[60, 60],
        global_offset=100,
    )

    assert events.tolist() == [[0, 1], [1, 0]]
    assert timings.tolist() == [[0, 20], [10, 0]]
    assert enforcer.retracted == [(1, 90.0)]


def test_a_batch_of_several_chunks_needs_lengths(enforcer):
    assert enforcer.enforce_batch([[1, 0]], [[5, 0]])[0].tolist() == [[1, 0]]
    with pytest.raises(ValueError, match="several chunks need sequence_lengths"):
        enforcer.enforce_batch([[1, 0], [1, 0]], [[5, 0], [5, 0]])
    with pytest.raises(ValueError, match=r"shape \(1,\), not \(2,\)"):
        enforcer.enforce_batch([[1, 0], [1, 0]], [[5, 0], [5, 0]], sequence_lengths=[10])
