"""Metrics of detection, in numpy.

Each takes detections and weights (R, N), how often each recording counts in
each of R resamples, and returns R values. Those tagged ``at_tolerances`` also
take the tolerance in milliseconds.

What lies outside the known samples of its recording does not count. A
detection finds an event of its own type if the two, in whole samples, are no
further apart than the tolerance. Each has one partner at most; detections left
over are false alarms.
"""

import numpy as np

from seqbench.config.registry import METRICS
from seqbench.statistics.curves import N_CALIBRATION_BINS, calibration, calibration_bins
from seqbench.storage.detections import Detections
from seqbench.tasks.detection.comparison import (
    Decoded,
    Events,
    Floats,
    Ints,
    decoded,
    mean_defined,
    mean_over_ranked,
    ranking,
    ratio,
    share,
)

COVERAGE = 0.95  # of the intervals of onsets, on val


@METRICS.register("f1_at", tasks=("detection",), better="higher", at_tolerances=True, order=0)
def f1_at(detections: Detections, weights: Floats, tolerance_ms: float) -> Floats:
    r"""F1 over the events of all types.

    Notes
    -----
    With :math:`h` events found, of :math:`E` labelled, by :math:`D` detections,

    .. math:: \frac{2 h}{E + D}
    """
    hits, reference, found = decoded(detections).totals(weights, tolerance_ms)
    return ratio(2 * hits.sum(axis=1), (reference + found).sum(axis=1))


@METRICS.register("macro_f1_at", tasks=("detection",), better="higher", at_tolerances=True, order=1)
def macro_f1_at(detections: Detections, weights: Floats, tolerance_ms: float) -> Floats:
    r"""Mean F1 over the types that rank, of those that occur or are found; one never found has 0.

    All types rank unless the dataset names some (`ranked_types`).

    Notes
    -----
    With the hits :math:`h_k`, events :math:`E_k` and detections :math:`D_k` of a type,

    .. math:: \frac{1}{|S|} \sum_{k \in S} \frac{2 h_k}{E_k + D_k},
       \qquad S = \{k : E_k + D_k > 0\}
    """
    hits, reference, found = decoded(detections).totals(weights, tolerance_ms)
    return mean_over_ranked(detections, ratio(2 * hits, reference + found))


@METRICS.register(
    "precision_at", tasks=("detection",), better="higher", at_tolerances=True, order=2
)
def precision_at(detections: Detections, weights: Floats, tolerance_ms: float) -> Floats:
    r"""Part of the detections that are right; 0 if there are events but no detections.

    Notes
    -----
    With :math:`h` of :math:`D` detections that find an event,

    .. math:: \frac{h}{D}
    """
    hits, reference, found = decoded(detections).totals(weights, tolerance_ms)
    return share(hits.sum(axis=1), of=found.sum(axis=1), other=reference.sum(axis=1))


@METRICS.register("recall_at", tasks=("detection",), better="higher", at_tolerances=True, order=3)
def recall_at(detections: Detections, weights: Floats, tolerance_ms: float) -> Floats:
    r"""Part of the events that are found; 0 if there are detections but no events.

    Notes
    -----
    With :math:`h` of :math:`E` events found,

    .. math:: \frac{h}{E}
    """
    hits, reference, found = decoded(detections).totals(weights, tolerance_ms)
    return share(hits.sum(axis=1), of=reference.sum(axis=1), other=found.sum(axis=1))


@METRICS.register(
    "average_precision_at", tasks=("detection",), better="higher", at_tolerances=True, order=4
)
def average_precision_at(detections: Detections, weights: Floats, tolerance_ms: float) -> Floats:
    r"""Area under precision over recall from the scores of candidates, mean over types that occur.

    Neither thresholds nor the refractory rule have an effect. Candidates of a type
    take turns by falling score, and each finds the nearest event that is left.
    The area is the sum of the precision at each score times the recall gained
    there, without interpolation; candidates of equal score count together.

    Notes
    -----
    Of the candidates of type k, :math:`c_k(s)` score at least s and :math:`h_k(s)` of these find
    one of its :math:`E_k` events; :math:`s^+` is the next higher score, :math:`h_k` of the highest
    0. Over the K types that occur,

    .. math:: \frac{1}{K} \sum_k \sum_s \frac{h_k(s)}{c_k(s)} \cdot
       \frac{h_k(s) - h_k(s^+)}{E_k}

    References
    ----------
    Everingham et al. (2010). The PASCAL visual object classes (VOC) challenge.
    International Journal of Computer Vision 88:303-338, section 4.2. Departs
    from it in the area, which is not interpolated, and in that a detection
    whose nearest event is taken may find another.
    """
    return mean_defined(ranking(detections).areas(weights, tolerance_ms))


@METRICS.register("onset_mae_ms", tasks=("detection",), better="lower", order=5)
def onset_mae_ms(detections: Detections, weights: Floats) -> Floats:
    r"""Mean absolute timing error of what was found, in milliseconds.

    Of pairs within 10 ms or the tolerance of the dataset, whichever is more.

    Notes
    -----
    With the onset :math:`t_i` of each of P paired events and that of its detection,
    :math:`\hat t_i`,

    .. math:: \frac{1}{P} \sum_i |\hat t_i - t_i|
    """
    events, late = decoded(detections).errors_ms
    return _mean_error(decoded(detections), weights, events, np.abs(late))


@METRICS.register("onset_median_ms", tasks=("detection",), better="lower", order=6)
def onset_median_ms(detections: Detections, weights: Floats) -> Floats:
    r"""Median absolute timing error of what was found, in milliseconds; pairs as in the mean.

    Notes
    -----
    .. math:: \operatorname{median}_i |\hat t_i - t_i|
    """
    events, late = decoded(detections).errors_ms
    return _quantile(np.abs(late), events.place, weights, 0.5)


@METRICS.register("onset_p95_ms", tasks=("detection",), better="lower", order=7)
def onset_p95_ms(detections: Detections, weights: Floats) -> Floats:
    r"""95th percentile of the absolute timing error, in milliseconds; pairs as in the mean.

    Notes
    -----
    .. math:: Q_{0.95} \left( |\hat t_i - t_i| \right)

    the quantile being linear between two values.
    """
    events, late = decoded(detections).errors_ms
    return _quantile(np.abs(late), events.place, weights, 0.95)


@METRICS.register("onset_bias_ms", tasks=("detection",), better="zero", order=8)
def onset_bias_ms(detections: Detections, weights: Floats) -> Floats:
    r"""Mean timing error, in milliseconds; positive is late. Pairs as in the mean absolute error.

    Notes
    -----
    .. math:: \frac{1}{P} \sum_i (\hat t_i - t_i)
    """
    events, late = decoded(detections).errors_ms
    return _mean_error(decoded(detections), weights, events, late)


@METRICS.register("refractory_violations", tasks=("detection",), better="lower", order=9)
def refractory_violations(detections: Detections, weights: Floats) -> Floats:
    r"""Detections that follow one of their type sooner than the refractory period allows.

    Notes
    -----
    With the detections of a type in a recording, :math:`\hat t_1 \le \hat t_2 \le \ldots`, and the
    refractory period r,

    .. math:: \sum_j [\hat t_{j+1} - \hat t_j < r]
    """
    return _violations(decoded(detections), weights)


@METRICS.register("refractory_violations_before", tasks=("detection",), better="lower", order=10)
def refractory_violations_before(detections: Detections, weights: Floats) -> Floats:
    r"""The same if thresholds alone decided.

    Notes
    -----
    .. math:: \sum_j [\hat t_{j+1} - \hat t_j < r]

    over all candidates that reach the threshold of their type.
    """
    return _violations(decoded(detections, "threshold"), weights)


@METRICS.register("false_alarms_per_hour", tasks=("detection",), better="lower", order=11)
def false_alarms_per_hour(detections: Detections, weights: Floats) -> Floats:
    r"""Detections that match no event, at the tolerance of the dataset, per hour of known signal.

    Notes
    -----
    With :math:`h` of D detections that find an event in :math:`T` hours,

    .. math:: \frac{D - h}{T}
    """
    hits, _, found = decoded(detections).totals(weights, detections.tolerance_ms)
    seconds = np.diff(detections.known, axis=1)[:, 0] / detections.sampling_rate_hz
    return ratio((found - hits).sum(axis=1), weights @ seconds / 3600)


@METRICS.register(
    "presence_ece", tasks=("detection",), better="lower", probabilities=True, order=12
)
def presence_ece(detections: Detections, weights: Floats) -> Floats:
    r"""Expected calibration error of candidates, in 15 bins of equal width.

    A candidate is true if it finds an event that no better one has found, at
    the tolerance of the dataset.

    Notes
    -----
    With the scores :math:`s_j` of C candidates, whether each is true, :math:`z_j`, and the
    candidates :math:`B_m` whose score lies in bin m,

    .. math:: \frac{1}{C} \sum_{m=1}^{15} \left| \sum_{j \in B_m} (z_j - s_j) \right|

    References
    ----------
    Guo, Pleiss, Sun, Weinberger (2017). On calibration of modern neural
    networks. ICML, equation 5. arXiv:1706.04599
    """
    ranked = ranking(detections)
    surplus = ranked.is_hit(detections.tolerance_ms) - ranked.score
    n = len(detections)
    cell = ranked.found.place * N_CALIBRATION_BINS + calibration_bins(ranked.score)
    gaps = np.bincount(cell, surplus, minlength=n * N_CALIBRATION_BINS)
    counts = ranked.count(ranked.found).sum(axis=1)
    return ratio(np.abs(weights @ gaps.reshape(n, -1)).sum(axis=1), weights @ counts)


@METRICS.register("latency_p50_ms", tasks=("detection",), better="lower", order=13)
def latency_p50_ms(detections: Detections, weights: Floats) -> Floats:
    r"""Median time from an event to its output in a stream, by sample count, in milliseconds.

    Of the events that were found, as in `onset_mae_ms`; the time of computing is left out.

    Notes
    -----
    With the onset :math:`t_i` of an event and the time of the last sample that its output waits
    for, :math:`u_i`,

    .. math:: \operatorname{median}_i (u_i - t_i)
    """
    return _latency(detections, weights, 0.5)


@METRICS.register("latency_p95_ms", tasks=("detection",), better="lower", order=14)
def latency_p95_ms(detections: Detections, weights: Floats) -> Floats:
    r"""The 95th percentile of what `latency_p50_ms` is the median of.

    Notes
    -----
    .. math:: Q_{0.95}(u_i - t_i)
    """
    return _latency(detections, weights, 0.95)


@METRICS.register("coverage_gap", tasks=("detection",), better="zero", order=15)
def coverage_gap(detections: Detections, weights: Floats) -> Floats:
    r"""Fraction of the found events that lie in the interval of their onset, less the 0.95 of val.

    Of the pairs of `onset_mae_ms`; the interval is from `earliest_s` to `latest_s`.

    Notes
    -----
    .. math:: \frac{1}{P} \sum_i [a_i \le t_i \le b_i] - 0.95

    with the interval :math:`[a_i, b_i]` around the detection of the event at :math:`t_i`.
    """
    events, is_inside = decoded(detections).in_intervals
    covered = decoded(detections).count(events, is_inside.astype(np.float64)).sum(axis=1)
    return ratio(weights @ covered, weights @ decoded(detections).count(events).sum(axis=1)) - (
        COVERAGE
    )


def reliability(detections: Detections) -> tuple[Floats, Floats, Ints]:
    """Return mean score, fraction that is true and number of the candidates in each of 15 bins.

    A candidate is true as in `presence_ece`. NaN in a bin without candidates.
    """
    ranked = ranking(detections)
    return calibration(ranked.score, ranked.is_hit(detections.tolerance_ms))


def _latency(detections: Detections, weights: Floats, level: float) -> Floats:
    """Quantile of latencies, (R,); NaN where a method has no stream."""
    events, waits_ms = decoded(detections).latency_ms
    known = np.isfinite(waits_ms)
    return _quantile(waits_ms[known], events.place[known], weights, level)


def _violations(compared: Decoded, weights: Floats) -> Floats:
    """Sum violations over recordings; NaN where no refractory period is known."""
    if compared.detections.refractory_s is None:
        return np.full(len(weights), np.nan)
    return weights @ compared.violations


def _mean_error(compared: Decoded, weights: Floats, events: Events, error: Floats) -> Floats:
    """Mean of the errors of events, (R,); NaN where there is none."""
    total = weights @ compared.count(events, error).sum(axis=1)
    return ratio(total, weights @ compared.count(events).sum(axis=1))


def _quantile(values: Floats, place: Ints, weights: Floats, level: float) -> Floats:
    """Quantile of values that count as often as their recordings, (R,); NaN where none counts.

    That of `numpy.quantile` for a list in which each value stands as often as
    it counts: linear between the two values around the position.
    """
    order = np.argsort(values)
    values, place = values[order], place[order]
    found = np.full(len(weights), np.nan)
    for row, of_recording in enumerate(weights):
        n_up_to = np.cumsum(of_recording[place])
        if len(values) == 0 or n_up_to[-1] == 0:
            continue
        position = level * (n_up_to[-1] - 1)
        whole = np.floor(position)
        low, high = values[np.searchsorted(n_up_to, (whole, np.ceil(position)), side="right")]
        found[row] = low + (position - whole) * (high - low)
    return found
