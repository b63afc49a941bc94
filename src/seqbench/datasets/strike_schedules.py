"""When strikes happen: schedules in which no type returns within its refractory time."""

import math

import numpy as np
from numpy.typing import NDArray

# Times in seconds (E,) float64, ascending, and the index of the type of each (E,) int64.
Strikes = tuple[NDArray[np.float64], NDArray[np.int64]]
# Errors of a ringer are cut at this many standard deviations, or one of them could break a rule.
LARGEST_ERROR = 3.0
# Fraction of the pairs that change places from row to row; the others stay, so that rows never
# repeat with the period of plain hunt.
SWAPPED = 0.8


def poisson_strikes(
    generator: np.random.Generator,
    duration_s: float,
    *,
    n_types: int,
    rate_hz: float,
    refractory_s: float,
) -> Strikes:
    """Return strikes of types that know nothing of each other.

    Parameters
    ----------
    generator
        Source of all randomness.
    duration_s
        Strikes lie in [0, `duration_s`).
    n_types
        Number of types.
    rate_hz
        Mean rate of each type; below 1 / `refractory_s`.
    refractory_s
        Shortest gap within a type; what is left of its mean gap is exponential.
    """
    wait_s = 1 / rate_hz - refractory_s
    times: list[float] = []
    types: list[int] = []
    for kind in range(n_types):
        # The process has run forever: its first strike follows the law of what is left of a gap.
        if generator.random() < refractory_s * rate_hz:
            time_s = generator.uniform(0, refractory_s)
        else:
            time_s = refractory_s + generator.exponential(wait_s)
        while time_s < duration_s:
            times.append(time_s)
            types.append(kind)
            time_s += refractory_s + generator.exponential(wait_s)
    return _in_order(np.array(times), np.array(types, dtype=np.int64))


def change_ringing_strikes(
    generator: np.random.Generator,
    duration_s: float,
    *,
    n_types: int,
    interval_s: float,
    jitter_s: float,
) -> Strikes:
    """Return the strikes of bells rung in changes, row after row.

    Every bell strikes once a row, and after every second row one interval is
    left out, as ringers do before the handstroke.

    Parameters
    ----------
    generator
        Source of all randomness.
    duration_s
        Strikes lie in [0, `duration_s`).
    n_types
        Number of bells.
    interval_s
        Time between two strikes, at least `shortest_interval_s`.
    jitter_s
        Standard deviation of the ringers' errors, normal up to `LARGEST_ERROR`.
    """
    n_rows = math.ceil(duration_s / (n_types * interval_s)) + 1
    rows = changes(generator, n_rows, n_types)
    return ringing_strikes(generator, rows, duration_s, interval_s=interval_s, jitter_s=jitter_s)


def ringing_strikes(
    generator: np.random.Generator,
    rows: NDArray[np.int64],
    duration_s: float,
    *,
    interval_s: float,
    jitter_s: float,
) -> Strikes:
    """Return the strikes of bells that ring given rows, (n_rows, n_bells).

    After every second row one interval is left out. For the other parameters
    see `change_ringing_strikes`.
    """
    row, place = np.indices(rows.shape)
    n_bells = rows.shape[1]
    errors = np.clip(generator.standard_normal(rows.shape), -LARGEST_ERROR, LARGEST_ERROR)
    begin_s = LARGEST_ERROR * jitter_s + generator.uniform(0, interval_s)
    time_s = begin_s + (n_bells * row + place + row // 2) * interval_s + errors * jitter_s
    inside = time_s < duration_s
    return _in_order(time_s[inside], rows[inside])


def shortest_interval_s(n_types: int, *, refractory_s: float, jitter_s: float) -> float:
    """Return the interval at which no bell strikes again within `refractory_s`.

    A bell that moves one place to the front strikes again `n_types` - 1
    intervals later, less the largest errors of both strikes.
    """
    return (refractory_s + 2 * LARGEST_ERROR * jitter_s) / (n_types - 1)


def changes(generator: np.random.Generator, n_rows: int, n_bells: int) -> NDArray[np.int64]:
    """Return rows of bells, (n_rows, n_bells), that begin with rounds.

    From row to row neighbours swap, as in plain hunt: by turns the pairs that
    begin at the first and at the second place, but each of them by chance.
    """
    rows = np.empty((n_rows, n_bells), dtype=np.int64)
    row = np.arange(n_bells)
    for i in range(n_rows):
        rows[i] = row
        first = np.arange(i % 2, n_bells - 1, 2)
        first = first[generator.random(len(first)) < SWAPPED]
        row[first], row[first + 1] = row[first + 1], row[first]
    return rows


def _in_order(time_s: NDArray[np.float64], kind: NDArray[np.int64]) -> Strikes:
    order = np.argsort(time_s, kind="stable")
    return time_s[order], kind[order]
