"""Predictions to scores with intervals; apart, so that no model depends on a metric."""

from typing import Any

import numpy as np

from seqbench.config.registry import METRICS
from seqbench.statistics.bootstrap import cluster_weights, interval
from seqbench.storage.predictions import AnyPredictions
from seqbench.storage.sequences import Sequences
from seqbench.tasks.base import Task
from seqbench.tasks.metric_names import expand, family_of

N_RESAMPLES = 500


def score(
    task: Task, predictions: AnyPredictions, *, resamples: int = N_RESAMPLES, headline: str = ""
) -> dict[str, Any]:
    """Score predictions with every metric of a task.

    Parameters
    ----------
    task
        Names the metrics.
    predictions
        Of one split: of windows or of whole recordings.
    resamples
        Bootstrap resamples of whole groups; 0 gives no intervals. They are the same
        for all that is scored on the same groups, so models can be compared
        resample by resample.
    headline
        The metric of which every resampled value is kept.

    Returns
    -------
    dict
        By metric, families at every tolerance: ``value``, and ``low`` and
        ``high`` of a 95 % interval, null where it is not defined, as with a
        single group. The headline has ``resampled``, its values in all resamples.
        Metrics that need probabilities are left out where a model
        gives other scores, and metrics of frames where it predicts none.
    """
    generator = np.random.default_rng(0)
    once = np.ones((1, len(predictions)))
    has_intervals = resamples > 0 and len(set(predictions.group)) > 1
    weights = cluster_weights(predictions.group, resamples, generator) if has_intervals else None
    scores: dict[str, Any] = {}
    for name in [name for family in task.metric_names() for name in expand(family)]:
        family, tolerance_ms = family_of(name)
        if not _is_defined(METRICS.entry(family).tags, predictions):
            continue
        metric = METRICS[family]
        settings = () if tolerance_ms is None else (tolerance_ms,)
        value = float(metric(predictions, once, *settings)[0])
        resampled = metric(predictions, weights, *settings) if weights is not None else None
        bounds = None if resampled is None else interval(resampled)
        scores[name] = {
            "value": _or_none(value),
            "low": bounds[0] if bounds else None,
            "high": bounds[1] if bounds else None,
        }
        if name == headline and resampled is not None:
            scores[name]["resampled"] = tuple(_or_none(round(float(one), 6)) for one in resampled)
    return scores


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _is_defined(tags: dict[str, Any], predictions: AnyPredictions) -> bool:
    """Return whether a metric is defined for these predictions."""
    if tags.get("probabilities", False) and not predictions.are_probabilities:
        return False
    has_frames = isinstance(predictions, Sequences) and predictions.has_frames
    return has_frames or not tags.get("of_frames", False)
