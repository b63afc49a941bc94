"""What trials of a search say: the best that so many of them find, and which option matters."""

from collections.abc import Sequence
from math import comb, factorial

import numpy as np
from numpy.typing import NDArray

from seqbench.statistics.ranks import mean_ranks

N_DRAWS = 9999  # of orders, where all are more than that
SEED = 0  # of the draws: the same trials give the same p-value


def expected_best(scores: Sequence[float]) -> list[float]:
    """Return the mean of the best of 1, 2, … trials over all orders in which they could be run.

    Parameters
    ----------
    scores
        Of n trials, higher is better.

    Returns
    -------
    list[float]
        n values; the first is the mean of the scores, the last the highest.

    Notes
    -----
    Exact: of all sets of k trials, C(i - 1, k - 1) have the i-th lowest as their best. Dodge et
    al. draw the k with replacement, which is too low on average; without it, as here, the mean
    is unbiased (Tang et al.).

    References
    ----------
    Dodge et al. (2019). Show your work: improved reporting of experimental results. EMNLP.
    Tang et al. (2020). Showing your work doesn't always work. ACL.
    """
    ordered = sorted(scores)
    n = len(ordered)
    return [
        sum(comb(i, k - 1) * score for i, score in enumerate(ordered)) / comb(n, k)
        for k in range(1, n + 1)
    ]


def rank_correlation(
    values: Sequence[float], scores: Sequence[float]
) -> tuple[float, float] | None:
    """Return Spearman's rank correlation and the p-value that it is none; None where undefined.

    Notes
    -----
    The two-sided p-value is that of all orders of the scores, or of 9,999 drawn ones: trials are
    few and have ties, which the usual approximation by Student's t takes badly.

    References
    ----------
    Spearman (1904). The proof and measurement of association between two things.
    """
    x, y = _standard_ranks(values), _standard_ranks(scores)
    if x is None or y is None:
        return None
    rho = float(x @ y)
    least = abs(rho) - 1e-12  # sums of equal terms differ in their last digits
    if factorial(len(y)) <= N_DRAWS:
        orders = _all_orders(len(y))
        return rho, float((np.abs(y[orders] @ x) >= least).mean())
    draws = np.random.default_rng(SEED).permuted(np.tile(y, (N_DRAWS, 1)), axis=1)
    return rho, (1 + int((np.abs(draws @ x) >= least).sum())) / (1 + N_DRAWS)


def _standard_ranks(values: Sequence[float]) -> NDArray[np.float64] | None:
    """Return ranks (n,), ties sharing their mean, with mean 0 and norm 1; None if all are tied."""
    ranks = mean_ranks(values)
    ranks -= ranks.mean()
    norm = float(np.linalg.norm(ranks))
    return None if norm == 0 else ranks / norm


def _all_orders(n: int) -> NDArray[np.int64]:
    """Return all orders of n things, (n!, n)."""
    orders = np.zeros((1, 0), np.int64)
    for size in range(n):
        orders = np.concatenate(
            [np.insert(orders, place, size, axis=1) for place in range(size + 1)]
        )
    return orders
