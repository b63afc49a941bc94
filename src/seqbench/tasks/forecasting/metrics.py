"""Metrics of forecasting beside those of regression, in numpy.

Those tagged `of_frames` are of video alone.
"""

import numpy as np
from numpy.typing import NDArray

from seqbench.config.registry import METRICS
from seqbench.storage.sequences import Sequences
from seqbench.tasks.forecasting.similarity import LEAST_SIDE, structural_similarity

Floats = NDArray[np.float64]


@METRICS.register("skill", tasks=("forecasting",), better="higher", probabilities=False, order=0)
def skill(sequences: Sequences, weights: Floats) -> Floats:
    """1 less the squared error over that of persistence: 0 is no better than the last value.

    The mean over the values, or over the planes of frames, each with all its
    pixels; NaN where persistence makes no error.

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
    "frame_squared_error",
    tasks=("forecasting",),
    better="lower",
    probabilities=False,
    of_frames=True,
    order=3,
)
def frame_squared_error(sequences: Sequences, weights: Floats) -> Floats:
    """Squared error summed over all pixels of a frame, mean over frames; squared units of the data.

    What studies of Moving MNIST call MSE, with pixels from 0 to 1.
    """
    squared = _of_planes((sequences.target - sequences.prediction) ** 2)
    return sequences.mean(squared.sum(axis=1), weights)


@METRICS.register(
    "ssim",
    tasks=("forecasting",),
    better="higher",
    probabilities=False,
    of_frames=True,
    order=4,
)
def ssim(sequences: Sequences, weights: Floats) -> Floats:
    """Structural similarity of predicted and true frames, mean over frames; 1 if identical.

    See `similarity`. The range of pixels is that of all true frames. NaN where
    that is nothing, or frames are smaller than the window.
    """
    range_of_values = float(np.ptp(sequences.target))
    if min(sequences.target.shape[2:]) < LEAST_SIDE or not range_of_values:
        return np.full(len(weights), np.nan)
    similarity = structural_similarity(sequences.target, sequences.prediction, range_of_values)
    return sequences.mean(similarity, weights)


def _of_planes(values: Floats) -> Floats:
    """Return the sum over the pixels of each plane of (S, C, H, W), (S, C); (S, D) as it is."""
    return values.reshape(*values.shape[:2], -1).sum(axis=2)
