"""Scores of each type, for a table: nothing is ranked or selected by them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.storage.detections import Detections
from seqbench.tasks.detection.comparison import decoded, ratio, share


def per_type(detections: Detections, decoder: str | None = None) -> list[dict[str, Any]]:
    """Return the scores of each type, at the tolerance of the dataset.

    Returns
    -------
    list of dict
        ``type``, ``n_references``, ``n_detections``, ``f1``, ``precision``,
        ``recall``, ``mae_ms``, ``bias_ms``, ``p95_ms``, ``coverage`` (the fraction
        in the interval of the onset) and ``threshold``; None where a value is not
        defined.
    """
    compared = decoded(detections, decoder)
    once = np.ones((1, len(detections)))
    hits, reference, found = (total[0] for total in compared.totals(once, detections.tolerance_ms))
    events, late = compared.errors_ms
    bounded, is_inside = compared.in_intervals
    thresholds = detections.decoding.thresholds[decoder or detections.decoding.decoder]
    ratios = (
        ratio(2 * hits, reference + found),
        share(hits, of=found, other=reference),
        share(hits, of=reference, other=found),
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
                "coverage": _fraction(is_inside[bounded.type == k]),
                "threshold": float(thresholds[k]),
            }
        )
    return rows


def _fraction(values: NDArray[np.bool_]) -> float | None:
    return float(values.mean()) if len(values) else None


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None
