"""Differences between two ways to train, seed by seed."""

from collections.abc import Sequence
from statistics import fmean, stdev


def paired_interval(
    differences: Sequence[float], confidence: float = 0.95
) -> tuple[float, float] | None:
    """Return the interval of the mean of paired differences, or None for fewer than two.

    Of Student's t distribution: with a handful of seeds a bootstrap has too few
    values to draw from, and its intervals come out too narrow.

    References
    ----------
    Student (1908). The probable error of a mean. Biometrika 6:1-25.
    """
    from scipy.stats import t

    n = len(differences)
    if n < 2:
        return None
    reach = float(t.ppf((1 + confidence) / 2, n - 1)) * stdev(differences) / n**0.5
    return fmean(differences) - reach, fmean(differences) + reach
