"""What the shapes of events allow: signal-to-noise ratio, likeness, and the least error in time.

All take whitened shapes (K, C, L): what an event of each type adds to a signal
whose noise is white, of variance 1 and independent between channels.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MEAN_OF_NORMAL = float(np.sqrt(2 / np.pi))  # mean absolute value of a normal error over its s.d.


def snr_db(shapes: Floats) -> Floats:
    """Return the signal-to-noise ratio of each type in decibels, (K,).

    The energy of the whitened shape, summed over channels and samples, over the
    variance of the noise, as 10 log10: the square of the deflection of a matched filter.
    Minus infinity for a shape that is 0.
    """
    energy = (shapes**2).sum(axis=(1, 2))
    with np.errstate(divide="ignore"):
        return 10 * np.log10(energy)


def timing_bound_samples(shapes: Floats) -> Floats:
    """Return the Cramér-Rao bound of the onset of each type in samples, (K,).

    No unbiased estimate of the onset of a single event has a smaller standard
    deviation. Infinite for a shape that is 0.

    Notes
    -----
    1 / sqrt(sum over channels and samples of the squared derivative of the
    whitened shape), by Parseval over its frequencies: the shape is band-limited and
    may begin between samples. An unknown amplitude does not change the bound, since a
    shape that begins and ends at 0 is orthogonal to its derivative. Neighbours that
    overlap make the least error larger; a method that knows that onsets lie on
    whole samples may err less.

    References
    ----------
    Kay (1993). Fundamentals of statistical signal processing: estimation theory.
    Prentice Hall, section 3.11 (range estimation).
    """
    n_samples = 2 * shapes.shape[2]  # ends do not meet
    spectra = np.fft.rfft(shapes, n_samples)
    radians = 2 * np.pi * np.fft.rfftfreq(n_samples)
    twice = np.where((radians > 0) & (radians < np.pi), 2.0, 1.0)  # of both signs of a frequency
    slope = (twice * radians**2 * np.abs(spectra) ** 2).sum(axis=(1, 2)) / n_samples
    with np.errstate(divide="ignore"):
        return 1 / np.sqrt(slope)


def similarity(shapes: Floats, reach_samples: int) -> Floats:
    """Return the cosine of the shapes of each two types, (K, K); 0 for a shape that is 0.

    The greatest over shifts of up to `reach_samples` to either side: 1 is a
    shape that is the other one within that time, but for its strength; 0 or less one that
    is not mistaken for it.
    """
    norms = np.sqrt((shapes**2).sum(axis=(1, 2)))
    unit = shapes / np.where(norms > 0, norms, 1.0)[:, None, None]
    n_samples = 2 * shapes.shape[2] + reach_samples
    spectra = np.fft.rfft(unit, n_samples)
    products = np.einsum("kcf,jcf->kjf", spectra, spectra.conj())
    lags = np.fft.irfft(products, n_samples)
    near = np.r_[0 : reach_samples + 1, n_samples - reach_samples : n_samples]
    cosines: Floats = lags[..., near].max(axis=-1)
    return cosines
