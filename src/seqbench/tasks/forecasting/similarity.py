"""Structural similarity of pictures."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Floats = NDArray[np.float64]

# As in the source: a Gaussian window of 11 x 11 pixels, and constants as fractions of the range.
RADIUS, DEVIATION = 5, 1.5
LEAST_SIDE = 2 * RADIUS + 1
OF_MEANS, OF_DEVIATIONS = 0.01, 0.03


def structural_similarity(first: Floats, second: Floats, range_of_values: float) -> Floats:
    """Return how alike pictures are in brightness, contrast and structure, at most 1.

    Parameters
    ----------
    first, second
        Pictures (S, C, H, W), H and W at least 11.
    range_of_values
        Range L that pixels can take, above 0, in their units.

    Returns
    -------
    array
        Of each pair of pictures, (S,): the mean over planes and over all places
        where the whole window lies inside, so that no border is made up.

    References
    ----------
    Wang, Bovik, Sheikh, Simoncelli (2004). Image quality assessment: from error
    visibility to structural similarity. IEEE Transactions on Image Processing
    13(4):600-612, equation 13 and section III-C.
    """
    mean_first, mean_second = _local(first), _local(second)
    variance_first = _local(first**2) - mean_first**2
    variance_second = _local(second**2) - mean_second**2
    covariance = _local(first * second) - mean_first * mean_second
    c1, c2 = ((share * range_of_values) ** 2 for share in (OF_MEANS, OF_DEVIATIONS))
    alike = (2 * mean_first * mean_second + c1) * (2 * covariance + c2)
    most = (mean_first**2 + mean_second**2 + c1) * (variance_first + variance_second + c2)
    similarity: Floats = (alike / most).mean(axis=(1, 2, 3))
    return similarity


def _local(values: Floats) -> Floats:
    """Return means under the window at each place where it fits, (S, C, H - 10, W - 10)."""
    means: Floats = gaussian_filter(values, DEVIATION, radius=RADIUS, axes=(2, 3))
    return means[:, :, RADIUS:-RADIUS, RADIUS:-RADIUS]
