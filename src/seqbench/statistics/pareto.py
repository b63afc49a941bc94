"""Which of several things no other one beats in both of two ways."""

from collections.abc import Sequence


def pareto_front(costs: Sequence[float], scores: Sequence[float]) -> list[int]:
    """Return the indices of what nothing cheaper or as cheap matches, the cheapest first.

    Of those alike in both, the first is on the front.
    """
    front: list[int] = []
    best = float("-inf")
    for index in sorted(range(len(costs)), key=lambda i: (costs[i], -scores[i], i)):
        if scores[index] > best:
            front.append(index)
            best = scores[index]
    return front
