"""Tests over datasets, held against paper, hand, scipy and scikit-posthocs."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import scikit_posthocs
import scipy.stats

from seqbench.statistics import comparison
from seqbench.statistics.attainable import datasets_needed, smallest_adjusted_p, smallest_p
from seqbench.statistics.comparison import Pair

# Demšar (2006), table 6: AUC of C4.5, C4.5+m, C4.5+cf and C4.5+m+cf on 14 datasets. On the last
# but one he prints 0.975 twice but ranks the former first, so it has a digit more here.
DEMSAR = np.array(
    [
        [0.763, 0.768, 0.771, 0.798],
        [0.599, 0.591, 0.590, 0.569],
        [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657],
        [0.882, 0.888, 0.886, 0.898],
        [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685],
        [0.583, 0.583, 0.563, 0.625],
        [0.775, 0.838, 0.866, 0.875],
        [1.000, 1.000, 1.000, 1.000],
        [0.940, 0.962, 0.965, 0.962],
        [0.619, 0.666, 0.614, 0.669],
        [0.972, 0.981, 0.97501, 0.975],
        [0.957, 0.978, 0.946, 0.970],
    ]
)
C45, C45_M = 0, 1


def random_table(seed, n_datasets=12, n_models=5, n_levels=None):
    """Return values that differ between models; with few levels many are tied."""
    generator = np.random.default_rng(seed)
    values = generator.normal(size=(n_datasets, n_models)) + 0.8 * np.arange(n_models)
    return values if n_levels is None else np.round(values * n_levels / 4) / n_levels


def test_average_ranks_are_those_of_demsar():
    ranks = comparison.average_ranks(DEMSAR)

    assert ranks.round(3).tolist() == [3.143, 2.000, 2.893, 1.964]


def test_friedman_is_that_of_demsar_but_for_the_ties():
    found = comparison.friedman(DEMSAR)

    # He gives 9.28 without a correction. Four rows hold ties, one of 4 values and three of 2; the
    # correction divides by 1 - (60 + 3 * 6) / (14 * (4**3 - 4)).
    assert found.statistic * (1 - 78 / 840) == pytest.approx(9.28, abs=0.005)
    assert found.degrees == 3


@pytest.mark.parametrize("n_levels", [None, 4], ids=["distinct", "tied"])
def test_friedman_is_that_of_scipy(n_levels):
    values = random_table(1, n_levels=n_levels)

    found = comparison.friedman(values)

    expected = scipy.stats.friedmanchisquare(*values.T)
    assert (found.statistic, found.p_value) == pytest.approx(tuple(expected), rel=1e-12)


def test_models_that_are_always_tied_leave_friedman_nothing_to_test():
    values = np.tile([[0.3], [0.7]], 3)

    assert comparison.friedman(values) is None
    assert comparison.average_ranks(values).tolist() == [2, 2, 2]


def test_effect_and_wins_of_demsars_pair_are_those_found_by_hand():
    found = comparison.pairs(DEMSAR[:, [C45_M, C45]])[0]

    # He has R+ = 93 and R- = 12 with the two zeros' ranks, 1 and 2, shared between them. Pratt
    # takes 1.5 from each: (91.5 - 10.5) / 105.
    assert (found.wins, found.ties, found.losses) == (10, 2, 2)
    assert found.rank_biserial == pytest.approx(81 / 105, rel=1e-12)
    assert found.median_difference == pytest.approx((0.007 + 0.009) / 2, rel=1e-9)


@pytest.mark.parametrize(
    ("differences", "p"),
    [
        ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], 2 / 64),  # the sum 21 alone, and 0 on the other side
        ([0.1, 0.2, 0.3, 0.4, 0.5], 2 / 32),
        # Ranks 1 to 4, of which 1 is negative: sums 9 and 10, and 1 and 0.
        ([-0.1, 0.2, 0.3, 0.4], 4 / 16),
        # Pratt's ranks 2, 3.5, 3.5 beside a zero of rank 1: the sum 9 alone.
        ([0.0, 0.1, 0.2, 0.2], 2 / 8),
        # Pratt's ranks -2, 3, 4: the sums 0 and 2.
        ([0.0, -0.1, 0.2, 0.3], 4 / 8),
        # Pratt's ranks 3, 4, 5, -6: the sums 0, 3, 4, 5 and 6. Without the zeros the ranks would
        # be 1, 2, 3, -4, with seven sums up to 4 instead of five.
        ([0.0, 0.0, 0.1, 0.2, 0.3, -0.4], 10 / 16),
        ([0.0, 0.0, 0.0], 1.0),
    ],
)
def test_the_signed_rank_test_is_that_found_by_hand(differences, p):
    assert comparison.signed_rank_p(np.array(differences)) == pytest.approx(p, rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_the_signed_rank_test_without_ties_is_scipys_exact_one(seed):
    differences = np.random.default_rng(seed).normal(0.4, 1, size=20 + seed)

    expected = scipy.stats.wilcoxon(differences, method="exact").pvalue

    assert comparison.signed_rank_p(differences) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_the_signed_rank_test_with_ties_and_zeros_is_scipys_over_all_signs(seed):
    differences = np.append(np.random.default_rng(seed).integers(-3, 5, size=8), [0, 0]) / 8
    every_sign = scipy.stats.PermutationMethod(n_resamples=np.inf)

    expected = scipy.stats.wilcoxon(differences, zero_method="pratt", method=every_sign).pvalue

    assert comparison.signed_rank_p(differences) == pytest.approx(expected, rel=1e-9)


def test_differences_that_are_equal_but_for_rounding_share_their_rank():
    differences = np.array([0.9 - 0.8, 0.8 - 0.7, -(0.4 - 0.3), 0.2])  # 0.1 thrice, in decimals

    assert len(set(np.abs(differences))) == 4
    # Ranks 2, 2, -2, 4: the sums 8 and 10 are 3 + 1 of 16.
    assert comparison.signed_rank_p(differences) == pytest.approx(8 / 16)
    assert comparison.rank_biserial(differences) == pytest.approx((8 - 2) / 10)


def test_means_that_are_equal_but_for_rounding_are_a_tie():
    one, other = (0.1 + 0.2 + 0.3) / 3, (0.3 + 0.2 + 0.1) / 3

    found = comparison.pairs(np.array([[one, other], [0.5, 0.4]]))[0]

    assert one != other
    assert (found.wins, found.ties, found.losses) == (1, 1, 0)
    assert comparison.average_ranks(np.array([[one, other]])).tolist() == [1.5, 1.5]


@pytest.mark.parametrize(
    ("differences", "effect"),
    [([1.0, 2.0, 3.0], 1.0), ([-1.0, -2.0], -1.0), ([0.0, 0.0], 0.0), ([0.0, 5.0], 2 / 3)],
)
def test_the_effect_size_is_the_difference_of_both_shares_of_the_rank_sum(differences, effect):
    assert comparison.rank_biserial(np.array(differences)) == pytest.approx(effect)


def test_holm_is_that_found_by_hand():
    # Four tests: 0.01 * 4, 0.015 * 3 = 0.045, then 0.02 * 2 = 0.04, raised to 0.045, and 0.5 * 1.
    found = comparison.holm([0.02, 0.5, 0.01, 0.015])

    assert found == pytest.approx([0.045, 0.5, 0.04, 0.045])
    assert comparison.holm([0.4, 0.9]) == pytest.approx([0.8, 0.9])
    assert comparison.holm([0.6, 0.9]) == [1.0, 1.0]


@pytest.mark.parametrize("seed", range(5))
def test_pairs_are_those_of_scikit_posthocs(seed):
    table = pd.DataFrame(random_table(seed))
    melted = table.melt(var_name="model")

    expected = scikit_posthocs.posthoc_wilcoxon(
        melted, val_col="value", group_col="model", zero_method="pratt", p_adjust="holm"
    )

    for found in comparison.pairs(table.to_numpy()):
        assert found.adjusted_p == pytest.approx(expected.loc[found.first, found.second], rel=1e-9)


@pytest.mark.parametrize(
    ("ranks", "differing", "bars"),
    [
        ([1.0, 2.0, 3.0, 4.0], {(0, 2), (0, 3), (1, 3)}, [(0, 1), (1, 2), (2, 3)]),
        # The outer two do not differ, but the last two do: no bar may cover both of those.
        ([1.2, 1.8, 3.0], {(1, 2)}, [(0, 1)]),
        ([3.0, 1.0, 2.0], set(), [(1, 2, 0)]),
        ([1.0, 2.4, 2.6], {(0, 1), (0, 2)}, [(1, 2)]),
    ],
    ids=["neighbours", "inside", "columns in any order", "alone"],
)
def test_bars_join_neighbours_of_which_no_pair_differs(ranks, differing, bars):
    nothing = {"wins": 0, "ties": 0, "losses": 0, "median_difference": 0.0, "rank_biserial": 0.0}
    pairs = [
        Pair(first=i, second=j, p_value=0.0, adjusted_p=0.01 if (i, j) in differing else 0.5,
             **nothing)
        for i, j in combinations(range(len(ranks)), 2)
    ]  # fmt: skip

    assert comparison.cliques(np.array(ranks), pairs) == bars


@pytest.mark.parametrize("seed", range(8))
def test_bars_are_the_maximal_groups_that_a_search_of_all_groups_finds(seed):
    values = random_table(seed, n_datasets=15, n_models=6)
    pairs, ranks = comparison.pairs(values), comparison.average_ranks(values)
    alike = {frozenset((p.first, p.second)) for p in pairs if p.adjusted_p > 0.05}
    order = sorted(range(6), key=lambda column: (ranks[column], column))
    runs = [
        set(order[i:j])
        for i, j in combinations(range(7), 2)
        if j - i > 1 and all(frozenset(two) in alike for two in combinations(order[i:j], 2))
    ]
    expected = [run for run in runs if not any(run < other for other in runs)]

    assert expected
    assert [set(bar) for bar in comparison.cliques(ranks, pairs)] == expected


@pytest.mark.parametrize(("n", "p"), [(3, 0.25), (5, 0.0625), (6, 0.03125)])
def test_the_smallest_p_is_that_of_the_test_itself(n, p):
    assert smallest_p(n) == p
    assert comparison.signed_rank_p(np.arange(1.0, n + 1)) == pytest.approx(p)


def test_more_models_need_more_data_sets():
    # Pairs 1, 3, 10: 2**(1 - n) times that many is at most 0.05 from n = 6, 7 and 9 on.
    assert [datasets_needed(k) for k in (2, 3, 5)] == [6, 7, 9]
    assert smallest_adjusted_p(7, 3) == 3 / 64
    assert smallest_adjusted_p(2, 9) == 1.0
