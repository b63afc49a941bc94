"""The best that so many trials find, and trends over trials, against counts by hand."""

from itertools import permutations
from statistics import fmean

import numpy as np
import pytest
from scipy.stats import spearmanr

from seqbench.statistics.searches import expected_best, rank_correlation


def test_the_expected_best_is_the_mean_over_all_orders():
    scores = [0.3, 0.9, 0.3, 0.5, 0.1]

    found = expected_best(scores)

    by_hand = [fmean(max(order[:k]) for order in permutations(scores)) for k in range(1, 6)]
    assert found == pytest.approx(by_hand)
    assert found[0] == pytest.approx(fmean(scores))
    assert found[-1] == 0.9


def test_a_rank_correlation_is_spearmans_and_its_p_value_counts_orders():
    values, scores = [16, 32, 32, 64, 16, 64], [0.1, 0.4, 0.3, 0.9, 0.2, 0.5]

    rho, p_value = rank_correlation(values, scores)

    assert rho == pytest.approx(spearmanr(values, scores).statistic)
    all_rho = [spearmanr(values, order).statistic for order in permutations(scores)]
    assert p_value == pytest.approx(np.mean(np.abs(all_rho) >= abs(rho) - 1e-9))


def test_four_trials_in_order_are_no_proof():
    rho, p_value = rank_correlation([1, 2, 3, 4], [0.1, 0.2, 0.3, 0.4])

    assert rho == pytest.approx(1)
    assert p_value == pytest.approx(2 / 24)


def test_p_values_of_many_trials_are_drawn_and_the_same_each_time():
    values = list(range(16))
    scores = [value + 5 * (value % 3) for value in values]

    rho, p_value = rank_correlation(values, scores)

    assert (rho, p_value) == rank_correlation(values, scores)
    assert p_value == pytest.approx(spearmanr(values, scores).pvalue, abs=0.01)
    assert p_value >= 1e-4  # of 9,999 draws, and the trials themselves


@pytest.mark.parametrize(("values", "scores"), [([1, 1, 1], [1, 2, 3]), ([1, 2, 3], [1, 1, 1])])
def test_what_never_changes_has_no_rank_correlation(values, scores):
    assert rank_correlation(values, scores) is None
