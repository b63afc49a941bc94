"""Which detection is which event: one to one, most pairs first, then least total distance."""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def tolerance_in_samples(tolerance_ms: float, sampling_rate_hz: float) -> int:
    """Return the number of whole samples within a tolerance."""
    return int(np.floor(tolerance_ms / 1000 * sampling_rate_hz + 1e-9))


def match(reference: Ints, detected: Ints, tolerance_samples: int) -> tuple[Ints, Ints]:
    """Pair the events of one recording and type with what was detected.

    Of all ways to make pairs that are no further apart than the tolerance, the
    result is one with the most pairs, and of these one with the least total
    distance. Which of several such ones it is depends on the times alone, not
    on their order; of two equally near a single one, it is the earlier.

    Parameters
    ----------
    reference, detected
        Times in samples, (E,) and (D,), in any order.
    tolerance_samples
        Largest distance of a pair.

    Returns
    -------
    tuple of array
        Indices into `reference` and into `detected`, (P,) each, by time.

    Notes
    -----
    The distances on a line are such that uncrossing two pairs makes neither
    their sum nor the larger one grow. Some optimum therefore keeps the order of
    time, and a recursion over both sorted lists finds it: as good as that of
    the Hungarian algorithm, without its matrix of all events by all detections.
    Where an event has a single detection near, or the reverse, the nearest is
    the result and no recursion is needed.
    """
    order_r, order_d = np.argsort(reference, kind="stable"), np.argsort(detected, kind="stable")
    r, d = reference[order_r], detected[order_d]
    # What has nothing near is never paired.
    order_r = order_r[np.less(*_near(r, d, tolerance_samples))]
    order_d = order_d[np.less(*_near(d, r, tolerance_samples))]
    r, d = reference[order_r], detected[order_d]
    low, high = _near(r, d, tolerance_samples)
    # Spans of time that share no pair: a new one where no detection is near both sides.
    starts = np.flatnonzero(np.r_[True, low[1:] >= high[:-1]][: len(r)])
    cut_r, cut_d = np.append(starts, len(r)), np.append(low[starts], len(d))
    first_r, stop_r, first_d, stop_d = cut_r[:-1], cut_r[1:], cut_d[:-1], cut_d[1:]
    one_r, one_d = stop_r - first_r == 1, stop_d - first_d == 1
    several_r = one_d & ~one_r
    paired_r = [first_r[one_r], _nearest(r, d[first_d], first_r, stop_r)[several_r]]
    paired_d = [_nearest(d, r[first_r], first_d, stop_d)[one_r], first_d[several_r]]
    for i in np.flatnonzero(~one_r & ~one_d):
        span_r, span_d = slice(first_r[i], stop_r[i]), slice(first_d[i], stop_d[i])
        of_r, of_d = _align(
            r[span_r], d[span_d], low[span_r] - first_d[i], high[span_r] - first_d[i]
        )
        paired_r.append(of_r + first_r[i])
        paired_d.append(of_d + first_d[i])
    index_r, index_d = np.concatenate(paired_r), np.concatenate(paired_d)
    by_time = np.argsort(index_r)
    return order_r[index_r[by_time]], order_d[index_d[by_time]]


def claim(reference: Ints, ranked: Ints, tolerance_samples: int) -> NDArray[np.bool_]:
    """Return which detections, the best first, take an event that no better one has taken.

    Each takes the nearest event that is left within the tolerance, of two
    equally near the earlier. This is how average precision is counted: unlike
    in `match`, what a detection finds does not depend on those ranked behind it.

    Parameters
    ----------
    reference
        Times in samples, (E,), in any order.
    ranked
        Times in samples, (D,), by falling score.
    tolerance_samples
        Largest distance.

    Returns
    -------
    array
        (D,) bool.

    Notes
    -----
    All detections propose at once; an event keeps the best proposal, and the
    others propose on. As every event ranks alike, this ends where taking turns does.
    """
    nobody, far = len(ranked), np.iinfo(np.int64).max // 4
    r = np.r_[-far, np.sort(reference), far]
    holder = np.full(len(r), nobody)
    after = np.searchsorted(r, ranked)
    before = after - 1
    proposed_before = np.zeros(nobody, dtype=np.bool_)
    proposing = np.arange(nobody)
    while len(proposing):
        to_before, to_after = (
            ranked[proposing] - r[before[proposing]],
            r[after[proposing]] - ranked[proposing],
        )
        proposed_before[proposing] = to_before <= to_after
        proposing = proposing[np.minimum(to_before, to_after) <= tolerance_samples]
        proposed = np.where(proposed_before[proposing], before[proposing], after[proposing])
        held = holder[proposed]
        np.minimum.at(holder, proposed, proposing)
        displaced = np.unique(held[(held != holder[proposed]) & (held != nobody)])
        proposing = np.r_[proposing[holder[proposed] != proposing], displaced]
        before[proposing] -= proposed_before[proposing]
        after[proposing] += ~proposed_before[proposing]
    takes = np.zeros(nobody, dtype=np.bool_)
    takes[holder[holder != nobody]] = True
    return takes


def on_one_line(times: Ints, room: Ints, span: int) -> Ints:
    """Lay the times of many rooms end to end, so that one call of `match` serves them all.

    Parameters
    ----------
    times
        In samples, from 0, (E,).
    room
        Number of the recording and type of each time, (E,).
    span
        More than the latest time and the tolerance together.
    """
    return room * span + times


def _near(times: Ints, among: Ints, tolerance_samples: int) -> tuple[Ints, Ints]:
    """Return which of the sorted times `among` are near each of `times`: [low, high)."""
    low = np.searchsorted(among, times - tolerance_samples, side="left")
    high = np.searchsorted(among, times + tolerance_samples, side="right")
    return low, high


def _nearest(among: Ints, times: Ints, first: Ints, stop: Ints) -> Ints:
    """Return which of the sorted times `among`, from `first` to `stop`, is nearest to each time."""
    after = np.clip(np.searchsorted(among, times), first, stop - 1)
    before = np.maximum(after - 1, first)
    return np.where(times - among[before] <= np.abs(among[after] - times), before, after)


def _align(r: Ints, d: Ints, low: Ints, high: Ints) -> tuple[Ints, Ints]:
    """Pair sorted times in order, for most pairs and then least distance.

    Parameters
    ----------
    r, d
        Sorted times, (E,) and (D,).
    low, high
        Which of `d` are near each of `r`, (E,).
    """
    n = len(r)
    widest = max(abs(d[low] - r).max(), abs(d[high - 1] - r).max())
    pair = int(widest) * min(n, len(d)) + 1  # outweighs all distances together
    best = np.zeros(len(d) + 1, dtype=np.int64)  # with the first j of d and the r so far
    reached, without, within = 0, [], []
    for i in range(n):
        a, b = low[i], high[i]
        best[reached + 1 : b + 1] = best[reached]
        reached = b
        ending = best[a:b] + (pair - np.abs(d[a:b] - r[i]))  # r[i] with each of d[a:b]
        without.append(best[a + 1 : b + 1].copy())
        within.append(ending)
        np.maximum(best[a + 1 : b + 1], np.maximum.accumulate(ending), out=best[a + 1 : b + 1])
    found_r, found_d, j = [], [], len(d)
    for i in reversed(range(n)):
        width = min(j, high[i]) - low[i]  # of what r[i] may be paired with
        if width <= 0:
            continue
        last = int(within[i][:width].argmax())
        if within[i][last] > without[i][width - 1]:
            j = int(low[i]) + last
            found_r.append(i)
            found_d.append(j)
    return np.array(found_r[::-1], dtype=np.int64), np.array(found_d[::-1], dtype=np.int64)
