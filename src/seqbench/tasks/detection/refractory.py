"""Which candidates become events, so that two of one type are never too close.

Every decoder first applies the threshold of the type; ``threshold`` does no
more. ``greedy`` keeps the candidate with the highest score, drops those too
close to it, and repeats. ``optimal`` keeps the best set that respects the period.
``bounded`` decides in the order of time: the likeliest of those within the wait
of the first, and then none before the period is over.
"""

import math
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from seqbench.storage.detections import Candidates

DECODERS = ("threshold", "greedy", "optimal", "bounded")
LEAST_PROBABILITY = 1e-6  # scores are clipped here, so that their log-odds are finite
TIE_WEIGHT = 1e-6  # log-odds per unit of score: a candidate at its threshold counts, too
UNITS_PER_LOG_ODDS = 2**48  # weights are whole numbers, so that sums and ties are exact

Tag = TypeVar("Tag")


def period_samples(refractory_s: float | None, sampling_rate_hz: float) -> float:
    """Return the refractory period in samples, 0 where none is known.

    Rounded to a millionth of a sample: else 0.07 s at 100 Hz would be more than
    7 samples, and events exactly one period apart would be too close.
    """
    return round((refractory_s or 0.0) * sampling_rate_hz, 6)


def wait_samples(wait_ms: float, sampling_rate_hz: float) -> float:
    """Return how long ``bounded`` waits for a likelier candidate, rounded as the period is."""
    return round(wait_ms / 1000 * sampling_rate_hz, 6)


def select(
    candidates: Candidates,
    thresholds: NDArray[np.float64],
    refractory_samples: float,
    decoder: str,
    wait_samples: float = 0.0,
) -> NDArray[np.int64]:
    """Return the candidates that become events, by recording and type.

    Parameters
    ----------
    candidates
        In any order.
    thresholds
        Least score of an event of each type, (K,).
    refractory_samples
        Shortest time between two events of one type; exactly this time apart
        is allowed. With 0 all decoders agree.
    decoder
        One of `DECODERS`.
    wait_samples
        How long ``bounded`` waits for a likelier candidate, at most the period.

    Returns
    -------
    array
        Indices into the candidates, ascending.

    Raises
    ------
    ValueError
        If the decoder is unknown, the period is negative or not finite, or a
        type has no threshold.

    Notes
    -----
    Of equally good choices, ``greedy`` and ``bounded`` take the earlier candidate, and
    ``optimal`` the set with the larger sum of scores, then the one without
    the last candidate in which they differ. Candidates of equal time keep their
    order.
    """
    check(decoder, refractory_samples)
    thresholds = np.asarray(thresholds, dtype=np.float64)
    if len(candidates) and int(candidates.type.max()) >= len(thresholds):
        raise ValueError(
            f"a candidate has type {candidates.type.max()},"
            f" but there are thresholds for {len(thresholds)} types"
        )
    above = np.flatnonzero(candidates.score >= thresholds[candidates.type])
    if decoder == "threshold" or refractory_samples == 0 or not len(above):
        return above
    order = np.lexsort((candidates.time[above], candidates.type[above], candidates.place[above]))
    above = above[order]
    place, time, kind = candidates.place[above], candidates.time[above], candidates.type[above]
    # Candidates a period or more apart are independent, so each run is decided alone.
    is_near = (np.diff(place) == 0) & (np.diff(kind) == 0) & (np.diff(time) < refractory_samples)
    is_kept = ~np.append(False, is_near) & ~np.append(is_near, False)
    edges = np.diff(np.concatenate([[False], is_near, [False]]).astype(np.int8))
    starts, last = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    times, scores = time.tolist(), candidates.score[above].tolist()
    lowest = thresholds[kind[starts]].tolist()
    kept: list[int] = []
    for start, stop, threshold in zip(starts.tolist(), (last + 1).tolist(), lowest, strict=True):
        run: Choice[int] = choice(decoder, refractory_samples, threshold, wait_samples)
        for i in range(start, stop):
            run.add(times[i], scores[i], i)
        kept += run.settled()
    is_kept[kept] = True
    return np.sort(above[is_kept])


def violations(
    time: NDArray[np.float64],
    place: NDArray[np.int64],
    type: NDArray[np.int64],
    refractory_samples: float,
) -> NDArray[np.int64]:
    """Return the indices of events that follow one of their recording and type too soon."""
    order = np.lexsort((time, type, place))
    is_same = (np.diff(place[order]) == 0) & (np.diff(type[order]) == 0)
    return order[1:][is_same & (np.diff(time[order]) < refractory_samples)]


def check(decoder: str, refractory_samples: float) -> None:
    """Raise a ValueError for an unknown decoder or an impossible period."""
    if decoder not in DECODERS:
        raise ValueError(f"no decoder '{decoder}'; known: {', '.join(DECODERS)}")
    if not 0 <= refractory_samples < math.inf:
        raise ValueError(
            f"a refractory period of {refractory_samples} samples: it must be 0 or more, and finite"
        )


class Choice(Generic[Tag]):
    """Candidates of one type and recording, until each is kept or dropped; this one keeps all.

    Files and streams share these classes, so they keep the same events.
    Candidates above the threshold are added in order of time; each is
    identified by a tag.
    """

    def __init__(self) -> None:
        self._time: list[float] = []
        self._score: list[float] = []
        self._tag: list[Tag] = []

    def add(self, time: float, score: float, tag: Tag) -> None:
        """Add a candidate that is no earlier than the one before."""
        self._time.append(time)
        self._score.append(score)
        self._tag.append(tag)

    def settled(self, now: float = math.inf) -> list[Tag]:
        """Return the tags of candidates that are certainly kept, by time; drop the decided ones.

        Parameters
        ----------
        now
            All candidates added later are at this time or after it.
        """
        kept = self._tag
        self._time, self._score, self._tag = [], [], []
        return kept


class GreedyChoice(Choice[Tag]):
    """Keeps the highest score, drops its neighbours, and repeats; of equals the earlier.

    Parameters
    ----------
    refractory_samples
        Above 0.

    Notes
    -----
    A candidate is kept as soon as no neighbour with a higher score is undecided
    or can be added.
    """

    def __init__(self, refractory_samples: float) -> None:
        super().__init__()
        self.refractory_samples = refractory_samples

    def settled(self, now: float = math.inf) -> list[Tag]:
        """Return the tags of candidates that are certainly kept; see `Choice.settled`."""
        n, time, score, tag = len(self._time), self._time, self._score, self._tag
        is_kept, is_dropped, must_wait = [False] * n, [False] * n, [False] * n
        for i in sorted(range(n), key=lambda i: -score[i]):
            if is_dropped[i]:
                continue
            waits = must_wait[i] or now - time[i] < self.refractory_samples
            is_kept[i] = not waits
            mark = must_wait if waits else is_dropped
            for neighbours in (range(i - 1, -1, -1), range(i + 1, n)):
                for j in neighbours:
                    if abs(time[i] - time[j]) >= self.refractory_samples:
                        break
                    mark[j] = True
        still_open = [i for i in range(n) if not (is_kept[i] or is_dropped[i])]
        self._time, self._score = [time[i] for i in still_open], [score[i] for i in still_open]
        self._tag = [tag[i] for i in still_open]
        return [tag[i] for i in range(n) if is_kept[i]]


class OptimalChoice(Choice[Tag]):
    """Keeps the set with the largest sum of log-odds above the threshold.

    Parameters
    ----------
    refractory_samples
        Above 0.
    threshold
        Least score of a candidate.

    Notes
    -----
    Weighted interval scheduling: over candidates by time, the best set among
    the first i either leaves out the last of them, or adds it to the best set
    among those a period or more before it. Node i is the best set among the
    first i, its parent the set that it extends. Later candidates extend nodes
    that are still within reach, so the common path from all of these to the
    root is certain.

    References
    ----------
    Kleinberg, Tardos (2006). Algorithm Design, section 6.1. Departs from it by
    deciding before all candidates are known.
    """

    def __init__(self, refractory_samples: float, threshold: float) -> None:
        super().__init__()
        self.refractory_samples = refractory_samples
        self._log_odds_threshold = _log_odds(threshold)
        self._best = [0]  # weight of each node
        self._parent = [0]
        self._reach = 0  # candidates a period or more before all later ones

    def add(self, time: float, score: float, tag: Tag) -> None:
        """Add a candidate."""
        super().add(time, score, tag)
        above = max(_log_odds(score) - self._log_odds_threshold, 0.0)
        weight = 1 + round(UNITS_PER_LOG_ODDS * (above + TIE_WEIGHT * score))
        self._move_reach(time)
        without = len(self._parent) - 1
        best = self._best[self._reach] + weight
        is_better = best > self._best[without]
        self._best.append(best if is_better else self._best[without])
        self._parent.append(self._reach if is_better else without)

    def settled(self, now: float = math.inf) -> list[Tag]:
        """Return the tags of candidates that are certainly kept; see `Choice.settled`."""
        if not self._time:
            return []
        self._move_reach(now)
        certain = self._shared_node()
        kept, node = [], certain
        while node:
            if self._best[node] > self._best[node - 1]:  # the candidate was added
                kept.append(self._tag[node - 1])
            node = self._parent[node]
        del self._time[:certain], self._score[:certain], self._tag[:certain]
        known = self._best[certain]
        self._best = [best - known for best in self._best[certain:]]
        # Nodes whose parents precede the shared one are on no path any more.
        self._parent = [max(parent - certain, 0) for parent in self._parent[certain:]]
        self._reach -= certain
        return kept[::-1]

    def _move_reach(self, now: float) -> None:
        time, n = self._time, len(self._time)
        while self._reach < n and now - time[self._reach] >= self.refractory_samples:
            self._reach += 1

    def _shared_node(self) -> int:
        """Return the last node on the paths of all nodes that can still be built on."""
        node = len(self._time)
        reached = set(range(self._reach, node + 1))
        while len(reached) > 1:
            if node in reached:
                reached.remove(node)
                reached.add(self._parent[node])
            node -= 1
        return reached.pop()


class BoundedChoice(Choice[Tag]):
    """Keeps the likeliest within the wait of the first candidate that the period allows.

    Parameters
    ----------
    refractory_samples
        Above 0.
    wait_samples
        From the first candidate to the decision; a wait longer than the period is
        one period. Of equals the earlier is kept.
    """

    def __init__(self, refractory_samples: float, wait_samples: float) -> None:
        super().__init__()
        self.refractory_samples = refractory_samples
        self.wait_samples = min(wait_samples, refractory_samples)
        self._free_from = -math.inf  # time at which the period after the last one kept is over

    def settled(self, now: float = math.inf) -> list[Tag]:
        """Return the tags of candidates that are certainly kept; see `Choice.settled`."""
        n, time, score, tag = len(self._time), self._time, self._score, self._tag
        kept: list[Tag] = []
        first = 0
        while first < n:
            if time[first] < self._free_from:
                first += 1
                continue
            # With no wait the first is kept at once, else all until the end are awaited.
            end = time[first] + self.wait_samples
            if self.wait_samples and now < end:
                break
            best, i = first, first + 1
            while i < n and time[i] < end:
                best, i = (i if score[i] > score[best] else best), i + 1
            kept.append(tag[best])
            self._free_from = time[best] + self.refractory_samples
            first = best + 1
        self._time, self._score, self._tag = time[first:], score[first:], tag[first:]
        return kept


def choice(
    decoder: str, refractory_samples: float, threshold: float, wait_samples: float = 0.0
) -> Choice[Tag]:
    """Return an empty choice of a decoder; without a period it keeps every candidate."""
    if decoder == "threshold" or refractory_samples == 0:
        return Choice()
    if decoder == "greedy":
        return GreedyChoice(refractory_samples)
    if decoder == "bounded":
        return BoundedChoice(refractory_samples, wait_samples)
    return OptimalChoice(refractory_samples, threshold)


def _log_odds(score: float) -> float:
    probability = min(max(score, LEAST_PROBABILITY), 1 - LEAST_PROBABILITY)
    return math.log(probability / (1 - probability))
