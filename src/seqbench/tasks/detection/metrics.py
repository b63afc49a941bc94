"""Metrics of detection, in numpy.

Each takes detections and weights (R, N), how often each recording counts in
each of R resamples, and returns R values. Those tagged ``at_tolerances`` also
take the tolerance in milliseconds.

What lies outside the known samples of its recording does not count. A
detection finds an event of its own type if the two, in whole samples, are no
further apart than the tolerance. Each has one partner at most; detections left
over are false alarms.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from seqbench.options import TOLERANCES_MS
from seqbench.registry import METRICS
from seqbench.storage.detections import Detections
from seqbench.tasks.detection.matching import claim, match, on_one_line, tolerance_in_samples
from seqbench.tasks.detection.refractory import period_samples, select

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
N_CALIBRATION_BINS = 15
LEAST_ERROR_TOLERANCE_MS = 10.0  # a tighter one would cut off the errors that are to be measured


@dataclass(frozen=True, kw_only=True, eq=False)
class Events:
    """Events in the recordings of a split.

    Parameters
    ----------
    place, type
        Position of the recording and index of the type, (E,).
    time
        Onset in samples from the start of the recording, (E,).
    """

    place: Ints
    type: Ints
    time: Floats

    def __len__(self) -> int:
        return len(self.time)

    def __getitem__(self, index: NDArray[Any] | slice) -> Self:
        return type(self)(place=self.place[index], type=self.type[index], time=self.time[index])

    @cached_property
    def sample(self) -> Ints:
        """Onset in whole samples, (E,)."""
        return np.rint(self.time).astype(np.int64)

    def inside(self, spans: Ints) -> NDArray[np.bool_]:
        """Tell which events lie in the span [start, stop) of their recording, (E,)."""
        start, stop = spans[self.place].T
        return (start <= self.sample) & (self.sample < stop)


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """Labelled events of a split beside those that a model found, as far as they are scored.

    Parameters
    ----------
    detections
        Where both are from.
    reference, found
        Events inside the known samples, (E,) and (D,).
    """

    detections: Detections
    reference: Events
    found: Events

    @property
    def tolerances_ms(self) -> list[float]:
        """Return the tolerances of the metrics and of the dataset, rising."""
        return sorted({*TOLERANCES_MS, self.detections.tolerance_ms})

    def count(self, events: Events, weights: Floats | None = None) -> Floats:
        """Count events, or sum weights of events, by recording and type, (N, K)."""
        n, k = len(self.detections), len(self.detections.classes)
        room = events.place * k + events.type
        return np.bincount(room, weights, minlength=n * k).astype(np.float64).reshape(n, k)

    def on_one_line(self, tolerance_ms: float) -> tuple[Ints, Ints, int]:
        """Return both lists as `match` takes them, and the tolerance in samples."""
        tolerance = tolerance_in_samples(tolerance_ms, self.detections.sampling_rate_hz)
        span = int(self.detections.known.max(initial=0)) + tolerance + 1
        k = len(self.detections.classes)
        reference, found = (
            on_one_line(events.sample, events.place * k + events.type, span)
            for events in (self.reference, self.found)
        )
        return reference, found, tolerance


@dataclass(frozen=True, kw_only=True, eq=False)
class Decoded(Comparison):
    """A comparison with the events of a decoder."""

    def pairs(self, tolerance_ms: float) -> tuple[Ints, Ints]:
        """Return the indices of events and of what found them, (P,) each."""
        return match(*self.on_one_line(tolerance_ms))

    @cached_property
    def n_hits(self) -> dict[float, Floats]:
        """Events found by recording and type, (N, K), at each tolerance."""
        return {t: self.count(self.found[self.pairs(t)[1]]) for t in self.tolerances_ms}

    @cached_property
    def n_reference(self) -> Floats:
        """Labelled events by recording and type, (N, K)."""
        return self.count(self.reference)

    @cached_property
    def n_found(self) -> Floats:
        """Detections by recording and type, (N, K)."""
        return self.count(self.found)

    def totals(self, weights: Floats, tolerance_ms: float) -> tuple[Floats, Floats, Floats]:
        """Return hits, events and detections of each type over all recordings, (R, K) each."""
        counts = (self.n_hits[tolerance_ms], self.n_reference, self.n_found)
        hits, reference, found = (weights @ count for count in counts)
        return hits, reference, found

    @cached_property
    def errors_ms(self) -> tuple[Events, Floats]:
        """What was found within 10 ms or the dataset's tolerance, and how late it is, (P,)."""
        tolerance_ms = max(LEAST_ERROR_TOLERANCE_MS, self.detections.tolerance_ms)
        of_reference, of_found = self.pairs(tolerance_ms)
        late = self.found.time[of_found] - self.reference.time[of_reference]
        return self.found[of_found], late / self.detections.sampling_rate_hz * 1000

    @cached_property
    def violations(self) -> Floats:
        """Detections that follow one of their type too soon, by recording, (N,)."""
        order = np.lexsort((self.found.time, self.found.type, self.found.place))
        events = self.found[order]
        same = (np.diff(events.place) == 0) & (np.diff(events.type) == 0)
        too_close = np.diff(events.time) < _refractory_samples(self.detections)
        return self.count(events[1:][same & too_close]).sum(axis=1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Ranking(Comparison):
    """A comparison with all candidates, by type and falling score.

    Parameters
    ----------
    score
        Of each candidate, (M,).
    """

    score: Floats

    @cached_property
    def is_hit(self) -> dict[float, NDArray[np.bool_]]:
        """Whether a candidate finds an event that no better one has found, at each tolerance."""
        return {t: claim(*self.on_one_line(t)) for t in self.tolerances_ms}

    @cached_property
    def bin(self) -> Ints:
        """Which of the bins of equal width each score falls into, (M,)."""
        edges = np.linspace(0, 1, N_CALIBRATION_BINS + 1)[1:-1]
        return np.searchsorted(edges, self.score)

    def areas(self, weights: Floats, tolerance_ms: float) -> Floats:
        """Return the area under precision over recall of each type, (R, K); NaN without events."""
        k = len(self.detections.classes)
        cuts = np.searchsorted(self.found.type, np.arange(k + 1))
        gained = np.zeros((len(weights), k))
        for kind, own in enumerate(map(slice, cuts[:-1], cuts[1:])):
            hit = np.flatnonzero(self.is_hit[tolerance_ms][own])
            # Precision is that of all candidates that score as high as the hit, or higher.
            last = np.searchsorted(-self.score[own], -self.score[own][hit], side="right") - 1
            last_hit = np.searchsorted(hit, last, side="right") - 1
            place = self.found.place[own][: last.max(initial=-1) + 1]  # the rest gains nothing
            for row, of_recording in enumerate(weights):
                weight = of_recording.take(place)
                of_hit = weight.take(hit)
                n_found, n_hits = weight.cumsum().take(last), of_hit.cumsum().take(last_hit)
                gained[row, kind] = of_hit @ (n_hits / np.maximum(n_found, 1e-300))
        return _ratio(gained, weights @ self.count(self.reference))


@lru_cache(maxsize=8)
def decoded(detections: Detections, decoder: str | None = None) -> Decoded:
    """Return the events of a decoder beside the labelled ones; None: the decoder of the model.

    All metrics of the same detections share the answer.
    """
    decoder = decoder or detections.decoding.decoder
    kept = select(
        detections.candidates,
        detections.decoding.thresholds[decoder],
        _refractory_samples(detections),
        decoder,
    )
    return Decoded(
        detections=detections,
        reference=_reference(detections),
        found=_scored(detections, _candidates(detections)[kept]),
    )


@lru_cache(maxsize=2)
def ranking(detections: Detections) -> Ranking:
    """Return all candidates beside the labelled events."""
    events, score = _candidates(detections), detections.candidates.score
    inside = np.flatnonzero(events.inside(detections.known))
    events, score = events[inside], score[inside]
    order = np.lexsort((events.time, events.place, -score, events.type))
    return Ranking(
        detections=detections,
        reference=_reference(detections),
        found=events[order],
        score=score[order],
    )


@METRICS.register(
    "f1_at", task="detection", better="higher", probabilities=False, at_tolerances=True, order=0
)
def f1_at(detections: Detections, weights: Floats, tolerance_ms: float) -> Floats:
    """F1 over the events of all types."""
    hits, reference, found = decoded(detections).totals(weights, tolerance_ms)
    return _ratio(2 * hits.sum(axis=1), (reference + found).sum(axis=1))


@METRICS.register(
    "macro_f1_at",
    task="detection",
    better="higher",
    probabilities=False,
    at_tolerances=True,
    order=1,
)
def macro_f1_at(detections: Detections, weights: Floats, tolerance_ms: float) -> Floats:
    """Mean F1 over the types that occur or are detected; a type never found has 0."""
    hits, reference, found = decoded(detections).totals(weights, tolerance_ms)
    return _mean(_ratio(2 * hits, reference + found))


@METRICS.register(
    "precision_at",
    task="detection",
    better="higher",
    probabilities=False,
    at_tolerances=True,
    order=2,
)
def precision_at(detections: Detections, weights: Floats, tolerance_ms: float) -> Floats:
    """Part of the detections that are right; 0 if there are events but no detections."""
    hits, reference, found = decoded(detections).totals(weights, tolerance_ms)
    return _part(hits.sum(axis=1), of=found.sum(axis=1), other=reference.sum(axis=1))


@METRICS.register(
    "recall_at", task="detection", better="higher", probabilities=False, at_tolerances=True, order=3
)
def recall_at(detections: Detections, weights: Floats, tolerance_ms: float) -> Floats:
    """Part of the events that are found; 0 if there are detections but no events."""
    hits, reference, found = decoded(detections).totals(weights, tolerance_ms)
    return _part(hits.sum(axis=1), of=reference.sum(axis=1), other=found.sum(axis=1))


@METRICS.register(
    "average_precision_at",
    task="detection",
    better="higher",
    probabilities=False,
    at_tolerances=True,
    order=4,
)
def average_precision_at(detections: Detections, weights: Floats, tolerance_ms: float) -> Floats:
    """Area under precision over recall from the scores of candidates, mean over types that occur.

    Neither thresholds nor the refractory rule play a part. Candidates of a type
    take turns by falling score, and each finds the nearest event that is left.
    The area is the sum of the precision at each score times the recall gained
    there, without interpolation; candidates of equal score count together.

    References
    ----------
    Everingham et al. (2010). The PASCAL visual object classes (VOC) challenge.
    International Journal of Computer Vision 88:303-338, section 4.2. Departs
    from it in the area, which is not interpolated, and in that a detection
    whose nearest event is taken may find another.
    """
    return _mean(ranking(detections).areas(weights, tolerance_ms))


@METRICS.register("onset_mae_ms", task="detection", better="lower", probabilities=False, order=5)
def onset_mae_ms(detections: Detections, weights: Floats) -> Floats:
    """Mean absolute timing error of what was found, in milliseconds.

    Of pairs within 10 ms or the tolerance of the dataset, whichever is more.
    """
    events, late = decoded(detections).errors_ms
    return _mean_error(decoded(detections), weights, events, np.abs(late))


@METRICS.register("onset_median_ms", task="detection", better="lower", probabilities=False, order=6)
def onset_median_ms(detections: Detections, weights: Floats) -> Floats:
    """Median absolute timing error of what was found, in milliseconds; pairs as in the mean."""
    events, late = decoded(detections).errors_ms
    return _quantile(np.abs(late), events.place, weights, 0.5)


@METRICS.register("onset_p95_ms", task="detection", better="lower", probabilities=False, order=7)
def onset_p95_ms(detections: Detections, weights: Floats) -> Floats:
    """95th percentile of the absolute timing error, in milliseconds; pairs as in the mean."""
    events, late = decoded(detections).errors_ms
    return _quantile(np.abs(late), events.place, weights, 0.95)


@METRICS.register("onset_bias_ms", task="detection", better="zero", probabilities=False, order=8)
def onset_bias_ms(detections: Detections, weights: Floats) -> Floats:
    """Mean timing error, in milliseconds; positive is late. Pairs as in the mean absolute error."""
    events, late = decoded(detections).errors_ms
    return _mean_error(decoded(detections), weights, events, late)


@METRICS.register(
    "refractory_violations", task="detection", better="lower", probabilities=False, order=9
)
def refractory_violations(detections: Detections, weights: Floats) -> Floats:
    """Detections that follow one of their type sooner than the refractory period allows."""
    return _violations(decoded(detections), weights)


@METRICS.register(
    "refractory_violations_before", task="detection", better="lower", probabilities=False, order=10
)
def refractory_violations_before(detections: Detections, weights: Floats) -> Floats:
    """The same if thresholds alone decided."""
    return _violations(decoded(detections, "threshold"), weights)


@METRICS.register(
    "false_alarms_per_hour", task="detection", better="lower", probabilities=False, order=11
)
def false_alarms_per_hour(detections: Detections, weights: Floats) -> Floats:
    """Detections that match no event, at the tolerance of the dataset, per hour of known signal."""
    hits, _, found = decoded(detections).totals(weights, detections.tolerance_ms)
    seconds = np.diff(detections.known, axis=1)[:, 0] / detections.sampling_rate_hz
    return _ratio((found - hits).sum(axis=1), weights @ seconds / 3600)


@METRICS.register("presence_ece", task="detection", better="lower", probabilities=True, order=12)
def presence_ece(detections: Detections, weights: Floats) -> Floats:
    """Expected calibration error of candidates, in 15 bins of equal width.

    A candidate is true if it finds an event that no better one has found, at
    the tolerance of the dataset.

    References
    ----------
    Guo, Pleiss, Sun, Weinberger (2017). On calibration of modern neural
    networks. ICML, equation 5. arXiv:1706.04599
    """
    ranked = ranking(detections)
    surplus = ranked.is_hit[detections.tolerance_ms] - ranked.score
    n = len(detections)
    cell = ranked.found.place * N_CALIBRATION_BINS + ranked.bin
    gaps = np.bincount(cell, surplus, minlength=n * N_CALIBRATION_BINS)
    counts = ranked.count(ranked.found).sum(axis=1)
    return _ratio(np.abs(weights @ gaps.reshape(n, -1)).sum(axis=1), weights @ counts)


def per_type(detections: Detections, decoder: str | None = None) -> list[dict[str, Any]]:
    """Return what is to be said of each type, at the tolerance of the dataset.

    Returns
    -------
    list of dict
        ``type``, ``n_references``, ``n_detections``, ``f1``, ``precision``,
        ``recall``, ``mae_ms``, ``bias_ms``, ``p95_ms`` and ``threshold``; None
        where a value is not defined.
    """
    compared = decoded(detections, decoder)
    once = np.ones((1, len(detections)))
    hits, reference, found = (total[0] for total in compared.totals(once, detections.tolerance_ms))
    events, late = compared.errors_ms
    thresholds = detections.decoding.thresholds[decoder or detections.decoding.decoder]
    ratios = (
        _ratio(2 * hits, reference + found),
        _part(hits, of=found, other=reference),
        _part(hits, of=reference, other=found),
    )
    rows: list[dict[str, Any]] = []
    for k, name in enumerate(detections.classes):
        error = late[events.type == k]
        f1, precision, recall = (_or_none(float(ratio[k])) for ratio in ratios)
        rows.append(
            {
                "type": name,
                "n_references": int(reference[k]),
                "n_detections": int(found[k]),
                "f1": f1,
                "precision": precision,
                "recall": recall,
                "mae_ms": float(np.abs(error).mean()) if len(error) else None,
                "bias_ms": float(error.mean()) if len(error) else None,
                "p95_ms": float(np.quantile(np.abs(error), 0.95)) if len(error) else None,
                "threshold": float(thresholds[k]),
            }
        )
    return rows


def f1_curve(detections: Detections, decoder: str | None = None) -> tuple[Floats, Floats]:
    """Return the tolerances of the metrics in milliseconds and F1 over all events at each."""
    compared = decoded(detections, decoder)
    once = np.ones((1, len(detections)))
    f1 = []
    for tolerance_ms in TOLERANCES_MS:
        hits, reference, found = compared.totals(once, tolerance_ms)
        f1.append(
            _ratio(2 * hits.sum(keepdims=True), (reference + found).sum(keepdims=True)).item()
        )
    return np.array(TOLERANCES_MS), np.array(f1)


def errors_ms(detections: Detections) -> tuple[Ints, Floats]:
    """Return the type of each detection with a partner, and how many milliseconds late it is."""
    events, late = decoded(detections).errors_ms
    return events.type, late


def reliability(detections: Detections) -> tuple[Floats, Floats, Ints]:
    """Return mean score, part that is true and number of the candidates in each of 15 bins.

    A candidate is true as in `presence_ece`. NaN in a bin without candidates.
    """
    ranked = ranking(detections)
    is_hit = ranked.is_hit[detections.tolerance_ms].astype(np.float64)
    counts = np.bincount(ranked.bin, minlength=N_CALIBRATION_BINS)
    score, true = (
        _ratio(np.bincount(ranked.bin, of, minlength=N_CALIBRATION_BINS), counts)
        for of in (ranked.score, is_hit)
    )
    return score, true, counts


def _candidates(detections: Detections) -> Events:
    found = detections.candidates
    return Events(place=found.place, type=found.type, time=found.time)


def _reference(detections: Detections) -> Events:
    labelled = Events(
        place=detections.reference_place,
        type=detections.reference_type,
        time=detections.reference_onset.astype(np.float64),
    )
    return _scored(detections, labelled)


def _scored(detections: Detections, events: Events) -> Events:
    """Return the events inside the known samples."""
    return events[events.inside(detections.known)]


def _refractory_samples(detections: Detections) -> float:
    return period_samples(detections.refractory_s, detections.sampling_rate_hz)


def _violations(compared: Decoded, weights: Floats) -> Floats:
    """Sum violations over recordings; NaN where no refractory period is known."""
    if compared.detections.refractory_s is None:
        return np.full(len(weights), np.nan)
    return weights @ compared.violations


def _mean_error(compared: Decoded, weights: Floats, events: Events, error: Floats) -> Floats:
    """Mean of the errors of events, (R,); NaN where there is none."""
    total = weights @ compared.count(events, error).sum(axis=1)
    return _ratio(total, weights @ compared.count(events).sum(axis=1))


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


def _ratio(part: NDArray[Any], whole: NDArray[Any]) -> Floats:
    """Divide; NaN where the whole is 0."""
    return np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole != 0)


def _part(hits: Floats, *, of: Floats, other: Floats) -> Floats:
    """Divide hits by all; 0 if only the other side has any, NaN if neither has."""
    return np.where((of == 0) & (other > 0), 0.0, _ratio(hits, of))


def _mean(values: Floats) -> Floats:
    """Mean over the last axis of the values that are defined; NaN where none is."""
    defined = np.isfinite(values)
    return _ratio(np.where(defined, values, 0.0).sum(axis=1), defined.sum(axis=1))


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None
