"""Logarithm and differences of a series, and the way back for forecasts."""

import numpy as np
from numpy.typing import NDArray

from seqbench.config.stages import TransformSettings
from seqbench.datasets.base import DataError
from seqbench.storage.windows import WindowSet


def transformed(
    signal: NDArray[np.float32], settings: TransformSettings, name: str, first: int = 0
) -> NDArray[np.float32]:
    """Return a signal (n_samples, C) transformed; the first samples, which lack a past, are lost.

    Only samples before and at a place decide what stands there. `first` is the number of the
    first sample among those of the recording `name`.

    Raises
    ------
    DataError
        If a logarithm is taken of what is not above 0.
    """
    values = signal.astype(np.float64)
    if settings.log:
        if not (values > 0).all():
            row, channel = np.argwhere(~(values > 0))[0]
            raise DataError(
                f"recording '{name}' holds {values[row, channel]:g} in row {first + row}, and only"
                " what is above 0 has a logarithm; cut it out, or train without `transform.log`"
            )
        values = np.log(values)
    for lag in settings.difference_samples:
        values = values[lag:] - values[:-lag]
    return values.astype(np.float32)


def check_length(n_samples: int, settings: TransformSettings, name: str) -> None:
    """Refuse a recording of which differences leave nothing."""
    if n_samples_lost(settings) >= n_samples:
        raise DataError(
            f"recording '{name}' has {n_samples} samples, and `transform.difference_samples` takes"
            f" {n_samples_lost(settings)} of them; use a longer recording, or train with less"
        )


def n_samples_lost(settings: TransformSettings) -> int:
    """Return how many samples at the beginning of a series have no difference."""
    return sum(settings.difference_samples)


def past(windows: WindowSet, n_samples: int) -> NDArray[np.float32]:
    """Return the last samples before each horizon, in the units of the data, (N, n_samples, C)."""
    return np.asarray(windows.required_targets.values[windows.rows_around_end(-n_samples, 0)])


def restored(
    forecast: NDArray[np.float64], past: NDArray[np.float32], settings: TransformSettings
) -> NDArray[np.float64]:
    """Return forecasts in the units of the data.

    Parameters
    ----------
    forecast
        Of the transformed series, (N, H, C).
    past
        The series itself before each forecast, (N, P, C); P is at least the
        sum of the differences.
    settings
        What the series went through.
    """
    level = np.log(past.astype(np.float64)) if settings.log else past.astype(np.float64)
    levels = [level]
    for lag in settings.difference_samples:
        level = level[:, lag:] - level[:, :-lag]
        levels.append(level)
    values = forecast
    for lag, before in zip(
        reversed(settings.difference_samples), reversed(levels[:-1]), strict=True
    ):
        values = _integrated(values, before[:, -lag:], lag)
    return np.exp(values) if settings.log else values


def _integrated(
    steps: NDArray[np.float64], before: NDArray[np.float64], lag: int
) -> NDArray[np.float64]:
    """Add to each step (N, H, C) the sample `lag` before it, known or forecast."""
    series = np.concatenate([before, np.zeros_like(steps)], axis=1)
    for h in range(steps.shape[1]):
        series[:, lag + h] = steps[:, h] + series[:, h]
    return series[:, lag:]
