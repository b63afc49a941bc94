"""Forecasts without a network: last value, last season, mean frame, autoregression."""

import numpy as np
from numpy.typing import NDArray

from seqbench.baselines.base import Arrays, Baseline, OptionError
from seqbench.config.options import Count, Lags
from seqbench.config.registry import BASELINES
from seqbench.storage.windows import WindowSet
from seqbench.windowing.transform import past


@BASELINES.register(
    "persistence", accepts=("series", "video"), tasks=("forecasting",), floor_of=("forecasting",)
)
class PersistenceBaseline(Baseline):
    """The last value or frame that is known, for the whole horizon."""

    def fit(self, splits: list[WindowSet], seed: int) -> Arrays:
        """Learn nothing."""
        return {}

    def predict(self, arrays: Arrays, windows: WindowSet) -> NDArray[np.float64]:
        """Return the last value of each window, (N, H, D), of video (N, H, C, rows, columns)."""
        return np.repeat(
            past(windows, 1).astype(np.float64), windows.required_targets.horizon_samples, axis=1
        )


@BASELINES.register(
    "seasonal_naive",
    accepts=("series",),
    tasks=("forecasting",),
    space={"season_samples": (4, 7, 12, 24, 52)},
)
class SeasonalNaiveBaseline(Baseline):
    """The value one season before, for each sample of the horizon.

    Parameters
    ----------
    season_samples
        Samples of a season; no more than windows are long.
    """

    def __init__(self, *, season_samples: Count = 12) -> None:
        self.season_samples = season_samples

    def fit(self, splits: list[WindowSet], seed: int) -> Arrays:
        """Learn nothing."""
        check_look_back(splits, self.season_samples, "seasonal_naive.season_samples")
        return {}

    def predict(self, arrays: Arrays, windows: WindowSet) -> NDArray[np.float64]:
        """Return the last season of each window, again and again, (N, H, D)."""
        season = past(windows, self.season_samples).astype(np.float64)
        return season[:, np.arange(windows.required_targets.horizon_samples) % self.season_samples]


@BASELINES.register("mean_frame", accepts=("video",), tasks=("forecasting",))
class MeanFrameBaseline(Baseline):
    """The mean of each pixel over all frames to predict in training, whatever was seen.

    A mean is the best prediction of the unpredictable, and so what a network
    falls back to: where things move, persistence makes twice its error.
    """

    def fit(self, splits: list[WindowSet], seed: int) -> Arrays:
        """Take the mean frame of all horizons, (C, rows, columns)."""
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


@BASELINES.register(
    "log_ar",
    accepts=("series",),
    tasks=("forecasting",),
    space={
        "lags": (
            (1,),
            (1, 2),
            (1, 2, 3),
            (1, 2, 3, 4, 5, 6),
            (1, 7, 8),
            (1, 12, 13),
            (1, 2, 12, 13, 14),
            (1, 24, 25),
            (1, 2, 24, 25, 26),
            (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12),
        ),
        "direct": (False, True),
    },
)
class LogArBaseline(Baseline):
    """Autoregression of each channel at chosen lags, step by step along the horizon.

    Parameters
    ----------
    lags
        How many samples earlier those lie from which a value is predicted; none
        further back than windows are long. 1, 12 and 13 are those of a monthly
        series whose growth and year both repeat.
    direct
        Whether each step of the horizon has coefficients of its own, of the same samples before
        the horizon, instead of those of one step that forecasts go through again and again.

    Notes
    -----
    Of the logarithm where all of training is above 0, else of the values
    themselves. A value has one coefficient for each lag and a constant, found
    by least squares on every sample that windows of training predict, each once,
    however far ahead; forecasts take earlier ones as if they had come true. With `direct`
    a window is one equation of each step.

    References
    ----------
    Box, Jenkins (1970). Time series analysis: forecasting and control.
    Marcellino, Stock, Watson (2006). A comparison of direct and iterated
    multistep AR methods. Journal of Econometrics 135:499-526.
    """

    def __init__(self, *, lags: Lags = (1, 12, 13), direct: bool = False) -> None:
        self.lags = lags
        self.direct = direct

    def fit(self, splits: list[WindowSet], seed: int) -> Arrays:
        """Solve for the coefficients of each channel, (lags + 1, D), direct (lags + 1, D, H)."""
        check_look_back(splits, max(self.lags), "log_ar.lags")
        pairs = [self._pairs(split) for split in splits]
        before, after = (np.concatenate(one) for one in zip(*pairs, strict=True))
        is_log = bool((before > 0).all() and (after > 0).all())
        if is_log:
            before, after = np.log(before), np.log(after)
        regressors = _with_constant(before)
        if self.direct and len(before) <= regressors.shape[1]:
            raise OptionError(
                f"`baseline_options.log_ar.direct`: {len(before)} windows do not determine"
                f" {regressors.shape[1]} coefficients of each step; take fewer lags, or leave"
                " `direct` out"
            )
        coefficients = [
            np.linalg.lstsq(regressors[..., c], after[..., c], rcond=None)[0]
            for c in range(after.shape[-1])
        ]
        return {"coefficients": np.stack(coefficients, axis=1), "is_log": np.array(is_log)}

    def predict(self, arrays: Arrays, windows: WindowSet) -> NDArray[np.float64]:
        """Return forecasts, (N, H, D)."""
        series = past(windows, max(self.lags)).astype(np.float64)
        coefficients = arrays["coefficients"]
        if arrays["is_log"]:
            # A value of test may be 0 or less where none of train was: predict nearly 0 then.
            series = np.log(np.maximum(series, np.finfo(np.float64).tiny))
        if self.direct:
            predicted = np.einsum("nld,ldh->nhd", self._regressors(series), coefficients)
        else:
            for _ in range(windows.required_targets.horizon_samples):
                following = np.einsum("sld,ld->sd", self._regressors(series), coefficients)
                series = np.concatenate([series, following[:, None]], axis=1)
            predicted = series[:, max(self.lags) :]
        return np.exp(predicted) if arrays["is_log"] else predicted

    def _pairs(self, split: WindowSet) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return values at the lags, (S, lags, D), and what follows, (S, D), direct (S, H, D)."""
        targets = split.required_targets
        rows = split.start + split.length
        if self.direct:
            after = targets.values[split.rows_around_end(0, targets.horizon_samples)]
        else:
            borders = np.zeros(len(targets.values) + 1, dtype=np.int64)
            np.add.at(borders, rows, 1)
            np.add.at(borders, rows + targets.horizon_samples, -1)
            rows = np.flatnonzero(np.cumsum(borders[:-1]))  # in the horizon of some window
            after = targets.values[rows]
        before = np.stack([targets.values[rows - lag] for lag in self.lags], axis=1)
        return before.astype(np.float64), after.astype(np.float64)

    def _regressors(self, series: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the values at the lags before the end of series (N, T, D), and a one."""
        return _with_constant(np.stack([series[:, -lag] for lag in self.lags], axis=1))


def _with_constant(before: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values (N, lags, D) with a one behind them, (N, lags + 1, D)."""
    return np.concatenate([before, np.ones_like(before[:, :1])], axis=1)


def check_look_back(splits: list[WindowSet], n_samples: int, option: str) -> None:
    """Refuse to look back further than the shortest window reaches."""
    shortest = min(int(split.length.min()) for split in splits)
    if n_samples > shortest:
        raise OptionError(
            f"`baseline_options.{option}`: {n_samples} samples back do not fit into windows of"
            f" {shortest}; look back less far, or make windows longer"
        )
