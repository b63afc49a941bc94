"""A word of five letters and another one: the smallest exercise in labelling."""

from pathlib import Path

import numpy as np

from seqbench.config.options import Text
from seqbench.config.registry import DATASETS
from seqbench.datasets.base import DataError
from seqbench.storage.recordings import Recordings


@DATASETS.register("hello", task="labelling", sample="series")
def hello(cache: Path, *, word: Text = "hello", answer: Text = "ohlol") -> Recordings:
    """A word, letter by letter, and the target letter of each.

    Parameters
    ----------
    word, answer
        Of the same length; letters are channels, one of which is 1 at a time.

    Raises
    ------
    DataError
        If their lengths differ, or the answer has a single letter.

    Notes
    -----
    The exercise is to learn one word by heart. Train, val and test hold that
    same word: the score shows whether memory works, not how words unseen are predicted.
    """
    del cache  # made, not downloaded
    if len(word) != len(answer) or len(set(answer)) < 2:
        raise DataError(
            f"hello: '{word}' and '{answer}' must be equally long, and the answer must have two"
            " letters or more; change `word` or `answer`"
        )
    letters, classes = sorted(set(word)), sorted(set(answer))
    signal = np.array([[letter == one for one in letters] for letter in word], dtype=np.float32)
    splits = ["train", "val", "test"]
    place = np.tile(np.arange(len(word)), len(splits))
    return Recordings(
        task="labelling",
        sample="series",
        signals=[signal] * len(splits),
        names=splits,
        groups=splits,
        splits=splits,
        channels=letters,
        units=[""] * len(letters),
        classes=classes,
        label_recording=np.repeat(np.arange(len(splits)), len(word)),
        label=np.tile([classes.index(letter) for letter in answer], len(splits)),
        label_start=place,
        label_stop=place + 1,
        source={
            "origin": "written down",
            "licence": "none needed",
            "notes": ["Train, val and test hold the same word: this shows memory, not learning."],
        },
    )
