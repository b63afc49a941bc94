"""Pictures with a label each: as frames of a video, or row by row as a series."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.storage.recordings import Recordings


def labelled_pictures(
    pictures: NDArray[np.float32],
    labels: Sequence[str],
    splits: list[str],
    source: dict[str, Any],
) -> Recordings:
    """Make a dataset for classification of grey pictures.

    Parameters
    ----------
    pictures
        (N, H, W) float32.
    labels, splits
        Class and split of each.
    source
        As of `Recordings`.

    Returns
    -------
    Recordings
        A picture is a video of a single frame, (1, 1, H, W).
    """
    return Recordings.one_label_each(
        list(labels),
        list(pictures[:, None, None]),
        sample="video",
        names=[f"{split}{i:05d}" for i, split in enumerate(splits)],
        splits=splits,
        channels=["grey"],
        units=[""],
        source=source,
    )


def as_rows(pictures: Recordings) -> Recordings:
    """Return pictures as series of H samples in W channels, each read from its top down."""
    signals = [signal[:1][0, 0] for signal in pictures.signals]
    height, width = signals[0].shape
    return replace(
        pictures,
        sample="series",
        signals=signals,
        channels=[f"column{i + 1}" for i in range(width)],
        units=[""] * width,
        label_stop=np.full(len(signals), height),
    )
