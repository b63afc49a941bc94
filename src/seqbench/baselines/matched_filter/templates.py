"""Templates learned from labelled events, and what they leave of the signal."""

import numpy as np
from numpy.typing import NDArray

from seqbench.baselines.matched_filter.detector import FittedEvent
from seqbench.baselines.matched_filter.interpolation import (
    STEPS,
    Floats,
    Integers,
    fast_size,
    shifted,
)

SIDE = 8  # samples over which something moved between samples spreads
RIDGE = 0.1  # of an event, in learning templates
NOISE_TAPS, NOISE_FACTOR = 16, 1.5  # of a template judged together, and what noise must not reach
MOST_TURNS, PRECISION = 200, 1e-8  # of the conjugate gradients


def learned_templates(
    signal: NDArray[np.float32], events: list[FittedEvent], n_types: int, length: int
) -> Floats:
    """Return the templates whose sum explains a signal best.

    Parameters
    ----------
    signal
        (C, T), of about white noise.
    events
        All that is in it.
    n_types, length
        K and L of the result.

    Returns
    -------
    Floats
        (K, C, L); 0 for a type without events.

    Notes
    -----
    Least squares with a ridge of `RIDGE` events. The normal equations hold, for
    each two types, how often their events are m samples apart: a block-Toeplitz
    matrix, which is never made, but applied by transforms in conjugate gradients.
    """
    types = np.array([event.type for event in events], dtype=np.int64)
    starts = np.array([event.at // STEPS for event in events], dtype=np.int64)
    wide = np.zeros((n_types, STEPS, len(signal), length + 2 * SIDE))
    for event in events:
        start, step = divmod(event.at, STEPS)
        wide[event.type, step] += signal[:, start - SIDE : start + length + SIDE]
    sums = np.zeros((n_types, len(signal), length))
    for step in range(STEPS):
        sums += shifted(wide[:, step], -step / STEPS)[..., SIDE:-SIDE]
    size = fast_size(3 * length)
    coincidences = np.zeros((n_types, n_types, size))  # at m, those m samples later; -m at the end
    order = np.argsort(starts, kind="stable")
    types, starts = types[order], starts[order]
    np.add.at(coincidences, (types, types, np.zeros_like(types)), 1)
    for ahead in range(1, len(starts)):
        lag = starts[ahead:] - starts[:-ahead]
        near = lag < length
        if not near.any():
            break
        first, second, lag = types[:-ahead][near], types[ahead:][near], lag[near]
        np.add.at(coincidences, (first, second, lag), 1)
        np.add.at(coincidences, (second, first, -lag), 1)
    spectra = np.fft.rfft(coincidences).transpose(2, 0, 1)  # (F, K, K)
    weight = 1 / (np.bincount(types, minlength=n_types) + RIDGE)[:, None, None]

    def applied(templates: Floats) -> Floats:
        transformed = np.fft.rfft(templates, size).transpose(2, 0, 1)
        together = np.fft.irfft((spectra @ transformed).transpose(1, 2, 0), size)
        return together[..., :length] + RIDGE * templates

    found = weight * sums
    left = sums - applied(found)
    ahead_of = direction = weight * left
    slope = float((left * ahead_of).sum())
    enough = PRECISION**2 * float((weight * sums**2).sum())
    for _ in range(MOST_TURNS):
        if slope <= enough:
            break
        image = applied(direction)
        stride = slope / float((direction * image).sum())
        found = found + stride * direction
        left = left - stride * image
        ahead_of = weight * left
        before, slope = slope, float((left * ahead_of).sum())
        direction = ahead_of + slope / before * direction
    return found


def without_noise(mean: Floats, n_events: int | Integers) -> Floats:
    """Shrink blocks of taps of a mean event (.., L) by the noise of `n_events` in them."""
    n_taps = mean.shape[-1]
    blocks = np.arange(0, n_taps, NOISE_TAPS)
    power = np.add.reduceat(mean**2, blocks, axis=-1)
    size = np.diff([*blocks, n_taps])
    noise = NOISE_FACTOR * size / np.maximum(n_events, 1)
    factor = np.maximum(0, 1 - noise / np.maximum(power, noise))
    return mean * np.repeat(factor, size, axis=-1)


def residual(
    signal: NDArray[np.float32], templates: Floats, events: list[FittedEvent]
) -> NDArray[np.float32]:
    """Return what events leave of a signal, (C, T)."""
    # More samples to each side take what is moved between samples.
    wide = np.pad(templates, [(0, 0), (0, 0), (SIDE, SIDE)])
    bank = np.stack([shifted(wide, step / STEPS) for step in range(STEPS)], axis=1)
    left = signal.copy()
    for event in events:
        start, step = divmod(event.at, STEPS)
        around = slice(start - SIDE, start - SIDE + bank.shape[3])
        left[:, around] -= event.amplitude * bank[event.type, step]
    return left
