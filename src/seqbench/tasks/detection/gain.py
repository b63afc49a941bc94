"""By how much one model finds events better than another on the same recordings."""

import math

import numpy as np

from seqbench.storage.detections import Detections
from seqbench.tasks.detection.comparison import Comparison, Decoded, Floats, decoded
from seqbench.tasks.detection.matching import match


def f1_gain(before: Detections, after: Detections) -> tuple[float, float]:
    """Return the gain in F1 at the tolerance of the dataset, and its standard error.

    Of all events; where types rank (`ranked_types`) in the mean over these.

    Parameters
    ----------
    before, after
        Of the same recordings.

    Notes
    -----
    F1 is 2 TP / (E + D) with E events and D detections. To first order a detection more
    changes it by (2 - F1) / (E + D) if it is a hit, and by -F1 / (E + D) if not. What both have
    cancels, also where its time has moved within the tolerance; all else counts as independent.
    """
    old, new = decoded(before), decoded(after)
    same = Comparison(detections=before, reference=old.found, found=new.found)
    of_old, of_new = match(*same.on_one_line(before.tolerance_ms))
    lost = np.setdiff1d(np.arange(len(old.found)), of_old)
    won = np.setdiff1d(np.arange(len(new.found)), of_new)
    was_hit, is_hit = _is_hit(old), _is_hit(new)
    hits = np.concatenate([is_hit[won], -was_hit[lost], is_hit[of_new] - was_hit[of_old]])
    detections = np.repeat([1, -1, 0], [len(won), len(lost), len(of_new)])
    types = np.concatenate([new.found.type[won], old.found.type[lost], new.found.type[of_new]])
    every = np.arange(len(before.classes))
    ranked = (
        [every]
        if before.ranked_types is None
        else [np.array([before.classes.index(name)]) for name in before.ranked_types]
    )
    gains, errors = [], []
    for kinds in ranked:
        n_hits = was_hit[np.isin(old.found.type, kinds)].sum()
        total = old.n_reference[:, kinds].sum() + old.n_found[:, kinds].sum()
        own, f1 = np.isin(types, kinds), 2 * n_hits / max(total, 1)
        changes = (2 * hits[own] - f1 * detections[own]) / max(total, 1)
        gains.append(changes.sum())
        errors.append(math.sqrt(np.square(changes).sum()))
    return float(np.mean(gains)), math.hypot(*errors) / len(errors)


def _is_hit(compared: Decoded) -> Floats:
    """Return 1 for each detection that finds an event, else 0, (D,)."""
    hits = np.zeros(len(compared.found))
    hits[compared.pairs(compared.detections.tolerance_ms)[1]] = 1
    return hits
