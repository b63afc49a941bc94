"""How late a stream gives an event: counted in samples, as if it were computed in no time."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from seqbench.storage.detections import Candidates, Detections, Pace
from seqbench.tasks.detection.peaks import LIMIT, REACH, certain_before, samples_until
from seqbench.tasks.detection.refractory import Choice, choice, period_samples, wait_samples


def longest_wait(
    pace: Pace, decoder: str, refractory_samples: float, wait_samples: float = 0.0
) -> float:
    """Return the most samples from the time of an event to its output.

    Of ``greedy`` and ``optimal`` that is of an event without a rival within the
    period; the other decoders hold it for every event.
    """
    of_decoder = {"threshold": 0.0, "bounded": min(wait_samples, refractory_samples)}
    # A peak is up to LIMIT frames behind its time, and REACH more show that it is one.
    behind = (REACH + LIMIT) * pace.hop_samples - pace.first_centre
    return pace.first_samples + behind + of_decoder.get(decoder, refractory_samples)


def output_samples(
    detections: Detections, kept: NDArray[np.int64], decoder: str
) -> NDArray[np.float64]:
    """Return how many samples of its recording have come when a stream gives each event.

    Parameters
    ----------
    detections
        Candidates and thresholds.
    kept
        Indices of the candidates that a decoder keeps, (E,).
    decoder
        That decoder.

    Returns
    -------
    array
        (E,); NaN where a method has no stream.
    """
    candidates, pace = detections.candidates, detections.candidates.pace
    given_at = np.full(len(candidates), np.nan)
    if pace is None:
        return given_at[kept]
    rate_hz = detections.sampling_rate_hz
    period = period_samples(detections.refractory_s, rate_hz)
    wait = min(wait_samples(detections.decoding.wait_ms, rate_hz), period)
    thresholds, n_samples = detections.decoding.thresholds[decoder], detections.n_samples
    waits = wait if decoder == "bounded" else period
    certain_at = samples_until(pace, candidates.time + waits)
    above = np.flatnonzero(candidates.score >= thresholds[candidates.type])
    for place, kind, own in _rooms(candidates, above):
        selection: Choice[int] = choice(decoder, period, float(thresholds[kind]), wait)
        end = float(n_samples[place])
        time, found_at = candidates.time[own], candidates.found_at[own]
        # Between these nothing can become certain.
        moments = np.unique(np.concatenate([found_at, certain_at[own]]))
        n_added = 0
        for moment in [*moments[moments < end].tolist(), end]:
            stop = int(np.searchsorted(found_at, moment, side="right"))
            for i in range(n_added, stop):
                selection.add(float(time[i]), float(candidates.score[own[i]]), int(own[i]))
            n_added = stop
            now = certain_before(pace, _n_final(pace, moment))
            if n_added:  # candidates of one type come in order
                now = max(now, float(time[n_added - 1]))
            now = math.inf if moment == end else now
            given_at[selection.settled(now)] = moment
    return given_at[kept]


def _rooms(
    candidates: Candidates, chosen: NDArray[np.int64]
) -> Iterator[tuple[int, int, NDArray[np.int64]]]:
    """Yield recording, type, and those of the candidates that they share, by time."""
    order = np.lexsort((candidates.time[chosen], candidates.type[chosen], candidates.place[chosen]))
    chosen = chosen[order]
    place, kind = candidates.place[chosen], candidates.type[chosen]
    cuts = np.flatnonzero((np.diff(place) != 0) | (np.diff(kind) != 0)) + 1
    for own in np.split(chosen, cuts) if len(chosen) else []:
        yield int(candidates.place[own[0]]), int(candidates.type[own[0]]), own


def _n_final(pace: Pace, n_samples: float) -> int:
    """Return how many frames are final after so many samples, at least the first."""
    n_groups = (n_samples - pace.first_samples) // (pace.n_together * pace.hop_samples) + 1
    return int(n_groups) * pace.n_together
