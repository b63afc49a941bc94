"""Confusion matrices of models, summed over their runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seqbench import layout
from seqbench.config.registry import EVIDENCE
from seqbench.errors import FormatError
from seqbench.reporting.evidence.inputs import EvidenceInputs
from seqbench.reporting.scores.leaderboards import ModelScores
from seqbench.storage.detections import Detections
from seqbench.storage.predictions import read_predictions
from seqbench.tasks.classification.metrics import confusion


@dataclass(frozen=True)
class Confusion:
    """Counts by true and predicted class, (K, K), summed over the runs of a model."""

    row: ModelScores
    counts: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Confusions:
    """Evidence with classes: of the model selected on val and the best baseline, in this order."""

    confusions: list[Confusion]


@EVIDENCE.register("labelling", tasks=("labelling",))
def gather_labelling(inputs: EvidenceInputs) -> Confusions:
    """Sum the confusion matrices of the models that are shown."""
    return Confusions(confusions=confusions(inputs))


def confusions(inputs: EvidenceInputs) -> list[Confusion]:
    """Return the confusion matrices of the models that are shown."""
    return [
        Confusion(
            row,
            np.sum(
                [
                    _counts(inputs.root, result.run.fill(layout.PREDICTIONS))
                    for result in row.results
                ],
                axis=0,
            ),
        )
        for row in inputs.board.compared
    ]


def _counts(root: Path, path: str) -> NDArray[np.int64]:
    predictions = read_predictions(root / path, "test")
    if isinstance(predictions, Detections):
        raise FormatError(f"{path}: holds no scores of classes")
    once = np.ones((1, len(predictions)))
    return confusion(predictions, once)[0].astype(np.int64)
