"""`predictions.h5`: predictions of val and test, by window, by sample or in whole recordings.

Kept so that new metrics need no new training. Layout, version 6: a group per
split. Of windows it holds ``scores`` (N, K) float64, ``target`` (N,) int64,
``recording`` and ``group`` (N,) text, ``start`` and ``length`` (N,) int64,
``classes`` (K,) text and the attribute ``are_probabilities``; of whole
recordings see `detections`, of single samples `sequences`. The attribute ``of``
is windows, recordings or samples.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seqbench.errors import FormatError
from seqbench.storage.detections import Detections
from seqbench.storage.hdf5 import reading, writing
from seqbench.storage.mapping import read_record, write_record
from seqbench.storage.sequences import Sequences
from seqbench.storage.windows import Split, WindowSet

KIND, VERSION = "predictions", 6


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

    def __len__(self) -> int:
        return len(self.target)

    @property
    def label(self) -> NDArray[np.int64]:
        """Index of the true class, (N,), as samples of `Sequences` have it."""
        return self.target

    def spread(self, weight: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the weight of each window, (N,)."""
        return weight

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


AnyPredictions = Predictions | Detections | Sequences
OF = {"windows": Predictions, "recordings": Detections, "samples": Sequences}
PATHS = {"decoding": "."}  # beside the other fields of `Detections`


def write_predictions(path: Path, predictions: Mapping[Split, AnyPredictions]) -> None:
    """Write the predictions of several splits atomically."""
    with writing(path, KIND, VERSION) as file:
        for split, of_split in predictions.items():
            group = file.create_group(split)
            group.attrs["of"] = next(of for of, kind in OF.items() if isinstance(of_split, kind))
            write_record(group, of_split, paths=PATHS)


def read_predictions(path: Path, split: Split) -> AnyPredictions:
    """Read the predictions of one split."""
    with reading(path, KIND, VERSION) as file:
        if split not in file:
            raise FormatError(f"{path}: no split '{split}' in it")
        return read_record(file[split], OF[file[split].attrs["of"]], paths=PATHS)
