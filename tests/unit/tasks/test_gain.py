"""By how much events are found better, and whether a network that starts as a filter keeps it."""

import numpy as np
import pytest
import torch

from fixtures.detections import made
from seqbench.models.base import Encoder
from seqbench.storage.detections import Detections
from seqbench.tasks.detection.gain import f1_gain
from seqbench.tasks.detection.metrics import f1_at
from seqbench.tasks.detection.pursuit_head import PursuitHead
from seqbench.tasks.detection.task import DetectionTask

EVENTS = [(i % 2, 20 * i + 5) for i in range(40)]
FALSE = [(0, 20 * i + 14) for i in range(40)]


def f1(detections):
    return f1_at(detections, np.ones((1, len(detections))), 5.0)[0]


def test_two_hits_more_and_a_false_alarm_less():
    before = made(EVENTS, [*EVENTS[:10], *FALSE[:4]])
    after = made(EVENTS, [*EVENTS[:12], *FALSE[:3]])

    gain, error = f1_gain(before, after)

    was = 20 / 54
    assert gain == pytest.approx((2 * (2 - was) + was) / 54)
    assert gain == pytest.approx(f1(after) - f1(before), rel=0.05)
    assert error == pytest.approx(np.sqrt(2 * (2 - was) ** 2 + was**2) / 54)
    assert f1_gain(after, before)[0] < 0


def test_what_both_find_counts_nothing():
    same = made(EVENTS, [*EVENTS[:10], *FALSE[:4]])

    assert f1_gain(same, made(EVENTS, [*EVENTS[:10], *FALSE[:4]])) == (0.0, 0.0)
    assert f1_gain(made([], []), made([], [])) == (0.0, 0.0)


def test_an_event_whose_time_moves_is_no_other_one():
    before = made(EVENTS, [*EVENTS[:10], *FALSE[:4]])
    moved = [(kind, time + 2) for kind, time in EVENTS[:10]]

    assert f1_gain(before, made(EVENTS, [*moved, *FALSE[:4]])) == (0.0, 0.0)


def test_where_types_rank_the_mean_over_them_decides():
    many, few = [(0, 20 * i + 5) for i in range(40)], [(1, 90 * i + 13) for i in range(10)]
    ranked = {"ranked_types": ["a", "b"]}
    before = made([*many, *few], many, **ranked)
    after = made([*many, *few], [*many[:36], *few], **ranked)

    gain, error = f1_gain(before, after)

    lost, won = -4 * (2 - 1) / 80, 10 * 2 / 10  # to first order, by type
    assert gain == pytest.approx((lost + won) / 2)
    assert error == pytest.approx(np.hypot(2 * 1 / 80, np.sqrt(10) * 2 / 10) / 2)
    assert gain > error
    assert f1_gain(after, before)[0] < 0
    assert f1_gain(made([*many, *few], many), made([*many, *few], many[:36]))[0] < 0


class Found(Encoder):
    """Stands for a filter; the head needs its sizes alone."""

    n_features, n_type_features, stride = 2 * 5, 3, 10

    def encode(self, x, lengths=None):
        return x


class Undecided(DetectionTask):
    """Detections come as they are."""

    def tune(self, windows, predicted, **_):
        return {}

    def join(self, windows, predicted, **_) -> Detections:
        return predicted


@pytest.mark.parametrize(("n_more", "stays"), [(0, False), (2, False), (4, True)])
def test_what_was_learned_stays_where_events_are_found_better_more_surely(n_more, stays):
    head = PursuitHead(Found(), 2, Undecided(), dropout=0.0, refractory_samples=0.0,
                       typical_samples=(5.0, 5.0))  # fmt: skip
    torch.nn.init.normal_(head.added.weight)
    torch.nn.init.normal_(head.added.bias)
    learned = {name: value.clone() for name, value in head.state_dict().items()}

    worse = [*EVENTS[:20], *FALSE[:2]]
    plain = made(EVENTS, worse)
    better = made(EVENTS, [*worse, *EVENTS[20 : 20 + n_more], *FALSE[5:7]])

    def predicted():
        return better if head.added.weight[0].any() else plain

    is_better, found = head.settle(predicted, None, None)

    assert is_better == stays
    assert found is predicted()
    for name, value in head.state_dict().items():
        assert torch.equal(value[1:], learned[name][1:])  # durations are learned in any case
        assert torch.equal(value[0], learned[name][0]) == stays
        assert value[0].any() == stays
