"""Predicted classes of windows and recordings."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from seqbench.config.registry import TASK_RESULTS
from seqbench.tasks.results import Floats, Predicted, Results, Table


@TASK_RESULTS.register("classification")
class ClassificationResults(Results):
    """A class for each window.

    Attributes
    ----------
    recording, start, stop
        Of each window: index into `names`, and its samples [start, stop), (N,).
    scores
        Probabilities of the classes, or other scores where `are_probabilities` is
        false, (N, K) float64.
    """

    rows = ("window", "recording")

    def __init__(self, predicted: Predicted) -> None:
        super().__init__(predicted)
        places = np.array([place[:3] for place in predicted.places], dtype=np.int64).reshape(-1, 3)
        self.recording, self.start, self.stop = places.T
        self.scores: Floats = np.asarray(predicted.values, dtype=np.float64)

    @property
    def labels(self) -> list[str]:
        """The likeliest class of each window, (N,)."""
        return [self.classes[i] for i in self.scores.argmax(axis=1)]

    @cached_property
    def of_recordings(self) -> tuple[NDArray[np.int64], Floats]:
        """Recordings that have windows, (R,), and the mean score of these, (R, K)."""
        present, place, n = np.unique(self.recording, return_inverse=True, return_counts=True)
        total = np.zeros((len(present), len(self.classes)))
        np.add.at(total, place, self.scores)
        return present, total / n[:, None]

    def _table(self, rows: str) -> Table:
        if rows == "recording":
            present, scores = self.of_recordings
            n_windows = np.bincount(self.recording)[present]
            names = [self.names[i] for i in present]
            return {"recording": names, "n_windows": n_windows, **self._chosen(scores)}
        return {
            "recording": [self.names[i] for i in self.recording],
            **self._moments("start", self.recording, self.start),
            **self._moments("stop", self.recording, self.stop),
            **self._chosen(self.scores),
        }
