"""Predicted values of test windows, of tasks that predict values."""

from __future__ import annotations

from dataclasses import dataclass

from seqbench import layout
from seqbench.config.registry import EVIDENCE
from seqbench.errors import FormatError
from seqbench.reporting.evidence.inputs import EvidenceInputs
from seqbench.reporting.read.results import Result
from seqbench.reporting.scores.formats import metric_value
from seqbench.reporting.scores.leaderboards import ModelScores
from seqbench.storage.predictions import read_predictions
from seqbench.storage.sequences import Sequences
from seqbench.storage.windows import WindowSet, read_windows


@dataclass(frozen=True)
class PredictedSequences:
    """Predictions of one run of a model on test."""

    row: ModelScores
    result: Result
    sequences: Sequences


@dataclass(frozen=True, kw_only=True)
class SequenceEvidence:
    """Evidence with values.

    Parameters
    ----------
    predicted
        By the model selected on val and the best baseline, as far as they have a run on what
        is shown.
    test
        Windows of test.
    """

    predicted: list[PredictedSequences]
    test: WindowSet

    @property
    def errors(self) -> str:
        """The root mean square error of each model in words."""
        rmse = {
            one.row.name: metric_value(one.result.value("rmse"), "rmse") for one in self.predicted
        }
        return f"Shown: {', '.join(f'{name} with RMSE {value}' for name, value in rmse.items())}."


@EVIDENCE.register("sequences", tasks=("regression", "forecasting"))
def gather_sequences(inputs: EvidenceInputs) -> SequenceEvidence:
    """Read the predictions of the models that are shown."""
    predicted = []
    for row in inputs.board.compared:
        result = row.chosen_on(inputs.shown)
        if result is None:
            continue
        path = inputs.root / result.run.fill(layout.PREDICTIONS)
        sequences = read_predictions(path, "test")
        if not isinstance(sequences, Sequences):
            raise FormatError(f"{path}: holds no predicted values")
        predicted.append(PredictedSequences(row, result, sequences))
    return SequenceEvidence(predicted=predicted, test=read_windows(inputs.windows, "test"))
