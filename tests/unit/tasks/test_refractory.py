"""The refractory rule by hand, against all subsets, and on streams against files."""

import itertools
import math
from time import process_time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqbench.storage.detections import Candidates
from seqbench.tasks.detection.refractory import (
    DECODERS,
    period_samples,
    select,
    violations,
)
from seqbench.tasks.detection.stream import Event, OnlineSelection


def candidates(time, score, *, type=0, place=0) -> Candidates:
    n = len(time)
    return Candidates.at(
        np.asarray(time, dtype=np.float64),
        place=np.broadcast_to(np.asarray(place, dtype=np.int64), n),
        type=np.broadcast_to(np.asarray(type, dtype=np.int64), n),
        score=np.asarray(score, dtype=np.float64),
    )


def kept(time, score, decoder, *, threshold=0.1, period=10.0) -> list[int]:
    return select(candidates(time, score), np.array([threshold]), period, decoder).tolist()


# Coarse times and scores meet the period exactly and tie often.
SCORES = st.sampled_from([0.0, 0.3, 0.5, 0.6, 0.7, 0.9, 1 - 1e-7, 1.0])
STREAMS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 1), SCORES), max_size=30)
PERIODS = st.sampled_from([0.0, 1.0, 2.5, 5.0, 8.0])
THRESHOLDS = np.array([0.3, 0.55])


# By hand.


def test_greedy_and_optimal_differ_where_one_stands_between_two():
    # The middle one is likelier than either neighbour, but not than both.
    time, score = [0, 8, 16], [0.6, 0.7, 0.6]

    assert kept(time, score, "threshold") == [0, 1, 2]
    assert kept(time, score, "greedy") == [1]
    assert kept(time, score, "optimal") == [0, 2]


def test_optimal_weighs_log_odds_above_the_threshold():
    # Above 0.5: log(9) = 2.2 in the middle, 2 * log(7 / 3) = 1.7 beside. Above 0.1: 4.4 and 6.1.
    time, score = [0, 8, 16], [0.7, 0.9, 0.7]

    assert kept(time, score, "optimal", threshold=0.5) == [1]
    assert kept(time, score, "optimal", threshold=0.1) == [0, 2]


@pytest.mark.parametrize("decoder", ["greedy", "optimal"])
def test_exactly_one_period_apart_is_allowed(decoder):
    assert kept([0, 10], [0.6, 0.7], decoder) == [0, 1]
    assert kept([0, 9.999], [0.6, 0.7], decoder) == [1]


@pytest.mark.parametrize("decoder", DECODERS)
def test_a_candidate_at_its_threshold_counts(decoder):
    assert kept([0, 50, 53], [0.5, 0.5, 0.4999], decoder, threshold=0.5) == [0, 1]
    assert kept([0, 5], [0.5, 0.4], decoder, threshold=0.5) == [0]


@pytest.mark.parametrize("decoder", ["greedy", "optimal"])
def test_a_threshold_of_zero_lets_everyone_in(decoder):
    assert kept([0, 5, 10], [0.0, 0.0, 0.0], decoder, threshold=0.0) == [0, 2]


@pytest.mark.parametrize("decoder", ["greedy", "optimal"])
def test_of_equals_the_earlier_is_kept_and_certain_ones_are_compared(decoder):
    assert kept([0, 5], [0.6, 0.6], decoder) == [0]
    assert kept([5, 0], [0.6, 0.6], decoder) == [1]
    assert kept([3, 3], [0.6, 0.6], decoder) == [0]
    # Both lie where log-odds are clipped.
    assert kept([0, 5], [1 - 1e-7, 1.0], decoder) == [1]


def test_optimal_takes_the_earliest_of_equal_sets():
    # Two of four fit: {0, 2}, {0, 3} and {1, 3} weigh the same.
    assert kept([0, 6, 12, 18], [0.6] * 4, "optimal") == [0, 2]


@pytest.mark.parametrize("decoder", ["greedy", "optimal"])
def test_recordings_and_types_do_not_meet(decoder):
    found = candidates([0, 1, 2, 3], [0.6, 0.7, 0.8, 0.9], place=[0, 0, 1, 1], type=[0, 1, 0, 0])

    assert select(found, np.full(2, 0.5), 10.0, decoder).tolist() == [0, 1, 3]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"decoder": "best"}, "known: threshold, greedy, optimal"),
        ({"refractory_samples": -1.0}, "0 or more"),
        ({"refractory_samples": math.nan}, "0 or more"),
        ({"thresholds": np.zeros(1)}, "type 1"),
    ],
)
def test_what_makes_no_sense_is_refused(change, sentence):
    found = candidates([0], [0.5], type=1)
    arguments = {"thresholds": np.zeros(2), "refractory_samples": 1.0, "decoder": "greedy"} | change

    with pytest.raises(ValueError, match=sentence):
        select(found, **arguments)


def test_the_period_of_seven_samples_is_seven_samples():
    assert 0.07 * 100 > 7
    assert period_samples(0.07, 100) == 7
    assert period_samples(None, 100) == 0


def test_violations_are_counted_within_a_recording_and_type():
    time, place, type = np.array(
        # too close; exactly apart; other type; other recording; too close, out of order
        [(0, 0, 0), (9, 0, 0), (19, 0, 0), (20, 0, 1), (20, 1, 0), (30, 2, 2), (25, 2, 2)]
    ).T

    assert len(violations(time.astype(np.float64), place, type, 10.0)) == 2


# Against all subsets, and in any order.


def best_by_trying(time, score, threshold, period):
    """Largest sum of log-odds above the threshold, over all sets that keep the period."""
    odds = np.log(np.clip(score, 1e-6, 1 - 1e-6) / (1 - np.clip(score, 1e-6, 1 - 1e-6)))
    weight = odds - math.log(threshold / (1 - threshold))
    sets = itertools.chain.from_iterable(
        itertools.combinations(range(len(time)), n) for n in range(len(time) + 1)
    )
    return max(
        sum(weight[i] for i in chosen)
        for chosen in sets
        if all(abs(time[i] - time[j]) >= period for i, j in itertools.combinations(chosen, 2))
        and all(score[i] >= threshold for i in chosen)
    ), weight


@given(
    st.lists(st.tuples(st.floats(0, 30), st.floats(0, 1)), max_size=9),
    st.sampled_from([1.0, 4.0, 10.0, 40.0]),
)
def test_optimal_is_the_best_of_all_subsets(pairs, period):
    time, score = [t for t, _ in pairs], [s for _, s in pairs]

    chosen = kept(time, score, "optimal", threshold=0.3, period=period)

    best, weight = best_by_trying(time, score, 0.3, period)
    assert sum(weight[i] for i in chosen) == pytest.approx(best, abs=1e-4)
    assert all(abs(time[i] - time[j]) >= period for i, j in itertools.combinations(chosen, 2))


@given(STREAMS, PERIODS)
def test_greedy_follows_its_definition(stream, period):
    time, type, score = (np.array([row[i] for row in stream], dtype=float) for i in range(3))
    found = candidates(time, score, type=type)

    by_definition: list[int] = []
    for i in sorted(range(len(stream)), key=lambda i: (-score[i], time[i], i)):
        if score[i] >= THRESHOLDS[int(type[i])] and all(
            type[i] != type[j] or abs(time[i] - time[j]) >= period for j in by_definition
        ):
            by_definition.append(i)

    assert select(found, THRESHOLDS, period, "greedy").tolist() == sorted(by_definition)


@given(STREAMS, PERIODS, st.randoms())
def test_the_order_of_candidates_does_not_matter(stream, period, random):
    stream = list({(t, k): (t, k, s) for t, k, s in stream}.values())
    shuffled = random.sample(stream, len(stream))

    for decoder in DECODERS:
        assert chosen_from(stream, period, decoder) == chosen_from(shuffled, period, decoder)


def chosen_from(stream, period, decoder) -> list[Event]:
    """Events of a whole list of (time, type, score)."""
    time, type, score = (np.array([row[i] for row in stream], dtype=float) for i in range(3))
    found = candidates(time, score, type=type)
    chosen = select(found, THRESHOLDS, period, decoder)
    return sorted(Event(*stream[i]) for i in chosen)


@given(STREAMS)
def test_without_a_period_all_decoders_agree(stream):
    expected = sorted(Event(*row) for row in stream if row[2] >= THRESHOLDS[row[1]])

    assert [chosen_from(stream, 0.0, decoder) for decoder in DECODERS] == [expected] * len(DECODERS)


@pytest.mark.parametrize("decoder", ["greedy", "optimal", "bounded"])
def test_many_candidates_take_seconds(decoder):
    generator = np.random.default_rng(0)
    n = 100_000
    found = candidates(np.sort(generator.uniform(0, 4 * n, n)), generator.uniform(size=n))

    begun = process_time()
    chosen = select(found, np.array([0.1]), 10.0, decoder)

    assert process_time() - begun < 5
    assert not len(violations(found.time[chosen], found.place[chosen], found.type[chosen], 10.0))


# On streams.


@given(STREAMS, PERIODS, st.lists(st.integers(0, 50), max_size=12), st.sampled_from(DECODERS))
def test_a_stream_gives_the_events_of_the_file(stream, period, clock, decoder):
    stream = sorted(stream, key=lambda row: row[0])
    online = OnlineSelection(THRESHOLDS, period, decoder)
    given_, left = [], list(stream)
    for now in sorted(clock):
        due = [row for row in left if row[0] < now]
        left = left[len(due) :]
        for time, type, score in due:
            online.push(type, time, score)
        given_.append(online.advance(now))
    for time, type, score in left:
        online.push(type, time, score)
    given_.append(online.finish())

    assert all(events == sorted(events) for events in given_)
    assert sorted(itertools.chain(*given_)) == chosen_from(stream, period, decoder)


@given(STREAMS, PERIODS, st.sampled_from(DECODERS))
def test_a_run_is_decided_one_period_after_its_end(stream, period, decoder):
    online = OnlineSelection(THRESHOLDS, period, decoder)
    stream = sorted(stream, key=lambda row: row[0])
    expected = chosen_from(stream, period, decoder)
    kept: list[Event] = []
    for now in range(60):
        for time, type, score in stream:
            if time == now:
                online.push(type, time, score)
        kept += online.advance(now)
        for type in range(2):
            likely = [t for t, k, s in stream if k == type and s >= THRESHOLDS[k]]
            ends = [
                a for a, b in itertools.pairwise([*likely, math.inf])
                if b - a >= period and a + period <= now
            ]  # fmt: skip
            due = [e for e in expected if e.type == type and ends and e.time <= ends[-1]]
            assert [e for e in due if e not in kept] == []


@pytest.mark.parametrize("decoder", ["greedy", "optimal"])
def test_an_event_alone_comes_after_one_period_and_not_before(decoder):
    online = OnlineSelection(np.array([0.5]), 10.0, decoder)
    online.push(0, 100.0, 0.9)

    assert online.advance(109.9) == []
    assert online.advance(110.0) == [Event(100.0, 0, 0.9)]
    assert online.advance(500.0) == []
    assert online.finish() == []


def test_greedy_does_not_wait_for_weaker_neighbours():
    online = OnlineSelection(np.array([0.5]), 10.0, "greedy")
    online.push(0, 100.0, 0.9)
    online.push(0, 109.0, 0.8)

    assert online.advance(110.0) == [Event(100.0, 0, 0.9)]
    assert online.finish() == []


def test_optimal_gives_what_every_outcome_shares():
    # Whatever follows, 0 goes before 4; at 36 it is still open what will follow.
    online = OnlineSelection(np.array([0.5]), 10.0, "optimal")
    for time, score in ((0.0, 0.9), (4.0, 0.6), (30.0, 0.7), (36.0, 0.8)):
        online.push(0, time, score)

    assert online.advance(36.0) == [Event(0.0, 0, 0.9)]
    assert online.finish() == [Event(36.0, 0, 0.8)]


@pytest.mark.parametrize("decoder", DECODERS)
def test_a_long_stream_needs_no_more_memory(decoder):
    generator = np.random.default_rng(1)
    online = OnlineSelection(np.array([0.2]), 10.0, decoder)
    most = 0
    for time in np.cumsum(generator.uniform(1, 6, size=5_000)).tolist():
        online.advance(time)
        online.push(0, time, float(generator.uniform()))
        most = max(most, len(online._open[0]._tag))

    assert most < 60


def test_a_stream_refuses_what_comes_too_late():
    online = OnlineSelection(np.array([0.5, 0.5]), 10.0, "greedy")
    online.push(0, 50.0, 0.1)
    online.push(1, 40.0, 0.9)
    with pytest.raises(ValueError, match="none before 50"):
        online.push(0, 49.0, 0.9)
    online.advance(45.0)
    online.advance(30.0)
    with pytest.raises(ValueError, match="none before 45"):
        online.push(1, 44.0, 0.9)
    with pytest.raises(ValueError, match="to come"):
        online.push(0, math.nan, 0.9)


def test_a_finished_stream_can_start_again():
    online = OnlineSelection(np.array([0.5]), 10.0, "optimal")
    online.push(0, 50.0, 0.9)
    assert online.finish() == [Event(50.0, 0, 0.9)]

    online.push(0, 3.0, 0.8)
    assert online.finish() == [Event(3.0, 0, 0.8)]
