"""Filters that leave noise white."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.baselines.matched_filter.interpolation import Floats

PRE_ORDER, ORDER = 16, 32  # taps of the two whitening filters
LEAST_ROWS_PER_TAP = 50  # an order that the noise at hand cannot support is lowered
MOST_ROWS = 2**17  # more samples than this make a filter no better
LOADING = 1e-9  # of the power, for a stable solution


@dataclass(frozen=True)
class Whitener:
    """Filters that leave noise white, of variance 1 and independent between channels.

    Parameters
    ----------
    filters
        Causal filter of each channel, (C, P).
    mixing
        What then takes channels apart, (C, C).
    """

    filters: Floats
    mixing: Floats

    def __call__(self, signal: NDArray[Any], *, extend: bool) -> Floats:
        """Whiten a signal (.., C, T) whose past repeats its first sample, or is 0 to both sides.

        Extended, the result has P - 1 samples more, which hold all that the
        filters make of the signal.
        """
        taps = self.filters.shape[1]
        sides = [(0, 0)] * (signal.ndim - 1)
        if extend:
            padded = np.pad(signal, [*sides, (taps - 1, taps - 1)])
        else:
            padded = np.pad(signal, [*sides, (taps - 1, 0)], mode="edge")
        filtered = np.empty((*padded.shape[:-1], padded.shape[-1] - taps + 1))
        for index in np.ndindex(padded.shape[:-1]):
            filtered[index] = np.convolve(padded[index], self.filters[index[-1]], mode="valid")
        return self.mixing @ filtered

    def then(self, other: Whitener) -> Whitener:
        """Return both filters in turn, with the mixing of the second."""
        pairs = zip(self.filters, other.filters, strict=True)
        return Whitener(np.array([np.convolve(a, b) for a, b in pairs]), other.mixing)


def fit_whitener(
    noise: NDArray[Any], inside: NDArray[np.bool_], order: int, least: float, *, mix: bool
) -> Whitener:
    """Fit an autoregression to each channel by least squares.

    Parameters
    ----------
    noise
        (C, T).
    inside
        Samples that belong to a recording, (T,).
    order
        Of the autoregression; lowered where there are few samples.
    least
        Standard deviation of white noise that is always reckoned with.
    mix
        Whether to take channels apart that go together.

    Returns
    -------
    Whitener
        A channel without power is left out: its filter is 0.

    Notes
    -----
    Least squares over rows of whole pasts, not autocorrelations: the ends of a
    block would leak from slow sway, thousands of times as strong as the noise,
    into all frequencies.
    """
    order = min(order, int(inside.sum()) // LEAST_ROWS_PER_TAP)
    run = np.convolve(inside, np.ones(order + 1), mode="valid")  # samples of a row in a recording
    rows = np.flatnonzero(run > order + 0.5)
    if not len(rows):
        order, rows = 0, np.flatnonzero(inside)
    rows = rows[:: len(rows) // MOST_ROWS + 1]
    filters = np.zeros((len(noise), order + 1))
    left = np.zeros((len(noise), len(rows)))
    for c, channel in enumerate(noise):
        past = np.lib.stride_tricks.sliding_window_view(channel, order + 1)[rows]
        past = past[:, ::-1].astype(np.float64)  # the present first
        moments = past.T @ past / max(1, len(rows))
        power = moments[0, 0] + least**2
        if power <= 0:
            continue
        system = moments[1:, 1:] + (LOADING * power + least**2) * np.eye(order)
        taps = np.concatenate([[1.0], -np.linalg.solve(system, moments[1:, 0])])
        filters[c] = taps / np.sqrt(taps @ moments @ taps + least**2)
        left[c] = past @ filters[c]
    return Whitener(filters, _unmixing(left) if mix else np.eye(len(noise)))


def _unmixing(white: Floats) -> Floats:
    """Return what makes the channels of (C, n) independent, (C, C)."""
    covariance = white @ white.T / max(1, white.shape[1])
    values, vectors = np.linalg.eigh(covariance)
    # Two channels that are almost copies must not promise a difference free of noise.
    return (vectors / np.sqrt(np.maximum(values, 1e-3))) @ vectors.T
