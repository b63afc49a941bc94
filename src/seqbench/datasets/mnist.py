"""MNIST: handwritten digits of 28 x 28 pixels, 60,000 to train and 10,000 to test.

Files of http://yann.lecun.com/exdb/mnist as torchvision mirrors them; their
author offers them under CC BY-SA 3.0. No writer of train is one of
test.
"""

import gzip
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seqbench.config.registry import DATASETS
from seqbench.datasets.base import explained, fault
from seqbench.datasets.download import HINT, checksums, listed_folder
from seqbench.datasets.pictures import as_rows, labelled_pictures
from seqbench.storage.recordings import Recordings

URL = "https://ossci-datasets.s3.amazonaws.com/mnist"
SUMS = {
    f"{name}-ubyte.gz": digest
    for name, digest in {
        "train-images-idx3": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "train-labels-idx1": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "t10k-images-idx3": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "t10k-labels-idx1": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    }.items()
}
BRIGHTEST = np.float32(255)
UNSIGNED_BYTES = b"\x00\x00\x08"  # how files of such values begin


@DATASETS.register("mnist", task="classification", sample="video")
def mnist(cache: Path) -> Recordings:
    """Handwritten digits, 70,000 pictures of 28 x 28 pixels in ten classes.

    Parameters
    ----------
    cache
        Holds the folder `mnist`, or receives it.

    Raises
    ------
    DataError
        If a file is absent or damaged, or its download fails.
    """
    folder = listed_folder(cache / "mnist", {URL: SUMS})
    files = checksums(folder, SUMS, URL)
    paths = [folder / name for name in SUMS]
    train, train_labels, test, test_labels = (read_idx(path) for path in paths)
    for pictures, digits, path in ((train, train_labels, paths[0]), (test, test_labels, paths[2])):
        if pictures.ndim != 3 or digits.shape != pictures.shape[:1]:
            raise fault(path, "its pictures are not as many as their labels", HINT)
    return labelled_pictures(
        np.concatenate([train, test]).astype(np.float32) / BRIGHTEST,
        [str(digit) for digit in (*train_labels, *test_labels)],
        ["train"] * len(train) + ["test"] * len(test),
        source={
            "origin": URL,
            "licence": "CC BY-SA 3.0",
            "citation": "LeCun, Cortes, Burges (1998). The MNIST database of handwritten digits.",
            "files": files,
        },
    )


@DATASETS.register("mnist_rows", task="classification", sample="series")
def mnist_rows(cache: Path) -> Recordings:
    """Handwritten digits row by row: series of 28 samples in 28 channels; else as `mnist`.

    Parameters
    ----------
    cache
        Holds the folder `mnist`, or receives it.

    Raises
    ------
    DataError
        If a file is absent or damaged, or its download fails.
    """
    return as_rows(mnist(cache))


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Return the array of a gzipped idx file of unsigned bytes.

    The format: two zero bytes, the type of the values, the number of
    dimensions, each dimension in four bytes with the highest first, the values.

    Raises
    ------
    DataError
        If the file is damaged or of another type.
    """
    with explained(path, HINT):
        content = gzip.decompress(path.read_bytes())
        sizes = np.frombuffer(content, dtype=">u4", offset=4, count=content[3])
        is_known = content[:3] == UNSIGNED_BYTES
        values = np.frombuffer(content, dtype=np.uint8, offset=4 + sizes.nbytes)
    if not is_known or len(values) != math.prod(sizes.tolist()):
        raise fault(path, "it is no idx file of unsigned bytes", HINT)
    return values.reshape(sizes)
