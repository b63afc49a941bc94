"""The decoder that keeps the period without waiting for its end."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqbench.storage.detections import Candidates
from seqbench.tasks.detection.refractory import BoundedChoice, select, violations
from seqbench.tasks.detection.stream import OnlineSelection

PERIOD, LEAST = 10.0, 0.25
Row = tuple[float, float]


def kept(rows: list[Row], wait: float, period: float = PERIOD) -> list[int]:
    time, score = zip(*rows, strict=True) if rows else ((), ())
    found = Candidates.at(time, place=0, type=0, score=score)
    return select(found, np.array([LEAST]), period, "bounded", wait).tolist()


def by_definition(rows: list[Row], wait: float) -> list[int]:
    """Read the candidates sample by sample of a fine clock, as the rule has it."""
    wait = min(wait, PERIOD)
    chosen: list[int] = []
    todo = [i for i, (_, score) in enumerate(rows) if score >= LEAST]
    while todo:
        start = rows[todo[0]][0]
        rivals = [i for i in todo if i == todo[0] or rows[i][0] < start + wait]
        best = next(i for i in rivals if rows[i][1] == max(rows[j][1] for j in rivals))
        chosen.append(best)
        todo = [i for i in todo if i > best and rows[i][0] >= rows[best][0] + PERIOD]
    return chosen


crowds = st.lists(
    st.tuples(st.integers(0, 120).map(lambda n: n / 2), st.sampled_from([0.2, 0.3, 0.5, 0.7, 0.9])),
    max_size=25,
).map(sorted)
waits = st.sampled_from([0.0, 0.5, 3.0, 9.5, 10.0, 50.0])


def test_the_first_within_the_wait_is_beaten_by_a_likelier_one_and_later_ones_are_not():
    rows = [(0.0, 0.5), (2.0, 0.6), (3.0, 0.9), (11.0, 0.9), (12.9, 0.9), (13.0, 0.3)]

    assert kept(rows, wait=0.0) == [0, 3]
    assert kept(rows, wait=3.0) == [1, 4]
    assert kept(rows, wait=3.5) == [2, 5]


def test_of_equals_the_earlier_is_kept():
    assert kept([(0.0, 0.5), (1.0, 0.7), (2.0, 0.7)], wait=5.0) == [1]


def test_what_is_below_the_threshold_neither_waits_nor_blocks():
    assert kept([(0.0, 0.2), (1.0, 0.5), (10.5, 0.2), (11.0, 0.5)], wait=0.0) == [1, 3]


def test_without_a_period_all_are_kept():
    assert kept([(0.0, 0.5), (0.0, 0.5), (1.0, 0.5)], wait=5.0, period=0.0) == [0, 1, 2]


@given(crowds, waits)
def test_it_keeps_what_the_rule_says(rows, wait):
    chosen = kept(rows, wait)

    assert chosen == by_definition(rows, wait)
    times = np.array([rows[i][0] for i in chosen])
    nobody = np.zeros(len(times), dtype=np.int64)
    assert not len(violations(times, nobody, nobody, PERIOD))


@given(crowds, waits, st.integers(0, 2**20))
def test_a_stream_keeps_the_same_and_none_later_than_the_wait(rows, wait, seed):
    random = np.random.default_rng(seed)
    selection = OnlineSelection(np.array([LEAST]), PERIOD, "bounded", wait)
    given_at: list[tuple[float, float]] = []
    events = []
    for time, score in rows:
        selection.push(0, time, score)
        for now in (time, time + random.uniform(0, 3)):
            last = math.inf if (time, score) == rows[-1] else rows[rows.index((time, score)) + 1][0]
            new = selection.advance(min(now, last))
            events += new
            given_at += [(event.time, min(now, last)) for event in new]
    events += selection.finish()

    assert [(event.time, event.score) for event in events] == [rows[i] for i in kept(rows, wait)]
    for time, now in given_at:
        assert wait or now - time <= 3  # at once


@pytest.mark.parametrize("wait", [0.0, 4.0, 10.0])
def test_an_event_is_certain_once_the_wait_is_over_and_not_before(wait):
    choice: BoundedChoice[str] = BoundedChoice(PERIOD, wait)
    choice.add(100.0, 0.5, "a")

    if wait:
        assert choice.settled(np.nextafter(100 + wait, 0)) == []
    assert choice.settled(100 + wait) == ["a"]
    choice.add(109.0, 0.9, "b")
    choice.add(110.0, 0.5, "c")
    assert choice.settled(110.0 + wait) == ["c"]


def test_what_is_held_does_not_grow():
    choice: BoundedChoice[int] = BoundedChoice(PERIOD, 5.0)

    for i in range(10_000):
        choice.add(3.0 * i, 0.5, i)
        choice.settled(3.0 * i)

        assert len(choice._time) <= 3
