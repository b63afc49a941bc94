"""What stands on the front of cost and score."""

import pytest

from seqbench.statistics.pareto import pareto_front


@pytest.mark.parametrize(
    ("costs", "scores", "front"),
    [
        ([1, 2, 3], [0.1, 0.5, 0.9], [0, 1, 2]),
        ([3, 2, 1], [0.9, 0.5, 0.1], [2, 1, 0]),
        ([1, 2, 3], [0.9, 0.5, 0.9], [0]),  # dearer and no better
        ([1, 1, 2], [0.3, 0.5, 0.5], [1]),
        ([1, 1], [0.5, 0.5], [0]),
        ([], [], []),
    ],
)
def test_the_front_holds_what_nothing_cheaper_matches(costs, scores, front):
    assert pareto_front(costs, scores) == front
