"""`predictions.h5`: what a model said of every window of val and test.

Kept so that new metrics need no new training. Layout, version 1: a group per
split with ``scores`` (N, K) float64, ``target`` (N,) int64, ``recording`` and
``group`` (N,) text, ``start`` and ``length`` (N,) int64; ``classes`` (K,) text;
attribute ``are_probabilities`` tells probabilities from other scores.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seqbench.storage.hdf5 import FormatError, read_strings, reading, write_strings, writing
from seqbench.storage.windows import Split, WindowSet

KIND, VERSION = "predictions", 1


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """Scores of the windows of one split.

    Parameters
    ----------
    scores
        (N, K), larger is likelier; rows sum to 1 if `are_probabilities`.
    target
        Index of the true class, (N,).
    recording, group
        Names, (N,).
    start, length
        Of each window in its split's signal, in samples, (N,).
    """

    scores: NDArray[np.float64]
    target: NDArray[np.int64]
    recording: list[str]
    group: list[str]
    start: NDArray[np.int64]
    length: NDArray[np.int64]
    classes: list[str]
    are_probabilities: bool

    @classmethod
    def of(
        cls, windows: WindowSet, scores: NDArray[np.float64], *, are_probabilities: bool
    ) -> "Predictions":
        """Join scores (N, K) with the windows they belong to."""
        return cls(
            scores=scores,
            target=windows.label,
            recording=[windows.names[i] for i in windows.recording],
            group=[windows.groups[i] for i in windows.recording],
            start=windows.start,
            length=windows.length,
            classes=windows.classes,
            are_probabilities=are_probabilities,
        )

    @property
    def predicted(self) -> NDArray[np.int64]:
        """Index of the class with the highest score, (N,)."""
        return self.scores.argmax(axis=1)


def write_predictions(path: Path, predictions: dict[Split, Predictions]) -> None:
    """Write the predictions of several splits atomically."""
    first = next(iter(predictions.values()))
    with writing(path, KIND, VERSION) as file:
        file.attrs["are_probabilities"] = first.are_probabilities
        write_strings(file, "classes", first.classes)
        for split, of_split in predictions.items():
            group = file.create_group(split)
            for column in ("scores", "target", "start", "length"):
                group[column] = getattr(of_split, column)
            write_strings(group, "recording", of_split.recording)
            write_strings(group, "group", of_split.group)


def read_predictions(path: Path, split: Split) -> Predictions:
    """Read the predictions of one split."""
    with reading(path, KIND, VERSION) as file:
        if split not in file:
            raise FormatError(f"{path}: no split '{split}' in it")
        group = file[split]
        return Predictions(
            scores=group["scores"][:],
            target=group["target"][:],
            recording=read_strings(group, "recording"),
            group=read_strings(group, "group"),
            start=group["start"][:],
            length=group["length"][:],
            classes=read_strings(file, "classes"),
            are_probabilities=bool(file.attrs["are_probabilities"]),
        )
