"""Strikes whose shape varies: a second template, pitch and decay of their own, bounces."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqbench.datasets.strike_signals import DECAYS_S, add_strikes, strike_templates

FINER = 8  # values per sample of a template whose pitch changes
BOUNCES_S = (0.012, 0.03)
BOUNCES = (0.3, 0.8)  # of the amplitude of the strike


@dataclass(frozen=True, kw_only=True)
class StrikeVariation:
    """What strikes of each type look like, and how that varies; see `strikes_continuous`.

    Parameters
    ----------
    first, second
        Templates, (K, C, L); None: there are no second ones.
    lead
        Sample of a template at which a channel without delay sets in.
    sampling_rate_hz
        Samples per second.
    second_template
        Fraction of strikes with a second template.
    pitch_jitter, decay_jitter
        Standard deviations of the logarithms of factors.
    bounces
        Fraction of strikes that touch once more.
    """

    first: NDArray[np.float32]
    second: NDArray[np.float32] | None
    lead: int
    sampling_rate_hz: float
    second_template: float
    pitch_jitter: float
    decay_jitter: float
    bounces: float

    @classmethod
    def drawn(
        cls,
        generator: np.random.Generator,
        templates: NDArray[np.float32],
        *,
        lead: int,
        max_skew_s: float,
        sampling_rate_hz: float,
        second_template: float,
        pitch_jitter: float,
        decay_jitter: float,
        bounces: float,
    ) -> StrikeVariation:
        """Draw second templates, as high on every channel as the first, where there are any."""
        second = None
        if second_template:
            n_types, n_channels, _ = templates.shape
            other, _ = strike_templates(
                generator,
                n_types,
                np.ones(n_channels),
                lead=lead,
                max_skew_s=max_skew_s,
                sampling_rate_hz=sampling_rate_hz,
            )
            height, own = (np.abs(one).max(axis=2, keepdims=True) for one in (templates, other))
            second = (other * (height / own)).astype(np.float32)
        return cls(
            first=templates,
            second=second,
            lead=lead,
            sampling_rate_hz=sampling_rate_hz,
            second_template=second_template,
            pitch_jitter=pitch_jitter,
            decay_jitter=decay_jitter,
            bounces=bounces,
        )

    def add(
        self,
        generator: np.random.Generator,
        signal: NDArray[np.float32],
        starts: NDArray[np.int64],
        kinds: NDArray[np.int64],
        amplitudes: NDArray[np.float64],
    ) -> None:
        """Add strikes to a signal (n_samples, C) in place, as `add_strikes` does.

        A bounce that the signal is too short for is left out.
        """
        n_types, _, length = self.first.shape
        templates = self.first
        if self.second is not None:
            templates = np.concatenate([self.first, self.second])
            kinds = kinds + n_types * (generator.random(len(kinds)) < self.second_template)
        if self.bounces:
            low, high = (math.ceil(one * self.sampling_rate_hz) for one in BOUNCES_S)
            bounced = generator.random(len(starts)) < self.bounces
            later = starts + generator.integers(low, high + 1, len(starts))
            weaker = amplitudes * generator.uniform(*BOUNCES, len(starts))
            bounced &= later + length <= len(signal)
            # A clapper that touches again touches the same bell: the shape of its strike.
            add_strikes(signal, templates, later[bounced], kinds[bounced], weaker[bounced])
        if not (self.pitch_jitter or self.decay_jitter):
            add_strikes(signal, templates, starts, kinds, amplitudes)
            return
        pitch = np.exp(self.pitch_jitter * generator.standard_normal(len(starts)))
        decay = np.exp(self.decay_jitter * generator.standard_normal(len(starts)))
        for i, (start, kind) in enumerate(zip(starts, kinds, strict=True)):
            shape = self._warped(templates[kind], pitch[i], decay[i])
            add_strikes(signal, shape[None], start[None], np.zeros(1, np.int64), amplitudes[[i]])

    def _warped(
        self, template: NDArray[np.float32], pitch: float, decay: float
    ) -> NDArray[np.float32]:
        """Return a template (C, L) of a higher pitch and another decay, about its onset."""
        time = np.arange(template.shape[1]) - self.lead
        # Straight lines between samples would take the highest modes away; between these, not.
        n_fine = FINER * 2 * template.shape[1]
        fine = FINER * np.fft.irfft(np.fft.rfft(template, 2 * template.shape[1]), n_fine)
        at = np.arange(n_fine) / FINER - self.lead
        rows = [np.interp(time * pitch, at, row, left=0.0) for row in fine]
        memory = DECAYS_S[1] * self.sampling_rate_hz  # of the slowest mode: none ever grows
        longer = np.exp(np.maximum(time, 0) / memory * (1 - 1 / decay))
        return (np.stack(rows) * longer).astype(np.float32)
