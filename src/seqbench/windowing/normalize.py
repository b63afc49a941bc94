"""Centre and scale of each channel, from train alone."""

import numpy as np
from numpy.typing import NDArray

from seqbench.storage.normalization import Normalization

# The quartiles of a normal distribution lie this many standard deviations apart.
NORMAL_QUARTILE_RANGE = 1.3489795
# A channel that varies by less than this fraction of its mean only holds rounding.
NEGLIGIBLE, TINY = 1e-9, 1e-30


def fit_normalization(train: NDArray[np.float32], mode: str) -> Normalization:
    """Fit a normalisation on the signal of train.

    Parameters
    ----------
    train
        All train recordings end to end, (n_samples, C) or of video
        (n_samples, C, H, W); what is NaN is left out.
    mode
        zscore (mean and standard deviation), robust (median and scaled
        quartile range), or per_recording, per_window and none, which fit nothing.

    Returns
    -------
    Normalization
        A channel that is constant in train is centred and left unscaled.
    """
    n_channels = train.shape[1]
    others = (0, *range(2, train.ndim))  # all pixels of a plane share one normalisation
    if mode == "zscore":
        centre = np.asarray(np.nanmean(train, axis=others, dtype=np.float64))
        scale = np.asarray(np.nanstd(train, axis=others, dtype=np.float64))
    elif mode == "robust":
        quartiles = [0.25, 0.5, 0.75]
        low, centre, high = np.quantile(train.astype(np.float64), quartiles, axis=others)
        scale = (high - low) / NORMAL_QUARTILE_RANGE
    else:
        centre, scale = np.zeros(n_channels), np.ones(n_channels)
    negligible = scale <= NEGLIGIBLE * np.maximum(np.abs(centre), TINY)
    return Normalization(mode, centre, np.where(negligible, 1.0, scale))


def normalize(signal: NDArray[np.float32], normalization: Normalization) -> NDArray[np.float32]:
    """Apply a fitted normalisation to a signal (n_samples, C) or (n_samples, C, H, W)."""
    planes = (-1, *(1 for _ in signal.shape[2:]))
    centre, scale = normalization.centre.reshape(planes), normalization.scale.reshape(planes)
    return ((signal.astype(np.float64) - centre) / scale).astype(np.float32)


def standardize(signal: NDArray[np.float32]) -> NDArray[np.float32]:
    """Centre and scale each channel of one signal (T, C, ...) by its own mean and deviation."""
    return normalize(signal, fit_normalization(signal, "zscore"))
