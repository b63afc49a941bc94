"""Pairs by hand, against brute force, the Hungarian algorithm and mir_eval."""

import mir_eval
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from seqbench.tasks.detection.matching import claim, match, on_one_line, tolerance_in_samples


def pairs(reference, detected, tolerance: int) -> list[tuple[int, int]]:
    of_reference, of_detected = match(
        np.array(reference, dtype=np.int64), np.array(detected, dtype=np.int64), tolerance
    )
    assert of_reference.dtype == of_detected.dtype == np.int64
    return list(zip(of_reference.tolist(), of_detected.tolist(), strict=True))


def claims(reference, ranked, tolerance: int) -> list[bool]:
    return claim(
        np.array(reference, dtype=np.int64), np.array(ranked, dtype=np.int64), tolerance
    ).tolist()


def random_case(seed: int, *, most: int = 25, reach: int = 100):
    """Crowded times, in no order, some of them equal."""
    generator = np.random.default_rng(seed)
    reference, detected = (
        generator.integers(0, reach, generator.integers(0, most + 1)) for _ in range(2)
    )
    return reference, detected, int(generator.integers(0, 15))


# By hand.


@pytest.mark.parametrize(
    ("tolerance_ms", "rate", "samples"),
    [
        (5.0, 1000.0, 5),
        (2.5, 1000.0, 2),  # 2.5 samples
        (2.5, 400.0, 1),  # exactly one
        (150.0, 360.0, 54),
        (0.5, 360.0, 0),
        (1000 * 0.29, 100.0, 29),  # 28.999999999999996 in floating point
    ],
)
def test_a_tolerance_is_rounded_down_to_whole_samples(tolerance_ms, rate, samples):
    assert tolerance_in_samples(tolerance_ms, rate) == samples


@pytest.mark.parametrize("shift", [-5, -1, 0, 1, 5])
def test_a_pair_may_be_as_far_apart_as_the_tolerance(shift):
    assert pairs([100, 200], [100 + shift, 200 + shift], 5) == [(0, 0), (1, 1)]


@pytest.mark.parametrize("shift", [-6, 6])
def test_a_pair_may_not_be_one_sample_further_apart(shift):
    assert pairs([100], [100 + shift], 5) == []


def test_of_duplicates_the_nearest_is_the_pair():
    assert pairs([100], [97, 101, 104], 5) == [(0, 1)]
    assert pairs([97, 101, 104], [100], 5) == [(1, 0)]


def test_of_equally_near_ones_the_earlier_is_the_pair():
    assert pairs([100], [103, 97], 5) == [(0, 1)]
    assert pairs([103, 97], [100], 5) == [(1, 0)]
    assert pairs([0, 100], [1, 103, 97], 5) == [(0, 0), (1, 2)]


def test_events_at_the_same_sample_are_several():
    assert len(pairs([5, 5, 5], [5, 5], 0)) == 2


@pytest.mark.parametrize(("reference", "detected"), [([], []), ([1, 2], []), ([], [1, 2])])
def test_nothing_matches_nothing(reference, detected):
    assert pairs(reference, detected, 5) == []
    assert claims(reference, detected, 5) == [False] * len(detected)


def test_one_line_keeps_rooms_apart():
    # Sample 9 of room 0 and sample 0 of room 1 are far from each other.
    times, room = np.array([9, 0]), np.array([0, 1])

    assert pairs(on_one_line(times, room, 13), on_one_line(times[::-1], room, 13), 3) == []
    assert pairs(on_one_line(times, room, 13), on_one_line(times, room, 13), 3) == [(0, 0), (1, 1)]


# Against others.


def distances(reference, detected, found) -> list[int]:
    return [abs(int(reference[i]) - int(detected[j])) for i, j in found]


def is_one_to_one(found) -> bool:
    return all(len({pair[side] for pair in found}) == len(found) for side in (0, 1))


def best_of_the_hungarian_algorithm(reference, detected, tolerance: int) -> tuple[int, int]:
    apart = np.abs(np.subtract.outer(reference, detected))
    gain = np.where(apart <= tolerance, 10**6 - apart, 0)
    chosen = gain[linear_sum_assignment(gain, maximize=True)]
    n = int((chosen > 0).sum())
    return n, n * 10**6 - int(chosen.sum())


@pytest.mark.parametrize("reach", [40, 100, 1000])
def test_pairs_are_as_good_as_those_of_the_hungarian_algorithm(reach):
    for seed in range(200):
        reference, detected, tolerance = random_case(seed, reach=reach)
        found = pairs(reference, detected, tolerance)
        apart = distances(reference, detected, found)

        assert is_one_to_one(found)
        assert max(apart, default=0) <= tolerance
        assert (len(found), sum(apart)) == best_of_the_hungarian_algorithm(
            reference, detected, tolerance
        )


def test_as_many_pairs_as_mir_eval_finds():
    n_compared = 0
    for seed in range(400):
        reference, detected, tolerance = random_case(seed, reach=200)
        # Whole numbers are exact, so seconds may stand for samples.
        a, b = np.sort(reference).astype(float), np.sort(detected).astype(float)
        theirs = mir_eval.util.match_events(a, b, tolerance) if len(a) and len(b) else []
        n = len(pairs(reference, detected, tolerance))

        assert n == len(theirs)
        if len(a) and len(b):
            f1, precision, recall = mir_eval.onset.f_measure(a, b, window=tolerance)
            assert (n / len(b), n / len(a)) == pytest.approx((precision, recall))
            assert 2 * n / (len(a) + len(b)) == pytest.approx(f1)
            n_compared += 1
    assert n_compared > 300


@given(st.data())
def test_the_order_of_times_does_not_matter(data):
    times = st.lists(st.integers(0, 60), max_size=12)
    reference, detected = data.draw(times), data.draw(times)
    tolerance = data.draw(st.integers(0, 12))
    shuffled, mixed = data.draw(st.permutations(reference)), data.draw(st.permutations(detected))

    def times_of(a, b):
        return [(a[i], b[j]) for i, j in pairs(a, b, tolerance)]

    assert times_of(shuffled, mixed) == times_of(reference, detected)


def test_one_call_for_many_rooms_is_as_good_as_a_call_for_each():
    for seed in range(50):
        generator = np.random.default_rng(seed)
        times = [generator.integers(0, 50, 60) for _ in range(2)]
        rooms = [generator.integers(0, 6, 60) for _ in range(2)]
        lines = [on_one_line(t, room, 50 + 7) for t, room in zip(times, rooms, strict=True)]
        together = pairs(*lines, 6)

        assert all(rooms[0][i] == rooms[1][j] for i, j in together)
        for room in range(6):
            own, others = (t[r == room] for t, r in zip(times, rooms, strict=True))
            apart = [abs(times[0][i] - times[1][j]) for i, j in together if rooms[0][i] == room]
            alone = distances(own, others, pairs(own, others, 6))
            assert (len(apart), sum(apart)) == (len(alone), sum(alone))


# Taking turns.


def test_the_best_takes_the_nearest_and_the_next_what_is_left():
    assert claims([0, 10], [6, 9, 5], 10) == [True, True, False]


def test_a_detection_may_take_what_is_as_far_as_the_tolerance():
    assert claims([100], [105], 5) == [True]
    assert claims([100], [106], 5) == [False]


def test_proposing_at_once_ends_where_taking_turns_does():
    n_taken = 0
    for seed in range(300):
        reference, ranked, tolerance = random_case(seed, reach=60)
        left = sorted(reference.tolist())
        expected = []
        for time in ranked.tolist():
            nearest = min(left, key=lambda event: (abs(event - time), event), default=None)
            expected.append(nearest is not None and abs(nearest - time) <= tolerance)
            if expected[-1]:
                left.remove(nearest)
        n_taken += sum(expected)

        assert claims(reference, ranked, tolerance) == expected
    assert n_taken > 1000
