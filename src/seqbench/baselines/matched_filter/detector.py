"""Whitened templates in noise: correlations, and the log-odds of events at them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqbench.baselines.matched_filter.interpolation import (
    BETWEEN,
    GRID,
    STEPS,
    Floats,
    Integers,
    doubled,
    fast_size,
)
from seqbench.baselines.matched_filter.whitening import Whitener

RIVALS = 16  # correlations to each side where another swing of the same wave may be higher
PLAUSIBLE = 4.0  # standard deviations by which an amplitude may fall short of its mean
SURELY_LOW, SURELY_HIGH = 0.1, 0.25  # of the mean amplitude: never an event, always plausible
ARRAYS = (
    "templates",
    "parent",
    "bias",
    "rate",
    "amplitude",
    "spread",
)  # of a detector, as a file has them
NUMBERS: dict[str, Any] = {"onset": float, "apart": int, "between": bool}
HALF_WAY = 10.0  # log-odds at which a score has come half the way from 0.5 to 1


class FittedEvent(NamedTuple):
    """One event, as it is subtracted.

    Parameters
    ----------
    type
        Index of its template: of the class, or of a shape of the class.
    at
        Start of its template, in steps of which a sample has `STEPS`.
    amplitude
        Factor of the template.
    """

    type: int
    at: int
    amplitude: float


@dataclass(frozen=True, kw_only=True)
class TemplateDetector:
    """Templates and all else that finding them takes.

    Parameters
    ----------
    whitener
        Made for the noise.
    templates
        Whitened, (K, C, L); all shapes of all types.
    parent
        Index of the class of each template, (K,).
    onset
        Sample of a template at which its event starts, a fraction allowed.
    bias
        By how many samples events of each template are found late, (K,).
    rate
        Events of each template per sample, (K,); 0 for one that never occurs.
    amplitude, spread
        Mean and standard deviation of the factor of each template, (K,).
    apart
        Samples within which a type has one peak.
    between
        Whether events may lie between samples.
    """

    whitener: Whitener
    templates: Floats
    parent: Integers
    onset: float
    bias: Floats
    rate: Floats
    amplitude: Floats
    spread: Floats
    apart: int
    between: bool

    @classmethod
    def of(cls, arrays: dict[str, NDArray[Any]]) -> TemplateDetector:
        """Read what `arrays` returned; without `parent`, each class has one template."""
        arrays = {"parent": np.arange(len(arrays["templates"])), **arrays}
        values: dict[str, Any] = {name: arrays[name] for name in ARRAYS}
        values |= {name: kind(arrays[name][0]) for name, kind in NUMBERS.items()}
        return cls(whitener=Whitener(arrays["filters"], arrays["mixing"]), **values)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all that detection needs, as arrays."""
        numbers = {name: np.array([getattr(self, name)]) for name in NUMBERS}
        numbers["between"] = numbers["between"].astype(np.int64)
        arrays = {name: getattr(self, name) for name in ARRAYS}
        return vars(self.whitener) | arrays | numbers

    @property
    def length(self) -> int:
        """Samples of a whitened template."""
        return self.templates.shape[2]

    @property
    def gap(self) -> int:
        """Samples between pieces that keep them from touching one another."""
        return 2 * self.length + 4 * RIVALS

    @cached_property
    def shapes(self) -> list[Integers]:
        """The templates of the class that each template belongs to, itself among them."""
        return [np.flatnonzero(self.parent == kind) for kind in self.parent]

    @cached_property
    def norms(self) -> Floats:
        """Length of each template as a vector, (K,); infinite where there is no template."""
        norms = np.sqrt((self.templates**2).sum(axis=(1, 2)))
        return np.where(norms > 0, norms, np.inf)

    @cached_property
    def traces(self) -> Floats:
        """What a template leaves in all correlations, (K, STEPS, K, 2 H + 1).

        Entry (k, p, j, h): the correlation of type j, h - H correlations after
        a sample, of an event of type k and amplitude 1 that starts p steps
        after that sample.
        """
        n_types, _, length = self.templates.shape
        half = length + BETWEEN
        size = fast_size(2 * half + length)
        spectra = np.fft.rfft(self.templates, size)
        products = np.einsum("kcf,jcf->kjf", spectra, spectra.conj()) / self.norms[:, None]
        turn = -2j * np.pi * np.fft.rfftfreq(size) / STEPS
        traces = np.empty((n_types, STEPS, n_types, GRID * 2 * half))
        for p in range(STEPS):
            lags = np.fft.irfft(products * np.exp(turn * p), size)
            traces[:, p] = doubled(np.roll(lags, half, axis=-1)[..., : 2 * half])
        return traces[..., 1:]

    @cached_property
    def evidence(self) -> Floats:
        """Coefficients (3, K) of the log-odds as a square polynomial in the correlation.

        With amplitudes normal around their mean and events at random, these
        are the log-odds of one more event against none at a sample.
        """
        power = np.where(np.isfinite(self.norms), self.norms, 0.0) ** 2
        weight = 1 / np.maximum(self.spread, 1e-12) ** 2
        total = power + weight
        with np.errstate(divide="ignore"):
            prior = np.log(self.rate)
        constant = (
            -0.5 * self.amplitude**2 * weight * power / total
            - 0.5 * np.log1p(power / weight)
            + prior
        )
        square, linear = 0.5 * power / total, np.sqrt(power) * self.amplitude * weight / total
        return np.stack([square, linear, np.where(power > 0, constant, -np.inf)])

    @cached_property
    def lowest(self) -> Floats:
        """Return the correlation below which no event of each type is believed, (K,).

        Templates never fit perfectly. What a loud event leaves of itself is no
        noise, and would else pass for another event of absurd amplitude.
        """
        norms = np.where(np.isfinite(self.norms), self.norms, 0.0)
        deviation = np.hypot(self.spread, 1 / self.norms)
        least = self.amplitude - PLAUSIBLE * deviation
        bounds = SURELY_LOW * self.amplitude, SURELY_HIGH * self.amplitude
        return norms * np.clip(least, *bounds)

    def log_odds(self, correlation: Floats, kind: NDArray[np.int64] | slice) -> Floats:
        """Return the log-odds of events of types (n,) at correlations (n, ..) along them."""
        square, linear, constant, lowest = (
            row[kind].reshape(-1, *[1] * (correlation.ndim - 1))
            for row in (*self.evidence, self.lowest)
        )
        odds = (square * correlation + linear) * correlation + constant
        odds[correlation < lowest] = -np.inf
        return odds

    def likely_amplitude(self, correlation: float, kind: int) -> float:
        """Return the likeliest factor of a template, given its correlation and the prior."""
        norm = self.norms[kind]
        if np.isinf(norm):
            return float(self.amplitude[kind])
        weight = 1 / max(self.spread[kind], 1e-12) ** 2
        return float((norm * correlation + self.amplitude[kind] * weight) / (norm**2 + weight))

    def correlations(self, signal: NDArray[Any]) -> Floats:
        """Return a whitened signal (C, T) along all templates, (K, GRID T).

        Entry (k, GRID t) holds the samples from t on along template k, in
        standard deviations of noise; those between samples are interpolated.
        """
        n_samples = signal.shape[1]
        size = fast_size(8 * self.length)
        step = size - self.length + 1
        n_frames = -(-n_samples // step)
        padded = np.pad(
            signal.astype(np.float64), [(0, 0), (0, n_frames * step + size - n_samples)]
        )
        frames = np.lib.stride_tricks.sliding_window_view(padded, size, axis=1)
        frames = frames[:, : n_frames * step : step]
        filters = np.fft.rfft(self.templates / self.norms[:, None, None], size).conj()
        spectra = np.fft.rfft(frames)
        found = np.empty((len(filters), n_frames, step))
        for row, by_channel in zip(found, filters, strict=True):
            product = sum(one * frame for one, frame in zip(by_channel, spectra, strict=True))
            row[:] = np.fft.irfft(product, size)[:, :step]
        return doubled(found.reshape(len(filters), -1)[:, :n_samples])


def commonest_shapes(arrays: dict[str, NDArray[Any]], n_types: int) -> Integers:
    """Return the template of each class that most of its events have, (n_types,)."""
    if "parent" not in arrays:
        return np.arange(n_types)
    parent = arrays["parent"]
    order = np.lexsort((-arrays["rate"], parent))
    return order[np.searchsorted(parent[order], np.arange(n_types))]


def scores(log_odds: Floats) -> Floats:
    """Return log-odds as scores in (0, 1), without ever rounding large ones to 1."""
    return 0.5 + 0.5 * log_odds / (np.abs(log_odds) + HALF_WAY)
