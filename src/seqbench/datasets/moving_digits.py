"""Handwritten digits that fly through a frame and bounce off its sides: a video to be continued."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seqbench.config.options import Count, NaturalNumber
from seqbench.config.registry import DATASETS
from seqbench.datasets.base import DataError
from seqbench.datasets.digits import digits
from seqbench.datasets.mnist import mnist
from seqbench.storage.recordings import Recordings
from seqbench.storage.windows import SPLITS, Split

SOURCES: dict[str, Callable[[Path], Recordings]] = {"digits": digits, "mnist": mnist}
N_VAL_PICTURES = 10_000  # the last ones of train, where there is no val
STEP = 0.1  # fraction of the way across that a digit flies in a frame


@DATASETS.register(
    "moving_digits", task="forecasting", sample="video", imports=("sklearn.datasets",)
)
def moving_digits(
    cache: Path,
    *,
    of: Literal["digits", "mnist"] = "digits",
    n_train: Count = 2000,
    n_val: Count = 100,
    n_test: Count = 200,
    n_digits: Count = 2,
    frame_size: Count = 24,
    n_frames: Count = 20,
    seed: NaturalNumber = 0,
) -> Recordings:
    """Digits that fly straight and bounce off the sides of the frame, generated.

    Parameters
    ----------
    cache
        Holds the folder `mnist`, or receives it; `digits` needs none.
    of
        Pictures that fly: `digits` of 8 x 8 pixels, or `mnist` of 28 x 28.
    n_train, n_val, n_test
        Sequences of each split; none contains another.
    n_digits
        Digits in a sequence.
    frame_size
        Rows and columns of a frame.
    n_frames
        Frames of a sequence.
    seed
        Seed of what flies where.

    Raises
    ------
    DataError
        If a digit is larger than a frame, or MNIST is absent or damaged.

    Notes
    -----
    With `of: mnist`, `frame_size: 64` this is Moving MNIST: random place,
    random direction, a tenth of the way across the frame in each of its steps,
    whole pixels, the brighter value where digits meet. Departs from the source
    in one point: a digit that hits a side goes back by what it would have gone
    too far, and does not wait there. Val and test have handwriting of their
    own: each split takes its digits from the same split of the pictures, val of
    MNIST, which has none, from the last 10,000 of train.

    References
    ----------
    Srivastava, Mansimov, Salakhutdinov (2015). Unsupervised learning of video
    representations using LSTMs. ICML, section 3.1. arXiv:1502.04681
    """
    pictures = SOURCES[of](cache)
    glyphs = glyphs_by_split(pictures)
    side = glyphs["train"].shape[1]
    if side > frame_size:
        raise DataError(
            f"frame_size: digits of {side} x {side} pixels do not fit into frames of {frame_size};"
            " choose a larger one"
        )
    signals, names, splits = [], [], []
    for number, (split, n) in enumerate(zip(SPLITS, (n_train, n_val, n_test), strict=True)):
        generator = np.random.default_rng([seed, number])
        signals += [
            _sequence(glyphs[split], generator, n_digits, frame_size, n_frames) for _ in range(n)
        ]
        names += [f"{split}{i:05d}" for i in range(n)]
        splits += [split] * n
    return Recordings.without_classes(
        signals,
        task="forecasting",
        sample="video",
        names=names,
        splits=splits,
        channels=["grey"],
        units=[""],
        source={
            "origin": f"generated with seed {seed} from {pictures.source['origin']}",
            "licence": pictures.source["licence"],
            "citation": "Srivastava et al. (2015). Unsupervised learning of video representations"
            " using LSTMs. ICML. arXiv:1502.04681",
            **{key: value for key, value in pictures.source.items() if key == "files"},
        },
    )


def glyphs_by_split(pictures: Recordings) -> dict[Split, NDArray[np.float32]]:
    """Return the pictures of train, val and test, (N, H, W) each; none is in two of them."""
    of_picture = np.array(pictures.splits)
    images = np.stack([signal[:1][0, 0] for signal in pictures.signals])
    found = {split: images[of_picture == split] for split in SPLITS}
    if "val" not in pictures.splits:
        n_val = min(N_VAL_PICTURES, len(found["train"]) // 2)
        found["train"], found["val"] = found["train"][:-n_val], found["train"][-n_val:]
    return found


def _sequence(
    glyphs: NDArray[np.float32],
    generator: np.random.Generator,
    n_digits: int,
    frame_size: int,
    n_frames: int,
) -> NDArray[np.float32]:
    """Return one sequence, (n_frames, 1, frame_size, frame_size)."""
    frames = np.zeros((n_frames, 1, frame_size, frame_size), dtype=np.float32)
    side = glyphs.shape[1]
    for _ in range(n_digits):
        glyph = glyphs[generator.integers(len(glyphs))]
        room = frame_size - side
        direction = generator.uniform(0, 2 * np.pi)
        velocity = STEP * room * np.array([np.sin(direction), np.cos(direction)])
        start = generator.uniform(0, room, 2)
        corners = bounced(start + velocity * np.arange(n_frames)[:, None], room)
        for frame, (row, column) in zip(frames[:, 0], corners.round().astype(int), strict=True):
            place = frame[row : row + side, column : column + side]
            np.maximum(place, glyph, out=place)
    return frames


def bounced(positions: NDArray[np.float64], room: float) -> NDArray[np.float64]:
    """Return positions on a line without end folded into [0, room], as mirrors at both ends do."""
    if room == 0:
        return np.zeros_like(positions)
    folded: NDArray[np.float64] = room - np.abs(room - positions % (2 * room))
    return folded
