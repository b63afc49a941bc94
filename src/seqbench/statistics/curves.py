"""What a detector of one class trades against what, over all thresholds of its scores."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
N_CALIBRATION_BINS = 15


def roc(scores: Floats, positive: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return rates of false alarms and of hits, from (0, 0) to (1, 1), both rising.

    Parameters
    ----------
    scores, positive
        Of each window its score and whether it is of the class, (N,). Equal
        scores make one step, slanted where both kinds have them.

    Raises
    ------
    ValueError
        Unless there are windows of both kinds.

    References
    ----------
    Fawcett (2006). An introduction to ROC analysis. Pattern Recognition
    Letters 27:861-874, algorithm 1.
    """
    if positive.all() or not positive.any():
        raise ValueError("a ROC curve needs windows of the class and others")
    hits, false_alarms = (np.r_[0, n] / n[-1] for n in _counts(scores, positive))
    return false_alarms, hits


def precision_recall(scores: Floats, positive: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return recall, rising, and precision at each threshold, from the highest down.

    Raises
    ------
    ValueError
        If no window is of the class.
    """
    if not positive.any():
        raise ValueError("recall needs windows of the class")
    hits, false_alarms = _counts(scores, positive)
    return hits / hits[-1], hits / (hits + false_alarms)


def average_precision(recall: Floats, precision: Floats) -> float:
    """Return the mean of the precision over the steps of the recall, without interpolation.

    A straight line between two points would promise what no threshold gives.

    References
    ----------
    Davis, Goadrich (2006). The relationship between precision-recall and ROC
    curves. ICML, section 4.
    """
    return float(np.diff(recall, prepend=0.0) @ precision)


def precision_at(levels: Floats, recall: Floats, precision: Floats) -> Floats:
    """Return the precision at the highest threshold that reaches each level of recall.

    Levels lie between 0 and 1; at 0 the first hit counts.
    """
    rounding = 1e-12  # levels and recalls that mean the same number need not be the same bits
    return precision[np.searchsorted(recall, np.maximum(levels - rounding, rounding))]


def _counts(scores: Floats, positive: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return hits and false alarms at each threshold that is a score, from the highest, (S,)."""
    order = np.argsort(-scores, kind="stable")
    last_of_ties = np.r_[np.flatnonzero(np.diff(scores[order])), len(scores) - 1]
    hits = np.cumsum(positive[order].astype(np.float64))[last_of_ties]
    return hits, last_of_ties + 1 - hits


def calibration_bins(scores: Floats) -> NDArray[np.int64]:
    """Return which of 15 bins of equal width each score falls into, (N,)."""
    edges = np.linspace(0, 1, N_CALIBRATION_BINS + 1)[1:-1]
    return np.searchsorted(edges, scores)


def calibration(
    scores: Floats, is_true: NDArray[np.bool_]
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Return mean score, fraction that is true and number of scores in each bin, (15,) each.

    NaN in a bin without scores.
    """
    bins = calibration_bins(scores)
    counts = np.bincount(bins, minlength=N_CALIBRATION_BINS)
    sums = (
        np.bincount(bins, of, minlength=N_CALIBRATION_BINS)
        for of in (scores, is_true.astype(np.float64))
    )
    mean, fraction = (np.where(counts, of / np.maximum(counts, 1), np.nan) for of in sums)
    return mean, fraction, counts
