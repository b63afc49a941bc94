"""Recall, F1 and errors in time by what may decide them, from the counts of runs.

Counts of all runs of a model are added up. `n` counts events, those of a dataset or fold
once, however many seeds there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqbench.reporting.read.event_shapes import EventShapes
from seqbench.reporting.read.results import Result
from seqbench.storage.event_counts import EventCounts

Floats = NDArray[np.float64]

SNR_STEP_DB = 3
COSINES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


class Recall(NamedTuple):
    """Events between two edges: how many, and which part of them is found.

    `low` and `high` are milliseconds, None beyond the last, or cosines.
    """

    low: float
    high: float | None
    n: int
    recall: float


class AtSnr(NamedTuple):
    """Events whose ratio is within `SNR_STEP_DB` / 2 of `snr_db`.

    `mae_ms` is None where none is near a detection; `least_mae_ms` is that of an
    estimate at the bound, over all events.
    """

    snr_db: float
    n: int
    recall: float
    mae_ms: float | None
    least_mae_ms: float


class OfType(NamedTuple):
    """Scores of one type: events and detections as `f1_at` counts them."""

    type: int
    n: int
    recall: float | None
    f1: float | None
    mae_ms: float | None


def counts_of(results: Iterable[Result]) -> list[tuple[bool, EventCounts]]:
    """Return the counts of runs, and whether each is the first of its dataset or fold."""
    seen: set[str] = set()
    found = []
    for one in results:
        if one.metrics.events is not None:
            found.append((one.run.dataset not in seen, one.metrics.events))
            seen.add(one.run.dataset)
    return found


def recall_by_lag(results: Sequence[Result]) -> list[Recall]:
    """Return recall by the time to the nearest other event, the shortest first."""
    counts = counts_of(results)
    sums = _added(
        (row.lag_ms, first, row.n, (row.n_found,)) for first, c in counts for row in c.by_lag
    )
    edges: list[Any] = sorted(lag for lag in sums if lag is not None)
    edges += [None] * (None in sums)
    found, low = [], 0.0
    for edge in edges:
        n, total, (hits,) = sums[edge]
        found.append(Recall(low, edge, n, hits / total))
        low = low if edge is None else edge
    return found


def recall_by_similarity(results: Sequence[Result], similarity: Floats) -> list[Recall]:
    """Return recall of near events by the likeness (K, K) of the two types, the least first."""

    def step(row: Any) -> int:
        cosine = similarity[row.type, row.rival]
        return int(np.clip(np.searchsorted(COSINES, cosine, side="left") - 1, 0, len(COSINES) - 2))

    counts = counts_of(results)
    rows = ((step(row), first, row.n, (row.n_found,)) for first, c in counts for row in c.by_rival)
    return [
        Recall(COSINES[k], COSINES[k + 1], n, hits / total)
        for k, (n, total, (hits,)) in sorted(_added(rows).items())
    ]


def by_snr(results: Sequence[Result], shapes: EventShapes) -> list[AtSnr]:
    """Return recall and errors by the ratio of events, that of the type at their level."""
    snr_db, least_ms = shapes.snr_db, shapes.least_mean_error_ms
    rows = (
        (
            round((snr_db[row.type] + row.level_db) / SNR_STEP_DB) * SNR_STEP_DB,
            first,
            row.n,
            (
                row.n_found,
                row.n_timed,
                row.error_ms,
                row.n * least_ms[row.type] * 10 ** (-row.level_db / 20),
            ),
        )
        for first, counts in counts_of(results)
        for row in counts.by_level
        if np.isfinite(snr_db[row.type])
    )
    return [
        AtSnr(at, n, hits / total, error / timed if timed else None, least / total)
        for at, (n, total, (hits, timed, error, least)) in sorted(_added(rows).items())
    ]


def by_type(results: Sequence[Result], n_types: int) -> list[OfType]:
    """Return the scores of each type; None where a value is not defined."""
    counts = counts_of(results)
    sums = _added(
        (row.type, first, row.n, (row.n_found, row.n_timed, row.error_ms))
        for first, c in counts
        for row in c.by_level
    )
    n_detections = confusion(results, n_types)[:, :n_types].sum(axis=0)
    found = []
    for kind in range(n_types):
        n, total, (hits, timed, error) = sums.get(kind, (0, 0, (0.0, 0.0, 0.0)))
        either = total + int(n_detections[kind])
        found.append(
            OfType(
                type=kind,
                n=n,
                recall=hits / total if total else None,
                f1=2 * hits / either if either else None,
                mae_ms=error / timed if timed else None,
            )
        )
    return found


def confusion(results: Sequence[Result], n_types: int) -> NDArray[np.int64]:
    """Return events by their type and by that of what was found there, (K + 1, K + 1).

    The last row counts detections where nothing is, the last column missed events.
    """
    matrix = np.zeros((n_types + 1, n_types + 1), dtype=np.int64)
    for _, counts in counts_of(results):
        for row in counts.confusion:
            i, j = (n_types if one is None else one for one in (row.type, row.found))
            matrix[i, j] += row.n
    return matrix


def _added(
    rows: Iterable[tuple[Any, bool, int, tuple[float, ...]]],
) -> dict[Any, tuple[int, int, tuple[float, ...]]]:
    """Return by key the events counted once, those of all runs, and the sums of all runs."""
    sums: dict[Any, Any] = defaultdict(lambda: (0, 0, ()))
    for key, is_first, n, values in rows:
        once, total, before = sums[key]
        added = tuple(a + b for a, b in zip(before or (0.0,) * len(values), values, strict=True))
        sums[key] = (once + n * is_first, total + n, added)
    return dict(sums)
