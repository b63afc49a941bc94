"""How small a p-value can be at best: for a number of datasets and models."""

from math import comb

ALPHA = 0.05
LEAST_TRIALS = 4  # of a search, with a score, below which its options are not compared


def smallest_p(n_datasets: int) -> float:
    """Return the two-sided p-value of Wilcoxon's signed-rank test where one model always wins.

    Of the 2**n ways to give n differences a sign two are as extreme as all
    plus, so that fewer than six datasets cannot reach 0.05.
    """
    return min(1.0, 2.0 ** (1 - n_datasets))


def smallest_adjusted_p(n_datasets: int, n_models: int) -> float:
    """Return the same after Holm's correction for all pairs of models.

    References
    ----------
    Tarone (1990). A modified Bonferroni method for discrete data. Biometrics
    46:515-522: the smallest attainable p-value decides which tests can reject.
    """
    return min(1.0, comb(n_models, 2) * smallest_p(n_datasets))


def datasets_needed(n_models: int) -> int:
    """Return with how many datasets some pair of models can be distinguished at `ALPHA`."""
    n_datasets = 1
    while smallest_adjusted_p(n_datasets, n_models) > ALPHA:
        n_datasets += 1
    return n_datasets
