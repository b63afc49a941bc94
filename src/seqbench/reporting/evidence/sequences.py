"""Predicted values of test windows, of tasks that predict values."""

from dataclasses import dataclass

from seqbench.config.registry import EVIDENCE
from seqbench.reporting.evidence.material import EvidenceInputs
from seqbench.reporting.read.results import Result
from seqbench.reporting.scores.formats import metric_value
from seqbench.reporting.scores.leaderboards import ModelScores
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
    shown = [(row, row.chosen_on(inputs.shown)) for row in inputs.board.compared]
    predicted = [
        PredictedSequences(row, result, inputs.predictions(result.run, Sequences))
        for row, result in shown
        if result is not None
    ]
    return SequenceEvidence(
        predicted=predicted, test=read_windows(inputs.windows, "test", memory_limit_bytes=0)
    )
