"""Thresholds of constructed cases, whose best is known by hand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.detections import made
from seqbench.storage.detections import Decoding, Detections
from seqbench.tasks.detection import thresholds as module
from seqbench.tasks.detection.matching import match
from seqbench.tasks.detection.refractory import DECODERS, select
from seqbench.tasks.detection.thresholds import MOST_THRESHOLDS, choose_thresholds, tune


def detections(events, found, *, n_types=1, known=((0, 1000),), **changes) -> Detections:
    """Events (place, onset, type) and candidates (place, time, type, score), at 1000 Hz."""
    return made(
        [(kind, onset, place) for place, onset, kind in events],
        [(kind, time, score, place) for place, time, kind, score in found],
        n_recordings=len(known),
        known=np.array(known),
        classes=[f"t{k}" for k in range(n_types)],
        decoding=Decoding(decoder="none of them", thresholds={}),
        **changes,
    )


def one_type(hits, others, **changes) -> Detections:
    """Events 50 samples apart from 100 on with a candidate each; others far from all of them."""
    n = len(hits)
    right = [(0, 100 + 50 * i, 0, score) for i, score in enumerate(hits)]
    wrong = [(0, 50_000 + 50 * i, 0, score) for i, score in enumerate(others)]
    events = [(0, 100 + 50 * i, 0) for i in range(n)]
    return detections(events, right + wrong, known=[(0, 100_000)], **changes)


def test_where_the_mean_over_types_ranks_each_has_the_threshold_of_its_own_f1():
    # The second type finds one event of three at the price of two false alarms, 2 * 1 / (3 + 3).
    # That is best for itself; over all events, where the first is at F1 1, it is not worth it.
    often = [(0, 100 + 50 * i, 0) for i in range(20)]
    seldom = [(0, 5000 + 100 * i, 1) for i in range(3)]
    right = [(*event, 0.9) for event in often] + [(0, 5000, 1, 0.4)]
    wrong = [(0, 8000 + 100 * i, 1, 0.5) for i in range(2)]
    found = detections(often + seldom, right + wrong, n_types=2, known=[(0, 10_000)])

    together = choose_thresholds(found, "threshold")
    each = choose_thresholds(replace(found, ranked_types=["t0", "t1"]), "threshold")

    assert together[1] > 0.5
    assert each[1] < 0.4
    assert each[0] == together[0]


@pytest.mark.parametrize("decoder", DECODERS)
def test_the_threshold_lies_in_the_middle_between_right_and_wrong(decoder):
    found = one_type([0.9, 0.8, 0.7], [0.5, 0.3], refractory_s=0.02)

    assert choose_thresholds(found, decoder) == pytest.approx([0.6])


@pytest.mark.parametrize(
    ("hits", "others", "expected"),
    [
        # To find the third event costs one false alarm, 6 / (3 + 4), or two, 6 / (3 + 5);
        # without it F1 is 4 / (3 + 2) = 0.8.
        ([0.9, 0.8, 0.4], [0.5], 0.2),
        ([0.9, 0.8, 0.4], [0.5] * 2, 0.65),
        # 1 hit in 1, 2 in 5, 3 in 9: F1 is 2 / (3 + 1) = 4 / (3 + 5) = 6 / (3 + 9).
        ([0.9, 0.6, 0.3], [0.8, 0.75, 0.7, 0.5, 0.45, 0.4], 0.55),
        # 1 hit in 1 and 3 in 9 are best, 2 in 6 is not: 4 / (3 + 6).
        ([0.9, 0.3, 0.1], [0.5, 0.48, 0.46, 0.44, 0.2, 0.15], 0.7),
    ],
    ids=["worth a false alarm", "not worth two", "the middle of equals", "the wider of two rows"],
)
def test_the_threshold_of_the_best_f1_is_chosen(hits, others, expected):
    assert choose_thresholds(one_type(hits, others), "threshold") == pytest.approx([expected])


def test_each_decoder_gets_thresholds_of_its_own():
    # Three false alarms lie within the period of the first event.
    near = [(0, 100 + 10 * i, 0, 0.7) for i in (2, 3, 4)]
    found = detections(
        [(0, 100, 0), (0, 500, 0)],
        [(0, 100, 0, 0.9), (0, 500, 0, 0.5), *near],
        refractory_s=0.1,
    )

    decoding = tune(found, "greedy")

    assert decoding.decoder == "greedy"
    assert list(decoding.thresholds) == list(DECODERS)
    # All: 4 / (2 + 5). The likeliest alone: 2 / (2 + 1). With the period both are found alone.
    assert decoding.thresholds["threshold"] == pytest.approx([0.8])
    assert decoding.thresholds["greedy"] == pytest.approx([0.25])
    assert decoding.thresholds["optimal"] == pytest.approx([0.25])


def test_each_type_gets_its_own_and_the_rest_the_median():
    found = detections(
        [(0, 100, 0), (0, 100, 1), (0, 100, 2), (0, 700, 4)],
        [
            *((0, 100, 0, 0.9), (0, 300, 0, 0.7)),
            *((0, 100, 1, 0.5), (0, 300, 1, 0.1)),
            *((0, 100, 2, 0.3), (0, 300, 2, 0.2)),
            (0, 300, 3, 0.9),  # of a type that does not occur
            (0, 100, 4, 0.9),  # nowhere near its event
        ],
        n_types=5,
    )

    assert choose_thresholds(found, "threshold") == pytest.approx([0.8, 0.3, 0.25, 0.3, 0.3])


def test_a_rare_type_that_nobody_can_distinguish_is_left_alone():
    # Type 1 has one event, found by one of 40 candidates that all look the same.
    clear = [(0, 100 + 50 * i, 0) for i in range(9)]
    found = detections(
        [*clear, (0, 5000, 1)],
        [
            *((place, onset, kind, 0.9) for place, onset, kind in clear),
            *((0, 5000 + 50 * i, 1, 0.4) for i in range(40)),
        ],
        n_types=2,
        known=[(0, 10_000)],
    )

    chosen = choose_thresholds(found, "threshold")

    assert chosen[0] == pytest.approx(0.45)
    assert chosen[1] == pytest.approx(0.7)  # between its best score and 1


def test_without_any_event_all_thresholds_are_one_half():
    found = detections([], [(0, 100, 0, 0.9)], n_types=2)

    assert choose_thresholds(found, "optimal").tolist() == [0.5, 0.5]
    assert choose_thresholds(detections([], [], n_types=1), "greedy").tolist() == [0.5]


def test_an_event_that_no_threshold_finds_decides_nothing():
    # A likelier candidate beside it always wins.
    found = detections([(0, 100, 0)], [(0, 104, 0, 0.3), (0, 110, 0, 0.9)], refractory_s=0.02)

    assert choose_thresholds(found, "greedy").tolist() == [0.5]
    assert choose_thresholds(found, "threshold") == pytest.approx([0.15])


@pytest.mark.parametrize(
    ("events", "candidates", "known", "expected"),
    [
        (
            [(0, 50, 0), (1, 0, 0)],
            [(0, 50, 0, 0.9), (0, 399, 0, 0.5)],
            [(0, 400), (0, 400)],
            0.7,
        ),
        # Both events and one false alarm, 4 / (2 + 3), against one event alone, 2 / (2 + 1).
        (
            [(0, 150, 0), (0, 350, 0)],
            [(0, 150, 0, 0.6), (0, 250, 0, 0.4), (0, 350, 0, 0.3), (0, 420, 0, 0.2)]
            + [(0, time, 0, 0.45) for time in (50, 99.4, 400, 450)],
            [(100, 400)],
            0.15,
        ),
        # One of two alone, 2 / (2 + 1), against both and three false alarms, 4 / (2 + 5).
        # With two more events, to find a second one would be worth it: 2 / 5 against 4 / 9.
        (
            [(0, time, 0) for time in (150, 350, 50, 450)],
            [(0, 150, 0, 0.6), (0, 350, 0, 0.3), *[(0, 200 + i, 0, 0.4) for i in range(3)]],
            [(100, 400)],
            0.5,
        ),
    ],
    ids=["the next recording", "detections outside", "events outside"],
)
def test_what_lies_outside_the_labelled_span_of_a_recording_is_left_out(
    events, candidates, known, expected
):
    found = detections(events, candidates, known=known)

    assert choose_thresholds(found, "threshold") == pytest.approx([expected])


def test_the_tolerance_is_that_of_the_data():
    hits = [(0, 100, 0, 0.9), (0, 307, 0, 0.4), (0, 500, 0, 0.2)]
    events = [(0, 100, 0), (0, 300, 0)]

    tight, wide = (
        choose_thresholds(detections(events, hits, tolerance_ms=t), "threshold") for t in (5.0, 10)
    )

    assert tight == pytest.approx([0.65])
    assert wide == pytest.approx([0.3])


def test_many_scores_are_tried_by_quantiles(monkeypatch):
    calls = []
    monkeypatch.setattr(module, "match", lambda *given: calls.append(1) or match(*given))
    generator = np.random.default_rng(0)
    hits, others = generator.uniform(0.6, 1, 400), generator.uniform(0, 0.5, 300)

    chosen = choose_thresholds(one_type(hits, others), "threshold")

    assert len(calls) == MOST_THRESHOLDS + 1  # and one above all
    assert chosen == pytest.approx([(hits.min() + others.max()) / 2])


def test_a_threshold_between_neighbouring_numbers_keeps_them_apart():
    low = 0.5
    high = float(np.nextafter(low, 1))

    chosen = choose_thresholds(one_type([high, high], [low]), "threshold")

    assert low < chosen[0] <= high


SCORED = st.tuples(st.integers(0, 200), st.integers(1, 9).map(lambda i: i / 10))


@given(
    st.lists(
        st.lists(st.integers(0, 200), min_size=1, max_size=5, unique=True), min_size=2, max_size=2
    ),
    st.lists(st.lists(SCORED, max_size=8), min_size=2, max_size=2),
)
def test_no_pair_of_thresholds_beats_the_chosen_ones(onsets, pairs):
    found = detections(
        [(0, onset, kind) for kind in range(2) for onset in onsets[kind]],
        [(0, time, kind, score) for kind in range(2) for time, score in pairs[kind]],
        n_types=2,
    )
    of_type = [
        detections([(0, o, 0) for o in onsets[k]], [(0, t, 0, s) for t, s in pairs[k]])
        for k in range(2)
    ]

    def counts(kind: int, threshold: float) -> tuple[int, int]:
        own = of_type[kind]
        kept = select(own.candidates, np.array([threshold]), 0.0, "threshold")
        times = np.rint(own.candidates.time[kept]).astype(np.int64)
        return len(match(own.reference_onset, times, 5)[0]), len(times)

    def micro(first: float, second: float) -> float:
        (hits, kept), (more_hits, more_kept) = counts(0, first), counts(1, second)
        return 2 * (hits + more_hits) / (kept + more_kept + sum(map(len, onsets)))

    has_hit = [any(abs(t - o) <= 5 for t, _ in pairs[k] for o in onsets[k]) for k in range(2)]
    grid = [(2 * i - 1) / 20 for i in range(1, 11)]
    if all(has_hit):
        chosen = choose_thresholds(found, "threshold")
        assert micro(*chosen) == pytest.approx(max(micro(a, b) for a in grid for b in grid))
