"""Intervals of fractions, against scipy's and at the borders."""

import numpy as np
import pytest
from scipy.stats import binomtest

from seqbench.statistics.proportion import wilson


@pytest.mark.parametrize(("k", "n"), [(0, 5), (5, 5), (1, 3), (40, 1000), (7, 9)])
def test_bounds_are_those_of_scipy(k, n):
    expected = binomtest(k, n).proportion_ci(method="wilson")

    low, high = wilson([k / n], [n])

    assert (low[0], high[0]) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_a_perfect_score_has_an_interval():
    low, high = wilson([1.0, 0.0], [20, 20])

    assert np.all(high - low > 0.1)
    assert high[0] == 1
    assert low[1] == 0
