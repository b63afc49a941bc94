"""Metrics of forecasting beside those of regression, in numpy.

Those tagged `of_frames` are of video alone.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from seqbench.config.registry import METRICS
from seqbench.storage.sequences import Sequences

Floats = NDArray[np.float64]
# Of structural similarity, as in its source: a Gaussian window of 11 x 11 pixels, and constants
# as fractions of the range.
RADIUS, DEVIATION = 5, 1.5
LEAST_SIDE = 2 * RADIUS + 1
OF_MEANS, OF_DEVIATIONS = 0.01, 0.03


@METRICS.register("skill", tasks=("forecasting",), better="higher", order=0)
def skill(sequences: Sequences, weights: Floats) -> Floats:
    r"""1 less the squared error over that of persistence: 0 is no better than the last value.

    The mean over the values, or over the planes of frames, each with all its
    pixels; NaN where persistence makes no error.

    Notes
    -----
    With :math:`y^0` the last known value,

    .. math:: \frac{1}{D} \sum_d \left( 1 - \frac{\sum_s (y_{sd} - \hat y_{sd})^2}
       {\sum_s (y_{sd} - y^0_{sd})^2} \right)

    References
    ----------
    Murphy (1988). Skill scores based on the mean square error and their
    relationships to the correlation coefficient. Monthly Weather Review
    116:2417-2424.
    """
    if sequences.reference is None:
        raise ValueError("a skill needs the last value that was known")
    skills = []
    compared = (sequences.prediction, sequences.reference)
    squared = (_of_planes((sequences.target - one) ** 2).T for one in compared)
    for errors in zip(*squared, strict=True):
        error, of_last = (weights @ sequences.summed(one) for one in errors)
        skills.append(np.where(of_last > 0, 1 - error / np.maximum(of_last, 1e-300), np.nan))
    return np.mean(skills, axis=0)


@METRICS.register(
    "frame_squared_error", tasks=("forecasting",), better="lower", of_frames=True, order=3
)
def frame_squared_error(sequences: Sequences, weights: Floats) -> Floats:
    r"""Squared error summed over the pixels of a frame, mean over frames; squared units of data.

    What studies of Moving MNIST call MSE, with pixels from 0 to 1.

    Notes
    -----
    .. math:: \frac{1}{S} \sum_s \sum_{c,h,w} (y_{schw} - \hat y_{schw})^2
    """
    squared = _of_planes((sequences.target - sequences.prediction) ** 2)
    return sequences.mean(squared.sum(axis=1), weights)


@METRICS.register("ssim", tasks=("forecasting",), better="higher", of_frames=True, order=4)
def ssim(sequences: Sequences, weights: Floats) -> Floats:
    r"""Structural similarity of predicted and true frames, mean over frames; 1 if identical.

    See `structural_similarity`. The range of pixels is that of all true frames. NaN where
    that is nothing, or frames are smaller than the window.

    Notes
    -----
    At each place of a window of 11 x 11 pixels with weights of a Gaussian of deviation 1.5, with
    means :math:`\mu`, deviations :math:`\sigma` and the range L,

    .. math:: \frac{(2 \mu_y \mu_{\hat y} + C_1)(2 \sigma_{y \hat y} + C_2)}
       {(\mu_y^2 + \mu_{\hat y}^2 + C_1)(\sigma_y^2 + \sigma_{\hat y}^2 + C_2)},
       \qquad C_1 = (0.01 L)^2, \quad C_2 = (0.03 L)^2
    """
    range_of_values = float(np.ptp(sequences.target))
    if min(sequences.target.shape[2:]) < LEAST_SIDE or not range_of_values:
        return np.full(len(weights), np.nan)
    similarity = structural_similarity(sequences.target, sequences.prediction, range_of_values)
    return sequences.mean(similarity, weights)


def _of_planes(values: Floats) -> Floats:
    """Return the sum over the pixels of each plane of (S, C, H, W), (S, C); (S, D) as it is."""
    return values.reshape(*values.shape[:2], -1).sum(axis=2)


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
