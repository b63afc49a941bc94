"""Forecasts that learn nothing: the last value, or that of the last season."""

import numpy as np
from numpy.typing import NDArray

from seqbench.baselines.base import Arrays, Baseline
from seqbench.datasets.base import DataError
from seqbench.options import Count
from seqbench.registry import BASELINES
from seqbench.storage.windows import WindowSet
from seqbench.windowing.transform import past


@BASELINES.register(
    "persistence",
    accepts=("series",),
    tasks=("forecasting",),
    floor_of=("forecasting",),
    stochastic=False,
    imports=(),
)
class PersistenceBaseline(Baseline):
    """The last value that is known, for the whole horizon."""

    gives_probabilities = False

    def fit(self, parts: list[WindowSet], seed: int) -> Arrays:
        """Learn nothing."""
        del parts, seed
        return {}

    def predict(self, arrays: Arrays, windows: WindowSet) -> NDArray[np.float64]:
        """Return the last value of each window, (N, H, D)."""
        del arrays
        return np.repeat(past(windows, 1).astype(np.float64), windows.told.horizon_samples, axis=1)


@BASELINES.register(
    "seasonal_naive", accepts=("series",), tasks=("forecasting",), stochastic=False, imports=()
)
class SeasonalNaiveBaseline(Baseline):
    """The value one season before, for each sample of the horizon.

    Parameters
    ----------
    season_samples
        Samples of a season; no more than windows are long.
    """

    gives_probabilities = False

    def __init__(self, *, season_samples: Count = 12) -> None:
        self.season_samples = season_samples

    def fit(self, parts: list[WindowSet], seed: int) -> Arrays:
        """Learn nothing."""
        del seed
        shortest = min(int(part.length.min()) for part in parts)
        if self.season_samples > shortest:
            raise DataError(
                f"seasonal_naive: a season of {self.season_samples} samples does not fit into"
                f" windows of {shortest}; set `baseline_options.seasonal_naive.season_samples` or"
                " longer windows"
            )
        return {}

    def predict(self, arrays: Arrays, windows: WindowSet) -> NDArray[np.float64]:
        """Return the last season of each window, again and again, (N, H, D)."""
        del arrays
        season = past(windows, self.season_samples).astype(np.float64)
        return season[:, np.arange(windows.told.horizon_samples) % self.season_samples]
