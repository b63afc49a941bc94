"""Pictures with a label each: as frames of a video, or row by row as a series."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.storage.recordings import Recordings


def labelled_pictures(
    pictures: NDArray[np.float32],
    labels: Sequence[str],
    splits: list[str],
    *,
    as_rows: bool,
    source: dict[str, Any],
) -> Recordings:
    """Make a dataset for classification of grey pictures.

    Parameters
    ----------
    pictures
        (N, H, W) float32.
    labels, splits
        Class and split of each.
    as_rows
        A picture is a series of H samples in W channels, read from its top to
        its bottom; else a video of a single frame, (1, 1, H, W).
    source
        As of `Recordings`.
    """
    n_columns = pictures.shape[2]
    channels = [f"column{i + 1}" for i in range(n_columns)] if as_rows else ["grey"]
    names = [f"{split}{i:05d}" for i, split in enumerate(splits)]
    return Recordings.one_label_each(
        list(labels),
        list(pictures if as_rows else pictures[:, None, None]),
        task="classification",
        sample="series" if as_rows else "video",
        names=names,
        groups=names,
        splits=splits,
        channels=channels,
        units=[""] * len(channels),
        source=source,
    )
