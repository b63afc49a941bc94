"""How far scores can be trusted as probabilities, seed by seed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from seqbench.reporting.scores.leaderboards import Row


@dataclass(frozen=True)
class Calibration:
    """Mean score, true part and number of answers of a model by run and bin, (n, 15) each.

    Answers are candidates for events, or windows whose class was told.
    """

    row: Row
    score: NDArray[np.float64]
    true: NDArray[np.float64]
    count: NDArray[np.int64]

    @cached_property
    def pooled(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Score and true part over all runs, NaN where no answer is, and answers of a run."""
        total = self.count.sum(axis=0)
        score, true = (
            np.divide(
                np.nansum(values * self.count, axis=0),
                total,
                out=np.full(total.shape, np.nan),
                where=total > 0,
            )
            for values in (self.score, self.true)
        )
        return score, true, total / max(len(self.count), 1)
