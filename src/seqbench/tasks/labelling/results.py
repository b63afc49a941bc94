"""Predicted classes of samples, and of runs of samples of one class."""

import numpy as np
from numpy.typing import NDArray

from seqbench.config.registry import TASK_RESULTS
from seqbench.tasks.results import Floats, Predicted, Results, Table, by_sample


@TASK_RESULTS.register("labelling")
class LabellingResults(Results):
    """A class for each sample.

    Attributes
    ----------
    scores
        Probabilities of the classes of all samples of each recording, (n_samples, K), or
        other scores where `are_probabilities` is false; NaN where no window was.
    """

    rows = ("run", "sample")

    def __init__(self, predicted: Predicted) -> None:
        super().__init__(predicted)
        self.scores: list[Floats] = list(by_sample(predicted))

    @property
    def labels(self) -> list[list[str]]:
        """The likeliest class of each sample of each recording; "" where no window was."""
        return [
            ["" if np.isnan(row[0]) else self.classes[int(row.argmax())] for row in scores]
            for scores in self.scores
        ]

    def _table(self, rows: str) -> Table:
        recording, start, stop, means = [], [], [], []
        for index, scores in enumerate(self.scores):
            is_known = np.isfinite(scores[:, 0])
            best: NDArray[np.int64] = np.where(is_known, scores.argmax(axis=1), -1)
            changes = np.flatnonzero(np.diff(best)) + 1
            if rows == "sample":
                changes = np.arange(1, len(best))
            for first, last in zip([0, *changes], [*changes, len(best)], strict=True):
                if last > first and is_known[first]:
                    recording.append(index)
                    start.append(int(first))
                    stop.append(int(last))
                    means.append(scores[first:last].mean(axis=0))
        chosen = np.array(means).reshape(-1, len(self.classes))
        end = {} if rows == "sample" else self._moments("stop", recording, stop)
        word = "time" if rows == "sample" and self._has_times else "sample"
        begin = self._moments("start" if rows == "run" else word, recording, start)
        names: Table = {"recording": [self.names[i] for i in recording]}
        return names | begin | end | self._chosen(chosen)
