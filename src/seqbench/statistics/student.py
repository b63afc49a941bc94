"""How sure a mean over a handful of seeds is."""

from collections.abc import Sequence
from statistics import fmean, stdev


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float] | None:
    """Return the interval of the mean of values, or None for fewer than two.

    Of Student's t distribution: with a handful of seeds a bootstrap has too few
    values to draw from, and its intervals come out too narrow. Given paired
    differences, it is the interval of the paired t test.

    References
    ----------
    Student (1908). The probable error of a mean. Biometrika 6:1-25.
    """
    from scipy.stats import t

    n = len(values)
    if n < 2:
        return None
    reach = float(t.ppf((1 + confidence) / 2, n - 1)) * stdev(values) / n**0.5
    return fmean(values) - reach, fmean(values) + reach
