"""Predictions to scores with intervals; apart, so that no model depends on a metric."""

from typing import Any

import numpy as np

from seqbench.registry import METRICS
from seqbench.statistics.bootstrap import cluster_weights, interval
from seqbench.storage.predictions import Predictions
from seqbench.tasks.base import Task

N_RESAMPLES = 500


def score(task: Task, predictions: Predictions, *, resamples: int = N_RESAMPLES) -> dict[str, Any]:
    """Score predictions with every metric of a task.

    Parameters
    ----------
    task
        Names the metrics.
    predictions
        Of one split.
    resamples
        Bootstrap resamples of whole groups; 0 gives no intervals.

    Returns
    -------
    dict
        By metric: ``value``, and ``low`` and ``high`` of a 95 % interval, null
        where it is not defined, as with a single group. Metrics that need
        probabilities are left out where a model gives other scores.
    """
    generator = np.random.default_rng(0)
    once = np.ones((1, len(predictions.target)))
    has_intervals = resamples > 0 and len(set(predictions.group)) > 1
    weights = cluster_weights(predictions.group, resamples, generator) if has_intervals else None
    scores: dict[str, Any] = {}
    for name in task.metric_names():
        if METRICS.entry(name).tags["probabilities"] and not predictions.are_probabilities:
            continue
        metric = METRICS[name]
        value = float(metric(predictions, once)[0])
        bounds = interval(metric(predictions, weights)) if weights is not None else None
        scores[name] = {
            "value": value if np.isfinite(value) else None,
            "low": bounds[0] if bounds else None,
            "high": bounds[1] if bounds else None,
        }
    return scores
