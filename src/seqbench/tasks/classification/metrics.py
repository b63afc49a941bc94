"""Metrics of classification, in numpy.

Each takes predictions and weights (R, N), how often each window counts in each
of R resamples, and returns R values: the plain value is that of one row of
ones, and a bootstrap costs no second implementation.
"""

import numpy as np
from numpy.typing import NDArray

from seqbench.config.registry import METRICS
from seqbench.statistics.curves import N_CALIBRATION_BINS, calibration, calibration_bins
from seqbench.storage.predictions import Predictions
from seqbench.storage.sequences import Sequences

Floats = NDArray[np.float64]


def confusion(predictions: Predictions | Sequences, weights: Floats) -> Floats:
    """Count windows, or their samples, by true and predicted class, (R, K, K)."""
    k = len(predictions.classes)
    cell = predictions.label * k + predictions.predicted
    counts = [
        np.bincount(cell, weights=predictions.spread(row), minlength=k * k) for row in weights
    ]
    return np.stack(counts).astype(np.float64).reshape(-1, k, k)


@METRICS.register("accuracy", tasks=("classification", "labelling"), better="higher", order=0)
def accuracy(predictions: Predictions | Sequences, weights: Floats) -> Floats:
    r"""Fraction of the windows, or of their samples, whose class is right.

    Notes
    -----
    .. math:: \frac{\sum_k n_{kk}}{\sum_{k,l} n_{kl}}
    """
    counts = confusion(predictions, weights)
    return np.trace(counts, axis1=1, axis2=2) / counts.sum(axis=(1, 2))


@METRICS.register(
    "balanced_accuracy", tasks=("classification", "labelling"), better="higher", order=1
)
def balanced_accuracy(predictions: Predictions | Sequences, weights: Floats) -> Floats:
    r"""Mean over the classes that occur of the fraction of their windows that is right.

    Notes
    -----
    .. math:: \frac{1}{|S|} \sum_{k \in S} \frac{n_{kk}}{\sum_l n_{kl}},
       \qquad S = \{k : \sum_l n_{kl} > 0\}
    """
    counts = confusion(predictions, weights)
    support = counts.sum(axis=2)
    hits = np.diagonal(counts, axis1=1, axis2=2)
    return _mean_where(np.divide(hits, np.maximum(support, 1e-300)), support > 0)


@METRICS.register("macro_f1", tasks=("classification", "labelling"), better="higher", order=2)
def macro_f1(predictions: Predictions | Sequences, weights: Floats) -> Floats:
    r"""Mean F1 over the classes that occur or are predicted; a class never found has 0.

    Notes
    -----
    .. math:: \frac{1}{|S|} \sum_{k \in S} \frac{2 n_{kk}}{\sum_l n_{kl} + \sum_l n_{lk}},
       \qquad S = \{k : \sum_l n_{kl} + \sum_l n_{lk} > 0\}
    """
    counts = confusion(predictions, weights)
    hits = np.diagonal(counts, axis1=1, axis2=2)
    total = counts.sum(axis=1) + counts.sum(axis=2)
    return _mean_where(2 * hits / np.maximum(total, 1e-300), total > 0)


@METRICS.register("mcc", tasks=("classification", "labelling"), better="higher", order=3)
def mcc(predictions: Predictions | Sequences, weights: Floats) -> Floats:
    r"""Matthews' correlation for any number of classes; 0 where it is not defined.

    Notes
    -----
    With :math:`t_k = \sum_l n_{kl}` windows of a class, :math:`q_k = \sum_l n_{lk}` predicted as
    it, and :math:`c = \sum_k n_{kk}` right ones of :math:`N`,

    .. math:: \frac{N c - \sum_k t_k q_k}
       {\sqrt{(N^2 - \sum_k t_k^2)(N^2 - \sum_k q_k^2)}}

    References
    ----------
    Gorodkin (2004). Comparing two K-category assignments by a K-category
    correlation coefficient. Computational Biology and Chemistry 28:367-374.
    """
    counts = confusion(predictions, weights)
    n = counts.sum(axis=(1, 2))
    true, predicted = counts.sum(axis=2), counts.sum(axis=1)
    covariance = n * np.trace(counts, axis1=1, axis2=2) - (true * predicted).sum(axis=1)
    spread = (n**2 - (true**2).sum(axis=1)) * (n**2 - (predicted**2).sum(axis=1))
    return np.where(spread > 0, covariance / np.sqrt(np.maximum(spread, 1e-300)), 0.0)


@METRICS.register("auroc", tasks=("classification",), better="higher", order=4)
def auroc(predictions: Predictions, weights: Floats) -> Floats:
    r"""Area under the ROC curve, one class against the rest, mean over the classes.

    Ties count half. Two classes have one curve. NaN where fewer than two
    classes occur.

    Notes
    -----
    With the scores :math:`s_{ik}` of window i, over the :math:`p_k` windows of class k and the
    :math:`q_k` others,

    .. math:: \frac{1}{|S|} \sum_{k \in S} \frac{1}{p_k q_k} \sum_{y_i = k} \sum_{y_j \ne k}
       \left( [s_{ik} > s_{jk}] + \tfrac{1}{2} [s_{ik} = s_{jk}] \right),
       \qquad S = \{k : p_k q_k > 0\}

    and of two classes the one area of :math:`s_{i1} - s_{i0}`.
    """
    scores, target = predictions.scores, predictions.target
    if len(predictions.classes) == 2:
        return _area(scores[:, 1] - scores[:, 0], target == 1, weights)
    areas = np.stack([_area(scores[:, k], target == k, weights) for k in range(scores.shape[1])])
    defined = np.isfinite(areas)
    return _mean_where(np.where(defined, areas, 0.0).T, defined.T)


@METRICS.register(
    "log_loss", tasks=("classification", "labelling"), better="lower", probabilities=True, order=5
)
def log_loss(predictions: Predictions | Sequences, weights: Floats) -> Floats:
    r"""Mean negative log-probability of the true class, in nats.

    Notes
    -----
    .. math:: -\frac{1}{N} \sum_i \ln \max(p_{i, y_i}, 2^{-52})
    """
    of_truth = predictions.scores[np.arange(len(predictions.label)), predictions.label]
    surprise = -np.log(np.maximum(of_truth, np.finfo(np.float64).eps))
    spread = map(predictions.spread, weights)
    return np.array([weight @ surprise / weight.sum() for weight in spread])


@METRICS.register("ece", tasks=("classification",), better="lower", probabilities=True, order=6)
def ece(predictions: Predictions, weights: Floats) -> Floats:
    r"""Expected calibration error of the winning class, in 15 bins of equal width.

    Notes
    -----
    With the windows :math:`B_m` whose highest probability lies in bin m,

    .. math:: \frac{1}{N} \sum_{m=1}^{15} \left| \sum_{i \in B_m}
       \left( [\hat y_i = y_i] - \max_k p_{ik} \right) \right|

    References
    ----------
    Guo, Pleiss, Sun, Weinberger (2017). On calibration of modern neural
    networks. ICML, equation 5. arXiv:1706.04599
    """
    confidence = predictions.scores.max(axis=1)
    surplus = (predictions.predicted == predictions.target) - confidence
    bins = np.eye(N_CALIBRATION_BINS)[calibration_bins(confidence)]  # (N, bins)
    gaps = np.abs(weights @ (surplus[:, None] * bins))
    return gaps.sum(axis=1) / weights.sum(axis=1)


def reliability(predictions: Predictions) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Return mean confidence, fraction that is right and number of windows in each bin of `ece`.

    NaN in a bin without windows, (15,) each.
    """
    is_right = predictions.predicted == predictions.target
    return calibration(predictions.scores.max(axis=1), is_right)


def _mean_where(values: Floats, mask: NDArray[np.bool_]) -> Floats:
    """Mean over the last axis of the values under the mask; NaN where it is empty."""
    n = mask.sum(axis=1)
    mean = (values * mask).sum(axis=1) / np.maximum(n, 1)
    return np.where(n > 0, mean, np.nan)


def _area(scores: Floats, positive: NDArray[np.bool_], weights: Floats) -> Floats:
    """Weighted probability that a positive outscores a negative, (R,)."""
    order = np.argsort(scores, kind="stable")
    first = np.flatnonzero(np.r_[True, np.diff(scores[order]) > 0])  # of each run of ties
    ordered, is_positive = weights[:, order], positive[order]
    positives = np.add.reduceat(ordered * is_positive, first, axis=1)
    negatives = np.add.reduceat(ordered * ~is_positive, first, axis=1)
    below = np.cumsum(negatives, axis=1) - negatives / 2
    pairs = positives.sum(axis=1) * negatives.sum(axis=1)
    wins = (positives * below).sum(axis=1)
    return np.where(pairs > 0, wins / np.maximum(pairs, 1e-300), np.nan)
