"""The least score of an event of each type, chosen on val."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqbench.storage.detections import Decoding, Detections
from seqbench.tasks.detection.comparison import errors_ms
from seqbench.tasks.detection.matching import match, on_one_line, tolerance_in_samples
from seqbench.tasks.detection.refractory import (
    DECODERS,
    check,
    period_samples,
    select,
    wait_samples,
)

MOST_THRESHOLDS = 50  # tried for each type
LEAST_ERRORS = 40  # that make a 95 % interval
UNDECIDED = 0.5  # where no type has a threshold of its own


class Trials(NamedTuple):
    """What each threshold of one type finds on val, (J,) each, by rising threshold.

    A threshold lies in the middle between a score, ``high``, which it lets in,
    and the next lower one, ``low``, which it does not.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    middle: NDArray[np.float64]
    n_matched: NDArray[np.float64]
    n_kept: NDArray[np.float64]

    def gain(self, f1: float) -> NDArray[np.float64]:
        """Return what each threshold adds to twice the hits, at the price of `f1` a detection."""
        return 2 * self.n_matched - f1 * self.n_kept


def tune(detections: Detections, decoder: str) -> Decoding:
    """Choose thresholds for every decoder, each for itself, so that they compare fairly.

    Parameters
    ----------
    detections
        Of val; of their own decoding the wait of ``bounded`` has an effect alone.
    decoder
        The one whose events are predicted.
    """
    check(decoder, 0)
    if detections.refractory_s is None:  # nothing to respect, so all keep the same events
        thresholds = dict.fromkeys(DECODERS, choose_thresholds(detections, decoder))
    else:
        thresholds = {name: choose_thresholds(detections, name) for name in DECODERS}
    return replace(detections.decoding, decoder=decoder, thresholds=thresholds)


def choose_thresholds(detections: Detections, decoder: str) -> NDArray[np.float64]:
    """Choose the thresholds, one for each type, that give the best headline.

    Parameters
    ----------
    detections
        Of val; of their own decoding the wait of ``bounded`` has an effect alone.
    decoder
        One of `seqbench.tasks.detection.refractory.DECODERS`.

    Returns
    -------
    array
        The least score of an event of each type, (K,).

    Notes
    -----
    F1 is over all types and recordings, at the tolerance of the data, within the
    spans that are labelled; where the mean over types ranks, each type has its
    own. Where it is at best F, a
    detection more must be right with a probability above F / 2 to be worth it,
    whatever its type, so that a rare type that is never detected is left alone instead
    of ruining the rest. Tried are thresholds between a score and the next
    lower one: for each score of a candidate that lies within the tolerance of
    an event, or for `MOST_THRESHOLDS` quantiles of them, and one above all. To
    let in others alone never makes a choice by threshold better. Where several
    thresholds in a row are best, the one in the middle of the widest row is
    taken, as it is the least sensitive to other data. A type that has no event
    in val, or none that any threshold finds, gets the median threshold of the
    types that are found, or 0.5 if there are none.

    References
    ----------
    Dinkelbach (1967). On nonlinear fractional programming. Management Science
    13:492-498, for the joint choice.
    """
    trials = [_trials(detections, decoder, kind) for kind in range(len(detections.classes))]
    tried = [trial for trial in trials if trial is not None]
    is_known = _is_known(detections, detections.reference_place, detections.reference_onset)
    n_events = np.bincount(detections.reference_type[is_known], minlength=len(trials))
    shared_f1 = _best_f1(tried, int(n_events.sum()))
    thresholds = np.full(len(trials), np.nan)
    is_found = np.zeros(len(trials), dtype=bool)
    for kind, trial in enumerate(trials):
        if trial is not None:
            each = detections.ranked_types is not None
            f1 = _best_f1([trial], int(n_events[kind])) if each else shared_f1
            gain = trial.gain(f1)
            is_best = np.isclose(gain, gain.max(), rtol=0, atol=1e-9)
            thresholds[kind] = _middle_of_best(trial, is_best)
            is_found[kind] = trial.n_matched[is_best].any()
    rest = float(np.median(thresholds[is_found])) if is_found.any() else UNDECIDED
    return np.where(np.isnan(thresholds), rest, thresholds)


def _best_f1(trials: list[Trials], n_events: int) -> float:
    """Return the best F1 over the events of these types that any of their thresholds gives."""
    best_f1, f1 = -1.0, 0.0
    while f1 > best_f1:
        best_f1 = f1
        chosen = [(trial, int(trial.gain(best_f1).argmax())) for trial in trials]
        n_matched = sum(trial.n_matched[at] for trial, at in chosen)
        n_kept = sum(trial.n_kept[at] for trial, at in chosen)
        f1 = float(2 * n_matched / (n_kept + n_events)) if chosen else 0.0
    return best_f1


def timing_bounds_ms(detections: Detections) -> list[list[float] | None]:
    """Return how far an event may lie from where it was found: 95 % of the matched ones of val.

    Returns
    -------
    list
        By type the least and the greatest of event minus found, in
        milliseconds; types with too few matched events share those of all.
        None if even those are too few.
    """
    kind, error = errors_ms(detections)
    levels = [0.025, 0.975]
    shared = np.quantile(-error, levels).tolist() if len(error) >= LEAST_ERRORS else None
    return [
        np.quantile(-error[kind == k], levels).tolist()
        if (kind == k).sum() >= LEAST_ERRORS
        else shared
        for k in range(len(detections.classes))
    ]


def _trials(detections: Detections, decoder: str, kind: int) -> Trials | None:
    """Try thresholds of one type; None where there is nothing to choose by."""
    rate = detections.sampling_rate_hz
    tolerance = tolerance_in_samples(detections.tolerance_ms, rate)
    period = period_samples(detections.refractory_s, rate)
    wait = wait_samples(detections.decoding.wait_ms, rate)
    is_kind = detections.candidates.type == kind
    found = detections.candidates[is_kind]
    time = np.rint(found.time).astype(np.int64)
    is_found = _is_known(detections, found.place, time)
    is_there = detections.reference_type == kind
    is_there &= _is_known(detections, detections.reference_place, detections.reference_onset)
    # One line for all recordings, so that one call matches them all.
    start = detections.known[:, 0]
    span = int((detections.known[:, 1] - start).max(initial=0)) + tolerance + 1
    place = detections.reference_place[is_there]
    reference = on_one_line(detections.reference_onset[is_there] - start[place], place, span)
    detected = on_one_line(time - start[found.place], found.place, span)
    is_hit = is_found & (_distance(np.sort(reference), detected) <= tolerance)
    if not is_hit.any():
        return None
    low, high = _cuts(found.score[is_found], found.score[is_hit])
    middle = (low + high) / 2
    middle = np.where(middle > low, middle, high)
    counts = []
    for threshold in middle:
        least = np.full(len(detections.classes), threshold)
        kept = select(found, least, period, decoder, wait)
        kept = kept[is_found[kept]]
        counts.append((len(match(reference, detected[kept], tolerance)[0]), len(kept)))
    n_matched, n_kept = np.array(counts, dtype=np.float64).T
    return Trials(low, high, middle, n_matched, n_kept) if n_matched.any() else None


def _is_known(
    detections: Detections, place: NDArray[np.int64], time: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return which times lie where every event is labelled."""
    start, stop = detections.known[place].T
    return (start <= time) & (time < stop)


def _distance(sorted_times: NDArray[np.int64], times: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how far each time is from the nearest of others, infinite where there are none."""
    others = np.concatenate([[-np.inf], sorted_times, [np.inf]])
    after = np.searchsorted(others, times)
    return np.minimum(times - others[after - 1], others[after] - times)


def _cuts(
    scores: NDArray[np.float64], hits: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the scores of hits, or quantiles of those, after the next lower ones; and 1."""
    distinct, high = np.unique(scores), np.unique(hits)
    if len(high) > MOST_THRESHOLDS:
        high = np.unique(np.quantile(hits, np.linspace(0, 1, MOST_THRESHOLDS), method="lower"))
    below = np.concatenate([[0.0], distinct])[np.searchsorted(distinct, high)]
    return np.append(below, distinct[-1]), np.append(high, 1.0)


def _middle_of_best(trial: Trials, is_best: NDArray[np.bool_]) -> float:
    """Return the middle threshold of the widest row of best ones."""
    edges = np.diff(np.concatenate([[False], is_best, [False]]).astype(np.int8))
    first, last = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    widest = np.argmax(trial.high[last] - trial.low[first])
    row = slice(first[widest], last[widest] + 1)
    centre = (trial.low[row][0] + trial.high[row][-1]) / 2
    middle = trial.middle[row]
    return float(middle[np.argmin(np.abs(middle - centre))])
