"""What a task is, without torch: its head by name, its metrics, its headline."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from seqbench.registry import METRICS
from seqbench.statistics.bootstrap import cluster_weights, interval
from seqbench.storage.predictions import Predictions

if TYPE_CHECKING:
    from seqbench.models.base import Encoder
    from seqbench.tasks.head import Head

N_RESAMPLES = 500


class Task(ABC):
    """One kind of question.

    Attributes
    ----------
    name
        Registered name.
    headline
        The metric that ranks models; higher is better.
    tiebreak
        The metric that decides between models of equal headline on val; lower
        is better.
    """

    name: str
    headline: str
    tiebreak: str

    @abstractmethod
    def head(self, encoder: Encoder, classes: list[str], dropout: float) -> Head:
        """Build the output layer for an encoder; imports torch."""

    def metric_names(self) -> list[str]:
        """Return the registered metrics of this task, the headline first."""
        names = [name for name in METRICS if METRICS.entry(name).tags["task"] == self.name]
        return sorted(
            names, key=lambda name: (name != self.headline, METRICS.entry(name).tags["order"])
        )

    def score(self, predictions: Predictions, *, resamples: int = N_RESAMPLES) -> dict[str, Any]:
        """Score predictions with every metric of the task.

        Parameters
        ----------
        predictions
            Of one split.
        resamples
            Bootstrap resamples of whole groups; 0 gives no intervals.

        Returns
        -------
        dict
            By metric: ``value``, and ``low`` and ``high`` of a 95 % interval,
            null where it is not defined. Metrics that need probabilities are
            left out where a model gives other scores.
        """
        generator = np.random.default_rng(0)
        once = np.ones((1, len(predictions.target)))
        weights = cluster_weights(predictions.group, resamples, generator) if resamples else None
        scores: dict[str, Any] = {}
        for name in self.metric_names():
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
