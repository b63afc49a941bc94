"""Handwritten digits that come with scikit-learn: 1,797 pictures of 8 x 8 pixels.

The test split of the UCI set "Optical recognition of handwritten digits", CC BY
4.0, with 13 writers whose names are lost but not their order.
"""

from importlib.metadata import version
from pathlib import Path

import numpy as np

from seqbench.config.registry import DATASETS
from seqbench.datasets.pictures import as_rows, labelled_pictures
from seqbench.storage.recordings import Recordings

BRIGHTEST = 16.0
TRAIN, VAL = 0.6, 0.2  # of the pictures, in the order of their writers; test is the rest


@DATASETS.register("digits", task="classification", sample="video", imports=("sklearn.datasets",))
def digits(cache: Path) -> Recordings:
    """Handwritten digits, 1,797 pictures of 8 x 8 pixels in ten classes.

    Notes
    -----
    The file is in the order of its writers, about 140 digits each, so it is
    cut and not drawn from: the first 60 % are train, the last 20 % test. A
    drawn test would hold the hands of train, and every model would do better
    at it. A writer at a cut may stand on both of its sides.
    """
    from sklearn.datasets import load_digits

    del cache  # scikit-learn brings the data along
    bundle = load_digits()
    n = len(bundle.target)
    n_train, n_val = round(n * TRAIN), round(n * VAL)
    return labelled_pictures(
        (bundle.images / BRIGHTEST).astype(np.float32),
        [str(digit) for digit in bundle.target],
        ["train"] * n_train + ["val"] * n_val + ["test"] * (n - n_train - n_val),
        source={
            "origin": "scikit-learn, sklearn.datasets.load_digits",
            "version": f"scikit-learn {version('scikit-learn')}",
            "licence": "CC BY 4.0",
            "citation": "Alpaydin, Kaynak (1998). Optical recognition of handwritten digits. UCI.",
            "notes": ["Splits are cut in the order of the writers, not drawn."],
        },
    )


@DATASETS.register(
    "digits_rows", task="classification", sample="series", imports=("sklearn.datasets",)
)
def digits_rows(cache: Path) -> Recordings:
    """Handwritten digits row by row: series of 8 samples in 8 channels; else as `digits`."""
    return as_rows(digits(cache))
