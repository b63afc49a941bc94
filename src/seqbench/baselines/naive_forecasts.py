"""Forecasts that look at little: the last value, that of the last season, or the mean frame."""

import numpy as np
from numpy.typing import NDArray

from seqbench.baselines.base import Arrays, Baseline
from seqbench.config.options import Count
from seqbench.config.registry import BASELINES
from seqbench.datasets.base import DataError
from seqbench.storage.windows import WindowSet
from seqbench.windowing.transform import past


@BASELINES.register(
    "persistence",
    accepts=("series", "video"),
    tasks=("forecasting",),
    floor_of=("forecasting",),
    stochastic=False,
    imports=(),
)
class PersistenceBaseline(Baseline):
    """The last value or frame that is known, for the whole horizon."""

    gives_probabilities = False

    def fit(self, splits: list[WindowSet], seed: int) -> Arrays:
        """Learn nothing."""
        del splits, seed
        return {}

    def predict(self, arrays: Arrays, windows: WindowSet) -> NDArray[np.float64]:
        """Return the last value of each window, (N, H, D), of video (N, H, C, rows, columns)."""
        del arrays
        return np.repeat(
            past(windows, 1).astype(np.float64), windows.required_targets.horizon_samples, axis=1
        )


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

    def fit(self, splits: list[WindowSet], seed: int) -> Arrays:
        """Learn nothing."""
        del seed
        shortest = min(int(split.length.min()) for split in splits)
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
        return season[:, np.arange(windows.required_targets.horizon_samples) % self.season_samples]


@BASELINES.register(
    "mean_frame", accepts=("video",), tasks=("forecasting",), stochastic=False, imports=()
)
class MeanFrameBaseline(Baseline):
    """The mean of each pixel over all that training asks for, whatever was seen.

    A mean is the best prediction of the unpredictable, and so what a network
    falls back to: where things move, persistence makes twice its error.
    """

    gives_probabilities = False

    def fit(self, splits: list[WindowSet], seed: int) -> Arrays:
        """Take the mean frame of all horizons, (C, rows, columns)."""
        del seed  # nothing is left to chance
        total, n = 0.0, 0
        for split in splits:
            for row in split.rows_around_end(0, split.required_targets.horizon_samples).T:
                frames = split.required_targets.values[row]
                total, n = total + frames.sum(axis=0, dtype=np.float64), n + len(frames)
        return {"mean": np.asarray(total / n)}

    def predict(self, arrays: Arrays, windows: WindowSet) -> NDArray[np.float64]:
        """Return the mean frame for the whole horizon, (N, H, C, rows, columns)."""
        shape = (len(windows), windows.required_targets.horizon_samples, *arrays["mean"].shape)
        return np.broadcast_to(arrays["mean"], shape)
