"""Which events are found: by their level, by their neighbours, and as what they are taken.

Apart from the metrics: nothing is ranked or selected by these counts.
"""

import numpy as np
from numpy.typing import NDArray

from seqbench.config.registry import TASK_ANALYSES
from seqbench.storage.detections import Detections
from seqbench.storage.event_counts import Confused, EventCounts, OfLag, OfLevel, OfRival
from seqbench.storage.windows import WindowSet
from seqbench.tasks.detection.comparison import (
    LEAST_ERROR_TOLERANCE_MS,
    Decoded,
    Events,
    Floats,
    Ints,
    decoded,
)
from seqbench.tasks.detection.matching import match, on_one_line, tolerance_in_samples

LAGS_MS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
NEAR_MS = 20.0  # events that near each other overlap for the most part


@TASK_ANALYSES.register("detection")
def count_events(windows: WindowSet, detections: Detections) -> EventCounts:
    """Count the labelled events of a split by what may decide whether they are found.

    Parameters
    ----------
    windows
        Of the split; for the amplitudes that a generator knows. The signal is not looked at.
    detections
        What was found in it.
    """
    compared = decoded(detections)
    events = compared.reference
    is_found = np.zeros(len(events), dtype=np.bool_)
    of_reference, of_found = compared.pairs(detections.tolerance_ms)
    is_found[of_reference] = True
    nearest, lag_ms = _nearest(events, detections.sampling_rate_hz)
    amplitude = windows.events.amplitude
    level_db = np.zeros(len(events))
    if amplitude is not None:
        labelled = Events(
            place=detections.reference_place,
            type=detections.reference_type,
            time=detections.reference_onset.astype(np.float64),
        )
        level_db = 20 * np.log10(amplitude[labelled.inside(detections.known)])
    return EventCounts(
        tolerance_ms=detections.tolerance_ms,
        near_ms=NEAR_MS,
        has_levels=amplitude is not None,
        by_level=_by_level(compared, np.rint(level_db).astype(np.int64), is_found),
        by_lag=_by_lag(lag_ms, is_found),
        by_rival=_by_rival(events.type, nearest, lag_ms, is_found),
        confusion=_confusion(compared, of_reference, of_found),
    )


def _by_level(
    compared: Decoded, level_db: Ints, is_found: NDArray[np.bool_]
) -> tuple[OfLevel, ...]:
    detections, events = compared.detections, compared.reference
    of_reference, of_found = compared.pairs(max(LEAST_ERROR_TOLERANCE_MS, detections.tolerance_ms))
    late = compared.found.time[of_found] - events.time[of_reference]
    error_ms, is_timed = np.zeros(len(events)), np.zeros(len(events))
    error_ms[of_reference] = np.abs(late) * 1000 / detections.sampling_rate_hz
    is_timed[of_reference] = 1
    keys, sums = _summed([events.type, level_db], [is_found, is_timed, error_ms])
    return tuple(
        OfLevel(kind, level, n, int(found), int(timed), error)
        for (kind, level), (n, found, timed, error) in zip(keys, sums, strict=True)
    )


def _by_lag(lag_ms: Floats, is_found: NDArray[np.bool_]) -> tuple[OfLag, ...]:
    lags = (*LAGS_MS, None)
    keys, sums = _summed([np.searchsorted(LAGS_MS, lag_ms)], [is_found])
    return tuple(OfLag(lags[k], n, int(found)) for (k,), (n, found) in zip(keys, sums, strict=True))


def _by_rival(
    kind: Ints, nearest: Ints, lag_ms: Floats, is_found: NDArray[np.bool_]
) -> tuple[OfRival, ...]:
    near = np.flatnonzero(lag_ms <= NEAR_MS)
    near = near[kind[near] != kind[nearest[near]]]
    keys, sums = _summed([kind[near], kind[nearest[near]]], [is_found[near]])
    return tuple(
        OfRival(own, rival, n, int(found))
        for (own, rival), (n, found) in zip(keys, sums, strict=True)
    )


def _confusion(compared: Decoded, of_reference: Ints, of_found: Ints) -> tuple[Confused, ...]:
    """Pair what the right types left over, whatever its type, and count."""
    detections, events, found = compared.detections, compared.reference, compared.found
    left, spare = (
        np.setdiff1d(np.arange(len(all_)), paired)
        for all_, paired in ((events, of_reference), (found, of_found))
    )
    tolerance = tolerance_in_samples(detections.tolerance_ms, detections.sampling_rate_hz)
    span = int(detections.known.max(initial=0)) + tolerance + 1
    missing, free = (
        on_one_line(own.sample, own.place, span) for own in (events[left], found[spare])
    )
    taken, by = match(missing, free, tolerance)
    nothing = len(detections.classes)
    missed, extra = np.delete(left, taken), np.delete(spare, by)
    true = [events.type[of_reference], events.type[left[taken]], events.type[missed]]
    predicted = [found.type[of_found], found.type[spare[by]], np.full(len(missed), nothing)]
    true.append(np.full(len(extra), nothing))
    predicted.append(found.type[extra])
    keys, sums = _summed([np.concatenate(true), np.concatenate(predicted)], [])
    names = [*range(nothing), None]
    return tuple(Confused(names[i], names[j], n) for (i, j), (n,) in zip(keys, sums, strict=True))


def _summed(
    keys: list[Ints], values: list[NDArray[np.generic]]
) -> tuple[list[list[int]], list[tuple[int, ...]]]:
    """Group rows by keys (n,) each, and count them and add their values (n,) up, by key."""
    groups, inverse = np.unique(np.stack(keys, axis=1), axis=0, return_inverse=True)
    inverse = inverse.reshape(-1)
    counts = np.bincount(inverse, minlength=len(groups)).tolist()
    sums = [np.bincount(inverse, one, minlength=len(groups)).tolist() for one in values]
    return groups.tolist(), list(zip(counts, *sums, strict=True))


def _nearest(events: Events, rate_hz: float) -> tuple[Ints, Floats]:
    """Return the nearest other event in the same recording and its lag in ms, infinite if none."""
    n = len(events)
    order = np.lexsort((events.time, events.place))
    time, place = events.time[order], events.place[order]
    gap = np.where(np.diff(place) == 0, np.diff(time), np.inf)
    before, after = np.r_[np.inf, gap][:n], np.r_[gap, np.inf][:n]
    nearest, lag = np.zeros(n, dtype=np.int64), np.full(n, np.inf)
    neighbour = np.clip(np.arange(n) + np.where(before <= after, -1, 1), 0, max(n - 1, 0))
    nearest[order] = order[neighbour]
    lag[order] = np.minimum(before, after)
    return nearest, lag * 1000 / rate_hz
