"""Comparison of several models over several datasets: ranks, tests, and effect sizes.

Tables of values are (n_datasets, n_models), higher is better, without gaps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from seqbench.statistics.attainable import ALPHA
from seqbench.statistics.ranks import mean_ranks

Array = NDArray[np.float64]

# Means of equal values differ in their last digits, as sums are rounded; such values are ties.
N_DECIMALS = 12


class Friedman(NamedTuple):
    """Whether models differ at all: chi square, its degrees of freedom, and the p-value."""

    statistic: float
    degrees: int
    p_value: float


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two models over the same datasets, by their columns.

    Parameters
    ----------
    wins, ties, losses
        Data sets on which the first has the higher, the same, or the lower value.
    median_difference
        Median over datasets of the first's value less the second's.
    rank_biserial
        Matched-pairs rank-biserial correlation, see `rank_biserial`.
    p_value, adjusted_p
        Of Wilcoxon's signed-rank test, alone and among all pairs of the table.
    """

    first: int
    second: int
    wins: int
    ties: int
    losses: int
    median_difference: float
    rank_biserial: float
    p_value: float
    adjusted_p: float

    @property
    def differs(self) -> bool:
        """Whether the two are distinguished at `ALPHA`."""
        return self.adjusted_p <= ALPHA

    def reversed(self) -> Pair:
        """Return the same, seen from the other model."""
        return replace(
            self,
            first=self.second,
            second=self.first,
            wins=self.losses,
            losses=self.wins,
            median_difference=-self.median_difference,
            rank_biserial=-self.rank_biserial,
        )


def average_ranks(values: Array) -> Array:
    """Return the rank of each model, averaged over datasets; 1 is best, ties share their mean."""
    return _ranks(values).mean(axis=0)


def friedman(values: Array) -> Friedman | None:
    """Test whether all models do equally well; None where all are tied on every dataset.

    Notes
    -----
    Corrected for ties, in the form of Conover: without ties it is Friedman's
    own. With two models it is the sign test's chi square.

    References
    ----------
    Friedman (1937). The use of ranks to avoid the assumption of normality
    implicit in the analysis of variance. JASA 32:675-701.
    Conover (1999). Practical nonparametric statistics, 3rd ed., section 5.8.
    """
    n_models = values.shape[1]
    centred = _ranks(values) - (n_models + 1) / 2
    spread = float((centred**2).sum())
    if spread == 0:
        return None
    statistic = (n_models - 1) * float((centred.sum(axis=0) ** 2).sum()) / spread
    return Friedman(statistic, n_models - 1, float(chdtrc(n_models - 1, statistic)))


def pairs(values: Array) -> list[Pair]:
    """Compare each model with each that stands after it, p-values adjusted for all of them."""
    columns = list(combinations(range(values.shape[1]), 2))
    differences = [_rounded(values[:, i] - values[:, j]) for i, j in columns]
    p_values = [signed_rank_p(d) for d in differences]
    return [
        Pair(
            first=first,
            second=second,
            wins=int((d > 0).sum()),
            ties=int((d == 0).sum()),
            losses=int((d < 0).sum()),
            median_difference=float(np.median(d)),
            rank_biserial=rank_biserial(d),
            p_value=p_value,
            adjusted_p=adjusted,
        )
        for (first, second), d, p_value, adjusted in zip(
            columns, differences, p_values, holm(p_values), strict=True
        )
    ]


def signed_rank_p(differences: Array) -> float:
    """Return the exact two-sided p-value of Wilcoxon's signed-rank test.

    Parameters
    ----------
    differences
        One for each dataset, (n,). Zeros are ranked with the others and then
        put aside, as Pratt has it.

    Returns
    -------
    float
        1 where all differences are zero.

    Notes
    -----
    Given the ranks, each sign is plus or minus with the same probability. The
    distribution of the sum of positive ranks is computed from that, rank by
    rank, so that it is exact with ties and zeros too, for any n; time and
    memory grow with n³ and n².

    References
    ----------
    Wilcoxon (1945). Individual comparisons by ranking methods. Biometrics
    Bulletin 1:80-83.
    Pratt (1959). Remarks on zeros and ties in the Wilcoxon signed rank
    procedures. JASA 54:655-667.
    """
    ranks = _signed_ranks(differences)
    steps = np.rint(2 * np.abs(ranks[ranks != 0])).astype(int)  # ties have halves
    observed = round(2 * float(ranks[ranks > 0].sum()))
    probability = np.zeros(int(steps.sum()) + 1)
    probability[0] = 1.0
    for step in steps:
        probability /= 2
        probability[step:] += probability[:-step].copy()
    tails = probability[: observed + 1].sum(), probability[observed:].sum()
    return min(1.0, 2 * float(min(tails)))


def rank_biserial(differences: Array) -> float:
    """Return the matched-pairs rank-biserial correlation: from -1, always lower, to 1.

    The part of the rank sum that speaks for the first model, less the part
    that speaks for the second. Ranks of zeros belong to the sum and speak for
    neither, so that ties draw the value to 0.

    References
    ----------
    Kerby (2014). The simple difference formula: an approach to teaching
    nonparametric correlation. Comprehensive Psychology 3:11.IT.3.1.
    """
    n = len(differences)
    return float(_signed_ranks(differences).sum()) / (n * (n + 1) / 2)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted by Holm's step-down procedure, in the order given.

    The smallest of m is multiplied by m, the next by m - 1, and so on; none
    becomes smaller than one before it, since Holm stops at the first that is
    not rejected.

    References
    ----------
    Holm (1979). A simple sequentially rejective multiple test procedure.
    Scandinavian Journal of Statistics 6:65-70.
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    return np.minimum(adjusted, 1.0).tolist()


def cliques(ranks: Array, compared: Sequence[Pair]) -> list[tuple[int, ...]]:
    """Return the bars of a critical-difference diagram.

    Parameters
    ----------
    ranks
        Average rank of each model, (n_models,).
    compared
        All pairs of them.

    Returns
    -------
    list of tuples
        Columns of models that follow each other in average rank and of which
        no pair differs, best first; groups that no other one contains, of two
        models at least.

    References
    ----------
    Demšar (2006). Statistical comparisons of classifiers over multiple data
    sets. JMLR 7:1-30, section 3.2.2, there with Nemenyi's test.
    """
    order = np.argsort(ranks, kind="stable").tolist()
    differing = {frozenset((pair.first, pair.second)) for pair in compared if pair.differs}
    found: list[tuple[int, ...]] = []
    reached = 1
    for start in range(len(order)):
        end = start + 1
        while end < len(order) and not any(
            frozenset((one, order[end])) in differing for one in order[start:end]
        ):
            end += 1
        if end - start > 1 and end > reached:
            found.append(tuple(order[start:end]))
            reached = end
    return found


def _ranks(values: Array) -> Array:
    return np.apply_along_axis(mean_ranks, 1, -_rounded(values))


def _signed_ranks(differences: Array) -> Array:
    """Return the ranks of sizes, zeros among them, with the signs of the differences, (n,)."""
    rounded = _rounded(differences)
    return np.sign(rounded) * mean_ranks(np.abs(rounded))


def _rounded(values: Array) -> Array:
    return np.round(values, N_DECIMALS)
