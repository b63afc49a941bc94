"""Metrics of events with an end, where the task predicts ends.

An event of a reference is found by one of its type whose onset is no further away than the
tolerance, and whose end no further than the tolerance or a fifth of its duration, whichever is
more. Each has one partner at most, and as many pairs as possible are made. Times are in
whole samples. A labelled event whose end is not known is compared by its onset alone.

References
----------
Mesaros, Heittola, Virtanen (2016). Metrics for polyphonic sound event detection. Applied
Sciences 6:162, section 3.1.2, with the fifth of DCASE (sed_eval: ``percentage_of_length=0.2``).
"""

from functools import lru_cache
from typing import Any

import numpy as np

from seqbench.config.registry import METRICS
from seqbench.storage.detections import Detections
from seqbench.tasks.detection.comparison import (
    Decoded,
    Floats,
    Ints,
    decoded,
    mean_over_ranked,
    ratio,
)

PART_OF_DURATION = 0.2  # by which an end may be off


@METRICS.register(
    "event_f1_at", tasks=("detection",), better="higher", at_tolerances=True, ends=True, order=16
)
def event_f1_at(detections: Detections, weights: Floats, tolerance_ms: float) -> Floats:
    r"""F1 over the events of all types whose onset and end are both found.

    Notes
    -----
    With :math:`h` of E events found, onset and end, by D detections,

    .. math:: \frac{2 h}{E + D}
    """
    hits, reference, found = _totals(detections, weights, tolerance_ms)
    return ratio(2 * hits.sum(axis=1), (reference + found).sum(axis=1))


@METRICS.register(
    "macro_event_f1_at",
    tasks=("detection",),
    better="higher",
    at_tolerances=True,
    ends=True,
    order=17,
)
def macro_event_f1_at(detections: Detections, weights: Floats, tolerance_ms: float) -> Floats:
    r"""Mean of F1 with onset and end over the types that rank, of those that occur or are found.

    Notes
    -----
    .. math:: \frac{1}{|S|} \sum_{k \in S} \frac{2 h_k}{E_k + D_k},
       \qquad S = \{k : E_k + D_k > 0\}
    """
    hits, reference, found = _totals(detections, weights, tolerance_ms)
    return mean_over_ranked(detections, ratio(2 * hits, reference + found))


@METRICS.register("end_mae_ms", tasks=("detection",), better="lower", ends=True, order=18)
def end_mae_ms(detections: Detections, weights: Floats) -> Floats:
    r"""Mean absolute error of the end of what was found, in milliseconds.

    Of the pairs of `onset_mae_ms` that have an end on both sides.

    Notes
    -----
    With the end :math:`e_i` of each of P paired events and that of its detection,
    :math:`\hat e_i`,

    .. math:: \frac{1}{P} \sum_i |\hat e_i - e_i|
    """
    return _mean_error(detections, weights, np.abs)


@METRICS.register("end_bias_ms", tasks=("detection",), better="zero", ends=True, order=19)
def end_bias_ms(detections: Detections, weights: Floats) -> Floats:
    r"""Mean error of the end, in milliseconds; positive is late. Pairs as in `end_mae_ms`.

    Notes
    -----
    .. math:: \frac{1}{P} \sum_i (\hat e_i - e_i)
    """
    return _mean_error(detections, weights, np.asarray)


def ends_per_type(detections: Detections) -> list[dict[str, Any]]:
    """Return how well the ends of each type are found, at the tolerance of the dataset.

    Returns
    -------
    list of dict
        ``event_f1`` of each type, then of the pairs of `end_mae_ms` ``end_mae_ms``,
        ``end_bias_ms`` and the standard deviation ``end_sd_ms``, and of the pairs of
        `onset_mae_ms` ``onset_sd_ms``; None where a value is not defined.
    """
    compared = decoded(detections)
    n_hits = _n_hits(compared, detections.tolerance_ms).sum(axis=0)
    f1 = ratio(2 * n_hits, (compared.n_reference + compared.n_found).sum(axis=0))
    of_onset, late = compared.errors_ms
    kind, _, error = _errors_ms(compared)
    rows: list[dict[str, Any]] = []
    for k in range(len(detections.classes)):
        of_end, onset = error[kind == k], late[of_onset.type == k]
        rows.append(
            {
                "event_f1": float(f1[k]) if np.isfinite(f1[k]) else None,
                "end_mae_ms": float(np.abs(of_end).mean()) if len(of_end) else None,
                "end_bias_ms": float(of_end.mean()) if len(of_end) else None,
                "end_sd_ms": float(of_end.std()) if len(of_end) else None,
                "onset_sd_ms": float(onset.std()) if len(onset) else None,
            }
        )
    return rows


def _totals(
    detections: Detections, weights: Floats, tolerance_ms: float
) -> tuple[Floats, Floats, Floats]:
    """Return hits, events and detections of each type over all recordings, (R, K) each."""
    compared = decoded(detections)
    counts = (_n_hits(compared, tolerance_ms), compared.n_reference, compared.n_found)
    hits, reference, found = (weights @ count for count in counts)
    return hits, reference, found


@lru_cache(maxsize=32)
def _n_hits(compared: Decoded, tolerance_ms: float) -> Floats:
    """Count the events found with their ends by recording and type, (N, K)."""
    return compared.count(compared.found[_matched(compared, tolerance_ms)[1]])


def _matched(compared: Decoded, tolerance_ms: float) -> tuple[Ints, Ints]:
    """Return the indices of events and of what found them with their ends, (P,) each."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    reference, found, tolerance = compared.on_one_line(tolerance_ms)
    order = np.argsort(found, kind="stable")
    low = np.searchsorted(found[order], reference - tolerance, side="left")
    high = np.searchsorted(found[order], reference + tolerance, side="right")
    # Every pair of near onsets: of event i those of `order` from low[i] to high[i].
    n_near = high - low
    of_reference = np.repeat(np.arange(len(reference)), n_near)
    steps = np.arange(len(of_reference)) - np.repeat(np.cumsum(n_near) - n_near, n_near)
    of_found = order[np.repeat(low, n_near) + steps]
    events, candidates = compared.reference, compared.found
    end = np.rint(events.end[of_reference])
    duration = end - events.sample[of_reference]
    reach = np.maximum(tolerance, np.floor(PART_OF_DURATION * duration + 1e-9))
    off = np.abs(np.rint(candidates.end[of_found]) - end)
    fits = np.isnan(end) | (off <= reach)
    of_reference, of_found = of_reference[fits], of_found[fits]
    near = csr_array(
        (np.ones(len(of_found), dtype=np.int8), (of_reference, of_found)),
        shape=(len(reference), len(found)),
    )
    partner = maximum_bipartite_matching(near, perm_type="column")
    paired = np.flatnonzero(partner >= 0)
    return paired, partner[paired].astype(np.int64)


def _errors_ms(compared: Decoded) -> tuple[Ints, Ints, Floats]:
    """Return type, recording and error of the end of what was found, (P,) each."""
    detections = compared.detections
    of_reference, of_found = compared.onset_pairs
    late = compared.found.end[of_found] - compared.reference.end[of_reference]
    known = np.isfinite(late)
    found = compared.found[of_found[known]]
    return found.type, found.place, late[known] / detections.sampling_rate_hz * 1000


def _mean_error(detections: Detections, weights: Floats, of: Any) -> Floats:
    _, place, error = _errors_ms(decoded(detections))
    n = len(detections)
    total = np.bincount(place, of(error), minlength=n)
    return ratio(weights @ total, weights @ np.bincount(place, minlength=n))
