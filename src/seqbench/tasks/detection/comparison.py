"""Events that were found beside those that are there; what metrics and thresholds share.

Apart from the metrics, so that a new one trains no model again.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from seqbench.storage.detections import Detections
from seqbench.tasks.detection.latency import output_samples
from seqbench.tasks.detection.matching import claim, match, on_one_line, tolerance_in_samples
from seqbench.tasks.detection.refractory import (
    period_samples,
    select,
    violations,
    wait_samples,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
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
    duration
        From onset to end in samples, (E,); NaN where no end is known. None: of no event.
    """

    place: Ints
    type: Ints
    time: Floats
    duration: Floats | None = None

    def __len__(self) -> int:
        return len(self.time)

    def __getitem__(self, index: NDArray[Any] | slice) -> Self:
        return type(self)(
            place=self.place[index],
            type=self.type[index],
            time=self.time[index],
            duration=None if self.duration is None else self.duration[index],
        )

    @cached_property
    def end(self) -> Floats:
        """End in samples from the start of the recording, (E,); NaN where it is not known."""
        if self.duration is None:
            return np.full(len(self), np.nan)
        return self.time + self.duration

    @cached_property
    def sample(self) -> Ints:
        """Onset in whole samples, (E,)."""
        return np.rint(self.time).astype(np.int64)

    def inside(self, spans: Ints) -> NDArray[np.bool_]:
        """Return which events lie in the span [start, stop) of their recording, (E,)."""
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
    """A comparison with the events of a decoder.

    Parameters
    ----------
    kept
        Index of the candidate of each event that was found, (D,).
    decoder
        What kept them.
    """

    kept: Ints
    decoder: str

    def pairs(self, tolerance_ms: float) -> tuple[Ints, Ints]:
        """Return the indices of events and of what found them, (P,) each."""
        return match(*self.on_one_line(tolerance_ms))

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
        counts = (_n_hits(self, tolerance_ms), self.n_reference, self.n_found)
        hits, reference, found = (weights @ count for count in counts)
        return hits, reference, found

    @cached_property
    def onset_pairs(self) -> tuple[Ints, Ints]:
        """Pairs within 10 ms or the dataset's tolerance, whichever is more; see `pairs`."""
        return self.pairs(max(LEAST_ERROR_TOLERANCE_MS, self.detections.tolerance_ms))

    @cached_property
    def errors_ms(self) -> tuple[Events, Floats]:
        """What was found within 10 ms or the dataset's tolerance, and how late it is, (P,)."""
        of_reference, of_found = self.onset_pairs
        late = self.found.time[of_found] - self.reference.time[of_reference]
        return self.found[of_found], late / self.detections.sampling_rate_hz * 1000

    @cached_property
    def in_intervals(self) -> tuple[Events, NDArray[np.bool_]]:
        """What was found with an interval around its onset, and whether the event lies in it."""
        events, late = self.errors_ms
        bounds = self.detections.decoding.timing_bounds_ms
        if bounds is None:
            return events[:0], np.zeros(0, dtype=np.bool_)
        low, high = bounds[events.type].T
        known = np.isfinite(low)
        return events[known], ((low <= -late) & (-late <= high))[known]

    @cached_property
    def latency_ms(self) -> tuple[Events, Floats]:
        """Events that were found, as in `errors_ms`, and when a stream gives them after, (P,)."""
        of_reference, of_found = self.onset_pairs
        given_at = output_samples(self.detections, self.kept[of_found], self.decoder)
        waits = given_at - self.reference.time[of_reference]
        return self.found[of_found], waits / self.detections.sampling_rate_hz * 1000

    @cached_property
    def violations(self) -> Floats:
        """Detections that follow one of their type too soon, by recording, (N,)."""
        found, period = self.found, _refractory_samples(self.detections)
        too_soon = violations(found.time, found.place, found.type, period)
        return self.count(found[too_soon]).sum(axis=1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Ranking(Comparison):
    """A comparison with all candidates, by type and falling score.

    Parameters
    ----------
    score
        Of each candidate, (M,).
    """

    score: Floats

    def is_hit(self, tolerance_ms: float) -> NDArray[np.bool_]:
        """Return which candidates find an event that no better one has found, (M,)."""
        return _is_hit(self, tolerance_ms)

    def areas(self, weights: Floats, tolerance_ms: float) -> Floats:
        """Return the area under precision over recall of each type, (R, K); NaN without events."""
        k = len(self.detections.classes)
        cuts = np.searchsorted(self.found.type, np.arange(k + 1))
        gained, is_hit = np.zeros((len(weights), k)), self.is_hit(tolerance_ms)
        for kind, own in enumerate(map(slice, cuts[:-1], cuts[1:])):
            hit = np.flatnonzero(is_hit[own])
            # Precision is that of all candidates that score as high as the hit, or higher.
            last = np.searchsorted(-self.score[own], -self.score[own][hit], side="right") - 1
            last_hit = np.searchsorted(hit, last, side="right") - 1
            place = self.found.place[own][: last.max(initial=-1) + 1]  # the rest gains nothing
            for row, of_recording in enumerate(weights):
                weight = of_recording.take(place)
                of_hit = weight.take(hit)
                n_found, n_hits = weight.cumsum().take(last), of_hit.cumsum().take(last_hit)
                gained[row, kind] = of_hit @ (n_hits / np.maximum(n_found, 1e-300))
        return ratio(gained, weights @ self.count(self.reference))


@lru_cache(maxsize=8)
def decoded(detections: Detections, decoder: str | None = None) -> Decoded:
    """Return the events of a decoder beside the labelled ones; None: the decoder of the model.

    All metrics of the same detections share the result.
    """
    decoder = decoder or detections.decoding.decoder
    kept = select(
        detections.candidates,
        detections.decoding.thresholds[decoder],
        _refractory_samples(detections),
        decoder,
        wait_samples(detections.decoding.wait_ms, detections.sampling_rate_hz),
    )
    kept = kept[_candidates(detections)[kept].inside(detections.known)]
    return Decoded(
        detections=detections,
        reference=_reference(detections),
        found=_candidates(detections)[kept],
        kept=kept,
        decoder=decoder,
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


@lru_cache(maxsize=32)
def _n_hits(compared: Decoded, tolerance_ms: float) -> Floats:
    """Count the events found by recording and type, (N, K)."""
    return compared.count(compared.found[compared.pairs(tolerance_ms)[1]])


@lru_cache(maxsize=16)
def _is_hit(ranked: Ranking, tolerance_ms: float) -> NDArray[np.bool_]:
    return claim(*ranked.on_one_line(tolerance_ms))


def errors_ms(detections: Detections) -> tuple[Ints, Floats]:
    """Return the type of each detection with a partner, and how many milliseconds late it is."""
    events, late = decoded(detections).errors_ms
    return events.type, late


def mean_over_ranked(detections: Detections, of_type: Floats) -> Floats:
    """Return the mean over the types that rank of values (R, K), those that are defined, (R,).

    All types rank unless the dataset names some (`ranked_types`). NaN where none is defined.
    """
    ranked = detections.ranked_types or detections.classes
    return mean_defined(of_type[:, [detections.classes.index(name) for name in ranked]])


def mean_defined(values: Floats) -> Floats:
    """Return the mean over the last axis of the values that are defined; NaN where none is."""
    is_defined = np.isfinite(values)
    return ratio(np.where(is_defined, values, 0.0).sum(axis=1), is_defined.sum(axis=1))


def _candidates(detections: Detections) -> Events:
    found = detections.candidates
    return Events(place=found.place, type=found.type, time=found.time, duration=found.duration)


def _reference(detections: Detections) -> Events:
    labelled = Events(
        place=detections.reference_place,
        type=detections.reference_type,
        time=detections.reference_onset.astype(np.float64),
        duration=detections.reference_duration,
    )
    return _scored(detections, labelled)


def _scored(detections: Detections, events: Events) -> Events:
    """Return the events inside the known samples."""
    return events[events.inside(detections.known)]


def _refractory_samples(detections: Detections) -> float:
    return period_samples(detections.refractory_s, detections.sampling_rate_hz)


def ratio(part: NDArray[Any], whole: NDArray[Any]) -> Floats:
    """Divide; NaN where the whole is 0."""
    return np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole != 0)


def share(hits: Floats, *, of: Floats, other: Floats) -> Floats:
    """Divide hits by all; 0 if only the other side has any, NaN if neither has."""
    return np.where((of == 0) & (other > 0), 0.0, ratio(hits, of))
