"""What strikes look like, and what they are heard through: templates, sway, noise."""

import math

import numpy as np
from numpy.typing import NDArray

RINGING_S, FADING_S = 0.04, 0.01  # a strike is heard, and fades to nothing at its end
N_MODES = 3
MODES_HZ = (100.0, 800.0)
DECAYS_S = (0.004, 0.012)
QUIETEST = 0.3  # of a type's channels, relative to its loudest
NOISE_MEMORY_S = 0.001  # the noise falls by 6 dB an octave above 1 / (2 pi 0.001 s) = 159 Hz
N_SWAYS = 8
SWAYS_HZ = (0.05, 1.95)


def strike_templates(
    generator: np.random.Generator,
    n_types: int,
    gains: NDArray[np.float64],
    *,
    lead: int,
    max_skew_s: float,
    sampling_rate_hz: float,
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Draw what a strike of each type adds to each channel.

    Parameters
    ----------
    generator
        Source of all randomness.
    n_types
        Number of types K.
    gains
        Height of the highest peak of a type on its loudest channel, should
        that be the channel; (C,).
    lead
        Sample of the template at which a channel without delay sets in; at
        least `max_skew_s`.
    max_skew_s
        Largest delay or advance of a channel.
    sampling_rate_hz
        Samples per second.

    Returns
    -------
    tuple
        Templates (K, C, L) float32, and the delays of their channels in
        seconds (K, C), within `max_skew_s` on either side.
    """
    shape = (n_types, len(gains))
    n_samples = 2 * lead + math.ceil(RINGING_S * sampling_rate_hz)
    delays_s = generator.uniform(-max_skew_s, max_skew_s, shape)
    frequency_hz = generator.uniform(*MODES_HZ, (n_types, 1, N_MODES, 1))
    decay_s = generator.uniform(*DECAYS_S, (n_types, 1, N_MODES, 1))
    weight = generator.uniform(QUIETEST, 1, (*shape, N_MODES, 1))
    phase = generator.uniform(0, 2 * np.pi, (*shape, N_MODES, 1))
    loudness = generator.uniform(QUIETEST, 1, shape)
    loudness /= loudness.max(axis=1, keepdims=True)

    since_s = (np.arange(n_samples) - lead) / sampling_rate_hz - delays_s[..., None]  # (K, C, L)
    elapsed_s = np.maximum(since_s, 0)[:, :, None, :]
    modes = weight * np.exp(-elapsed_s / decay_s)
    modes *= np.sin(2 * np.pi * frequency_hz * elapsed_s + phase)
    fade = np.clip((RINGING_S - since_s) / FADING_S, 0, 1)
    ringing = modes.sum(axis=2) * np.sin(np.pi / 2 * fade) ** 2 * (since_s >= 0)
    ringing /= np.abs(ringing).max(axis=2, keepdims=True)
    return (ringing * (loudness * gains)[..., None]).astype(np.float32), delays_s


def add_strikes(
    signal: NDArray[np.float32],
    templates: NDArray[np.float32],
    starts: NDArray[np.int64],
    kinds: NDArray[np.int64],
    amplitudes: NDArray[np.float64] | None = None,
) -> None:
    """Add templates to a signal in place.

    Parameters
    ----------
    signal
        (n_samples, C), long enough for all templates.
    templates
        What each type adds, (K, C, L).
    starts, kinds
        First sample and index of the type of each strike, (E,).
    amplitudes
        Factor of each strike, (E,); None: all 1.
    """
    shapes = templates.transpose(0, 2, 1)
    if amplitudes is None:
        amplitudes = np.ones(len(starts))
    for start, kind, amplitude in zip(starts, kinds, amplitudes.astype(np.float32), strict=True):
        signal[start : start + shapes.shape[1]] += amplitude * shapes[kind]


def sway(
    generator: np.random.Generator, n_samples: int, sampling_rate_hz: float
) -> NDArray[np.float64]:
    """Return a sum of sines below 2 Hz, (n_samples,), of root mean square 1 over a long time."""
    time_s = np.arange(n_samples) / sampling_rate_hz
    total = np.zeros(n_samples)
    for _ in range(N_SWAYS):
        frequency_hz, phase = generator.uniform(*SWAYS_HZ), generator.uniform(0, 2 * np.pi)
        total += np.sin(2 * np.pi * frequency_hz * time_s + phase)
    return total * math.sqrt(2 / N_SWAYS)


def coloured_noise(
    generator: np.random.Generator, n_samples: int, sampling_rate_hz: float
) -> NDArray[np.float64]:
    """Return Gaussian noise of variance 1, (n_samples,), a first-order autoregression."""
    lag_one = noise_lag_one(sampling_rate_hz)
    # The sum over k < 2**n of lag_one**k times a shift by k is a product of n factors.
    n_factors = math.ceil(math.log2(20 * NOISE_MEMORY_S * sampling_rate_hz))  # rest: exp(-20)
    noise = generator.standard_normal(2**n_factors + n_samples)
    for factor in range(n_factors):
        shift = 2**factor
        noise[shift:] += lag_one**shift * noise[:-shift]
    return noise[2**n_factors :] * math.sqrt(1 - lag_one**2)


def noise_lag_one(sampling_rate_hz: float) -> float:
    """Return the correlation of neighbouring samples of the noise."""
    return math.exp(-1 / (NOISE_MEMORY_S * sampling_rate_hz))
