"""Centre and scale of each channel, from train alone, in one pass over it."""

import math

import numpy as np
from numpy.typing import NDArray

from seqbench.storage.lazy_array import AnyArray, block_rows, blocks, changed
from seqbench.storage.normalization import Normalization

Values = NDArray[np.float64]

# The quartiles of a normal distribution lie this many standard deviations apart.
NORMAL_QUARTILE_RANGE = 1.3489795
# A channel that varies by less than this fraction of its mean only holds rounding.
NEGLIGIBLE, TINY = 1e-9, 1e-30
# Statistics of more than this are merged from those of blocks. The last digits depend on it, so it
# depends on no machine.
WHOLE_BYTES = 1 << 27
N_HALF = 1 << 16  # values of one half of the bits of a float32
SIGN = np.uint32(1 << 31)


def fit_normalization(train: AnyArray, mode: str) -> Normalization:
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
    if mode == "zscore":
        centre, scale = _mean_and_deviation(train)
    elif mode == "robust":
        low, centre, high = _quartiles(train)
        scale = (high - low) / NORMAL_QUARTILE_RANGE
    else:
        centre, scale = np.zeros(n_channels), np.ones(n_channels)
    negligible = scale <= NEGLIGIBLE * np.maximum(np.abs(centre), TINY)
    return Normalization(mode, centre, np.where(negligible, 1.0, scale))


def _mean_and_deviation(rows: AnyArray) -> tuple[Values, Values]:
    """Return mean and standard deviation of each channel, (C,), of a large signal in one pass.

    References
    ----------
    Chan, Golub, LeVeque (1983). Algorithms for computing the sample variance. The American
    Statistician 37(3), 242-247, equation 2.1.
    """
    others = (0, *range(2, rows.ndim))  # all pixels of a plane share one normalisation
    if is_small(rows):
        array = rows[:]
        mean = np.asarray(np.nanmean(array, axis=others, dtype=np.float64))
        return mean, np.asarray(np.nanstd(array, axis=others, dtype=np.float64))
    n, mean, squares = np.zeros((3, rows.shape[1]))
    for block in blocks(rows):
        values = block.astype(np.float64)
        is_known = np.isfinite(values)
        n_block = is_known.sum(axis=others)
        mean_block = values.sum(axis=others, where=is_known) / np.maximum(n_block, 1)
        values -= mean_block.reshape(planes(block))
        squares_block = np.square(values, out=values).sum(axis=others, where=is_known)
        n_before, n = n, n + n_block
        difference = mean_block - mean
        mean = mean + difference * n_block / np.maximum(n, 1)
        squares += squares_block + difference**2 * n_before * n_block / np.maximum(n, 1)
    known = np.where(n > 0, n, np.nan)
    return mean * known / known, np.sqrt(squares / known)


def _quartiles(rows: AnyArray) -> list[Values]:
    """Return the quartiles of each channel, (C,) each, of a large signal by counting in two passes.

    The bits of a float32 sort as a whole number does. The first pass counts the upper halves of
    all values, the second the lower halves of values whose upper half is that of a quartile.
    """
    shares = [0.25, 0.5, 0.75]
    if is_small(rows):
        others = (0, *range(2, rows.ndim))
        return list(np.quantile(rows[:].astype(np.float64), shares, axis=others))
    place = np.array(shares) * (len(rows) * math.prod(rows.shape[2:]) - 1)
    ranks = np.concatenate([np.floor(place), np.ceil(place)])
    upper = np.zeros((rows.shape[1], N_HALF), dtype=np.int64)
    for block in blocks(rows):
        for counts, bits in zip(upper, _sorted_bits(block), strict=True):
            counts += np.bincount(bits >> 16, minlength=N_HALF)
    up_to = upper.cumsum(axis=1)
    halves = [np.searchsorted(one, ranks, side="right") for one in up_to]  # (6,) of each channel
    lower = {
        (channel, half): np.zeros(N_HALF, dtype=np.int64)
        for channel, of_one in enumerate(halves)
        for half in of_one.tolist()
    }
    for block in blocks(rows):
        of_block = _sorted_bits(block)
        for (channel, half), counts in lower.items():
            bits = of_block[channel]
            counts += np.bincount(bits[bits >> 16 == half] & (N_HALF - 1), minlength=N_HALF)
    beside = np.empty((len(ranks), rows.shape[1]))  # the values whose places are ranks
    for (channel, half), counts in lower.items():
        own = np.flatnonzero(halves[channel] == half)
        n_below = up_to[channel, half] - upper[channel, half]
        bits = np.searchsorted(counts.cumsum(), ranks[own] - n_below, side="right")
        beside[own, channel] = _values(half * N_HALF + bits)
    fractions = place - np.floor(place)
    return [np.quantile(beside[i :: len(shares)], f, axis=0) for i, f in enumerate(fractions)]


def _sorted_bits(block: NDArray[np.float32]) -> NDArray[np.uint32]:
    """Return whole numbers that sort as the values of each channel do, (C, n)."""
    values = np.moveaxis(block, 1, 0).reshape(block.shape[1], -1)
    bits = np.ascontiguousarray(values).view(np.uint32)
    return np.where(bits >> 31, ~bits, bits | SIGN)


def _values(bits: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the values that sort as whole numbers, (n,)."""
    sorted_bits = bits.astype(np.uint32)
    return np.where(sorted_bits >> 31, sorted_bits ^ SIGN, ~sorted_bits).view(np.float32)


def is_small(rows: AnyArray) -> bool:
    """Return whether statistics are those of the whole array at once."""
    return len(rows) <= block_rows(rows, WHOLE_BYTES)


def planes(rows: AnyArray) -> tuple[int, ...]:
    """Return the shape in which values of channels (C,) apply to rows."""
    return (-1, *(1 for _ in rows.shape[2:]))


def normalize(signal: NDArray[np.float32], normalization: Normalization) -> NDArray[np.float32]:
    """Apply a fitted normalisation to a signal (n_samples, C) or (n_samples, C, H, W)."""
    centre, scale = (
        values.reshape(planes(signal)) for values in (normalization.centre, normalization.scale)
    )
    return ((signal.astype(np.float64) - centre) / scale).astype(np.float32)


def normalized(signal: AnyArray, normalization: Normalization) -> AnyArray:
    """Return a signal (n_samples, C, ...) normalised; a lazy one when it is read."""
    return changed(signal, lambda rows, _: normalize(rows, normalization))


def standardize(signal: NDArray[np.float32]) -> NDArray[np.float32]:
    """Centre and scale each channel of one signal (T, C, ...) by its own mean and deviation."""
    return normalize(signal, fit_normalization(signal, "zscore"))
