"""By how much one model finds events better than another on the same recordings."""

import math

import numpy as np

from seqbench.storage.detections import Detections
from seqbench.tasks.detection.comparison import Floats, decoded


def f1_gain(before: Detections, after: Detections) -> tuple[float, float]:
    """Return the gain in F1 at the tolerance of the dataset, and its standard error.

    Parameters
    ----------
    before, after
        Of the same recordings.

    Notes
    -----
    F1 is 2 TP / (E + D) with E events and D detections. To first order a detection more
    changes it by (2 - F1) / (E + D) if it is a hit, and by -F1 / (E + D) if not. What both have
    cancels; the others count as independent.
    """
    old, new = (_worth(found) for found in (before, after))
    n_hits = sum(is_hit for is_hit in old.values())
    n_events = len(decoded(before).reference)
    total = n_events + len(old)
    if not total:
        return 0.0, 0.0
    f1 = 2 * n_hits / total
    changes: Floats = np.array(
        [2 * new[key] - f1 for key in new.keys() - old.keys()]
        + [f1 - 2 * old[key] for key in old.keys() - new.keys()]
        + [2.0 * (new[key] - old[key]) for key in new.keys() & old.keys()]
    )
    return float(changes.sum()) / total, math.sqrt(np.square(changes).sum()) / total


def _worth(detections: Detections) -> dict[tuple[int, int, float], bool]:
    """Return whether each detection, by recording, type and time, is a hit."""
    compared = decoded(detections)
    found, is_hit = compared.found, np.zeros(len(compared.found), dtype=bool)
    is_hit[compared.pairs(detections.tolerance_ms)[1]] = True
    keys = zip(found.place.tolist(), found.type.tolist(), found.time.round(2).tolist(), strict=True)
    return dict(zip(keys, is_hit.tolist(), strict=True))
