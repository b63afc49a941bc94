"""Values between samples, and between correlations."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

GRID = 2  # correlations per sample: a wave of three samples must not slip between them
STEPS = 8  # positions that an event may have per sample
BETWEEN = 16  # samples to each side of which a correlation between samples is made
REACH = 6  # correlations to each side that interpolation looks at


def fast_size(size: int) -> int:
    """Return a length of at least `size` that is quick to transform."""
    power = 2 ** int(np.ceil(np.log2(max(size, 2))))
    return power * 3 // 4 if power * 3 // 4 >= size and power >= 4 else power


def shifted(array: NDArray[Any], fraction: float) -> Floats:
    """Return an array (.., n) delayed by a fraction of a sample, as if band-limited."""
    n = array.shape[-1]
    size = fast_size(n + 16)
    delay = np.exp(-2j * np.pi * np.fft.rfftfreq(size) * fraction)
    return np.fft.irfft(np.fft.rfft(array, size) * delay, size)[..., :n]


def _taper(apart: Floats, reach: int) -> Floats:
    """Return the weights of neighbours that many samples apart, near 0 beyond `reach`."""
    inside = np.sqrt(np.maximum(0, 1 - (apart / (reach + 0.5)) ** 2))
    return np.sinc(apart) * np.i0(6 * inside) / np.i0(6)


HALF_WEIGHTS = _taper(np.arange(-BETWEEN, BETWEEN, dtype=np.float64) + 0.5, BETWEEN)
# Of 2 REACH neighbours, at the steps from one correlation to the next.
WEIGHTS = _taper(
    np.arange(STEPS // GRID)[None, :] * GRID / STEPS - np.arange(1 - REACH, REACH + 1)[:, None],
    REACH,
)


def doubled(rows: Floats) -> Floats:
    """Return rows (.., T) with the values between samples, (.., GRID T); 0 lies around them."""
    result = np.empty((*rows.shape[:-1], rows.shape[-1], GRID))
    result[..., 0] = rows
    for index in np.ndindex(rows.shape[:-1]):
        around = np.convolve(rows[index], HALF_WEIGHTS)
        result[(*index, slice(None), 1)] = around[BETWEEN : BETWEEN + rows.shape[-1]]
    return result.reshape(*rows.shape[:-1], -1)


def finer(rows: Floats) -> Floats:
    """Return correlations (.., n + 2 REACH - 1) at every step, (.., n STEPS / GRID).

    The first value is that of the correlation at REACH - 1.
    """
    windows = np.lib.stride_tricks.sliding_window_view(rows, 2 * REACH, axis=-1)
    fine = windows @ WEIGHTS
    return fine.reshape(*rows.shape[:-1], fine.shape[-2] * fine.shape[-1])


def summits(fine: Floats) -> tuple[Floats, Floats]:
    """Return where rows (M, n) are highest, between their steps (M,), and how high (M,)."""
    top = np.clip(fine.argmax(axis=1), 1, fine.shape[1] - 2)
    row = np.arange(len(fine))
    before, middle, after = fine[row, top - 1], fine[row, top], fine[row, top + 1]
    bend, tilt = 2 * middle - before - after, 0.5 * (after - before)
    beside = np.zeros_like(middle)
    np.divide(tilt, bend, out=beside, where=bend > 0)
    beside = np.clip(beside, -1, 1)
    return top + beside, middle + 0.5 * tilt * beside
