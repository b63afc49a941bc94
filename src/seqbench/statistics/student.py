"""How sure a mean over a handful of seeds or folds is."""

from collections.abc import Sequence
from statistics import fmean, stdev

from scipy.special import stdtr, stdtrit


def mean_interval(
    values: Sequence[float], confidence: float = 0.95, *, test_to_train: float = 0.0
) -> tuple[float, float] | None:
    """Return the interval of the mean of values, or None for fewer than two.

    Of Student's t distribution: with a handful of seeds a bootstrap has too few
    values to draw from, and its intervals come out too narrow. Given paired
    differences, it is the interval of the paired t test.

    Values of folds are not independent, since folds learn from much the same
    recordings. With `test_to_train`, the size of test over that of what is
    learned from, the variance of the mean is (1 / n + test_to_train) of that
    of the values instead of 1 / n: the corrected resampled t test.

    References
    ----------
    Student (1908). The probable error of a mean. Biometrika 6:1-25.
    Nadeau, Bengio (2003). Inference for the generalization error. Machine
    Learning 52:239-281, section 3.
    """
    n = len(values)
    if n < 2:
        return None
    quantile = float(stdtrit(n - 1, (1 + confidence) / 2))
    reach = quantile * stdev(values) * (1 / n + test_to_train) ** 0.5
    return fmean(values) - reach, fmean(values) + reach


def mean_p(values: Sequence[float]) -> float | None:
    """Return the two-sided p-value of Student's t test that a mean is 0; None for fewer than two.

    It is below 0.05 where `mean_interval` leaves 0 out. Given paired differences, it is that of the
    paired t test.
    """
    n = len(values)
    if n < 2:
        return None
    mean, error = fmean(values), stdev(values) / n**0.5
    if not error:
        return 0.0 if mean else 1.0
    return float(2 * stdtr(n - 1, -abs(mean) / error))
