"""Predicted probabilities against the fraction of correct predictions, run by run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.reporting.scores.leaderboards import ModelScores


@dataclass(frozen=True)
class Calibration:
    """Mean probability, fraction correct and number of predictions by run and bin, (n, 15) each.

    Parameters
    ----------
    of
        What is predicted, as a noun: candidate events, or test windows.
    error
        Metric that is the mean distance of the curve from the diagonal.
    """

    row: ModelScores
    of: str
    error: str
    score: NDArray[np.float64]
    true: NDArray[np.float64]
    count: NDArray[np.int64]

    @classmethod
    def of_runs(
        cls, row: ModelScores, bins: Iterable[tuple[NDArray[Any], ...]], *, of: str, error: str
    ) -> Calibration:
        """Stack the bins of the runs of a model, as the metrics of its task return them."""
        score, true, count = map(np.stack, zip(*bins, strict=True))
        return cls(row, of, error, score, true, count)

    @cached_property
    def pooled(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Probability and fraction correct over all runs, NaN in empty bins; mean count per run."""
        total = self.count.sum(axis=0)
        with np.errstate(invalid="ignore"):  # 0 / 0
            score, true = (
                np.nansum(values * self.count, axis=0) / total for values in (self.score, self.true)
            )
        return score, true, total / max(len(self.count), 1)


@dataclass(frozen=True, kw_only=True)
class Calibrated:
    """Evidence with predicted probabilities of the model selected on val; None without them."""

    calibration: Calibration | None
