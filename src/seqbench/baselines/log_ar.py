"""Least squares on the logarithms of a few samples before: what statistics would try first."""

import numpy as np
from numpy.typing import NDArray

from seqbench.baselines.base import Arrays, Baseline
from seqbench.config.options import Lags
from seqbench.config.registry import BASELINES
from seqbench.datasets.base import DataError
from seqbench.storage.windows import WindowSet
from seqbench.windowing.transform import past


@BASELINES.register(
    "log_ar", accepts=("series",), tasks=("forecasting",), stochastic=False, imports=()
)
class LogArBaseline(Baseline):
    """Autoregression of each channel at chosen lags, step by step along the horizon.

    Parameters
    ----------
    lags
        How many samples earlier those lie from which a value is predicted; none
        further back than windows are long. 1, 12 and 13 are those of a monthly
        series whose growth and year both repeat.

    Notes
    -----
    Of the logarithm where all of training is above 0, else of the values
    themselves. A value has one coefficient for each lag and a constant, found
    by least squares on training; forecasts further ahead take earlier ones as
    if they had come true.

    References
    ----------
    Box, Jenkins (1970). Time series analysis: forecasting and control.
    """

    gives_probabilities = False

    def __init__(self, *, lags: Lags = (1, 12, 13)) -> None:
        self.lags = lags

    def fit(self, splits: list[WindowSet], seed: int) -> Arrays:
        """Solve for the coefficients of each channel, (lags + 1, D)."""
        del seed  # nothing is left to chance
        shortest = min(int(split.length.min()) for split in splits)
        if max(self.lags) > shortest:
            raise DataError(
                f"log_ar: a lag of {max(self.lags)} samples does not fit into windows of"
                f" {shortest}; set `baseline_options.log_ar.lags` or longer windows"
            )
        before = np.concatenate([past(split, max(self.lags)) for split in splits]).astype(
            np.float64
        )
        after = np.concatenate(
            [split.required_targets.values[split.start + split.length] for split in splits]
        ).astype(np.float64)
        is_log = bool((before > 0).all() and (after > 0).all())
        if is_log:
            before, after = np.log(before), np.log(after)
        coefficients = [
            np.linalg.lstsq(self._regressors(before[..., c]), after[:, c], rcond=None)[0]
            for c in range(after.shape[1])
        ]
        return {"coefficients": np.stack(coefficients, axis=1), "is_log": np.array(is_log)}

    def predict(self, arrays: Arrays, windows: WindowSet) -> NDArray[np.float64]:
        """Return forecasts, (N, H, D)."""
        series = past(windows, max(self.lags)).astype(np.float64)
        if arrays["is_log"]:
            # A value of test may be 0 or less where none of train was: predict nearly 0 then.
            series = np.log(np.maximum(series, np.finfo(np.float64).tiny))
        for _ in range(windows.required_targets.horizon_samples):
            following = np.stack(
                [
                    self._regressors(series[..., c]) @ arrays["coefficients"][:, c]
                    for c in range(series.shape[2])
                ],
                axis=1,
            )
            series = np.concatenate([series, following[:, None]], axis=1)
        predicted = series[:, max(self.lags) :]
        return np.exp(predicted) if arrays["is_log"] else predicted

    def _regressors(self, series: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the values at the lags before the end of series (N, T), and a one."""
        columns = [series[:, -lag] for lag in self.lags]
        return np.stack([*columns, np.ones(len(series))], axis=1)
