"""What training and scoring know of a task; heavy imports stay inside the hooks.

A task is one folder, whose modules are loaded by the stages that need them:

===============  ==================================================================
``task.py``      `Task`: head, targets of batches, predictions, choice of metrics
``windows.py``   `seqbench.tasks.windows.TaskWindows`: how recordings become windows
``profile.py``   `seqbench.tasks.profile.TaskProfile`: config checks and words
``metrics.py``   functions under ``@METRICS.register``
``analysis.py``  what ``@TASK_ANALYSES.register`` counts of test beside the metrics, if anything
``results.py``   `seqbench.tasks.results.Results`: predictions of new recordings
===============  ==================================================================

A change re-runs those stages alone: no model depends on a metric or a figure.
The tag ``labels`` of a registered task names what its recordings carry: classes (of
labelled intervals, the default), events, values (of every sample) or none. The tag
``augmented`` says which changed windows keep their targets: all (anywhere), those whose
samples stay where they are (in_place), or, without the tag, none.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seqbench.config.registry import METRICS
from seqbench.storage.model_header import DataHeader, NetworkHeader
from seqbench.storage.predictions import AnyPredictions, Predictions
from seqbench.storage.windows import WindowSet

if TYPE_CHECKING:
    from seqbench.models.base import Encoder
    from seqbench.tasks.head import Head
    from seqbench.tasks.targets import SampleRows, TargetTable


class Task(ABC):
    """One kind of prediction; by default one class for each window.

    Attributes
    ----------
    name
        Registered name.
    headline
        The metric that ranks models; higher is better.
    tiebreak
        The metric that decides between models of equal headline on val; lower
        is better.
    tunes_on_val
        Whether val decides how scores become predictions: a baseline then
        learns from train alone.
    """

    name: str
    headline: str
    tiebreak: str
    tunes_on_val: bool = False

    @abstractmethod
    def head(self, encoder: Encoder, header: NetworkHeader) -> Head:
        """Build the output layer for an encoder; imports torch.

        Parameters
        ----------
        encoder
            Gives the frames.
        header
            That of the model's file: classes, dropout and what else the task
            needs to know of the dataset.
        """

    def targets(self, windows: WindowSet, signal: SampleRows) -> TargetTable:
        """Return the targets of the windows of one split; imports torch.

        Parameters
        ----------
        windows
            Of one split.
        signal
            The signal of the split on the device that trains.
        """
        from seqbench.tasks.targets import LabelTargets

        return LabelTargets(windows, signal.device)

    def labels_inside(
        self, windows: WindowSet
    ) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64]] | None:
        """Return the labels inside windows; None: a window has one label or value.

        Returns
        -------
        label
            Indices of classes in the order of the signal, (n_labels,); NaN where unknown.
        first, last
            Which of them, [first, last), lie in each window, (N,) each.
        """
        return None

    def finished(self, windows: WindowSet, predicted: NDArray[Any]) -> NDArray[Any]:
        """Return scores of all windows in the units of the data, where those differ."""
        return predicted

    def join(
        self, windows: WindowSet, predicted: Any, *, are_probabilities: bool, tuned: dict[str, Any]
    ) -> AnyPredictions:
        """Join the outputs of a model with the windows or recordings they belong to.

        Parameters
        ----------
        windows
            Of one split.
        predicted
            Scores of the windows, (N, K), or what else `head` and baselines give.
        are_probabilities
            Whether scores are probabilities.
        tuned
            What `tune` returned for this model.
        """
        return Predictions.of(windows, predicted, are_probabilities=are_probabilities)

    def tune(
        self,
        windows: WindowSet,
        predicted: Any,
        *,
        are_probabilities: bool,
        data: DataHeader,
        are_decisions: bool = False,
    ) -> dict[str, Any]:
        """Return what is selected on val, as JSON values for the header of a model.

        `data` is what the model knows of train. Predictions that are decisions stand, whatever
        their scores.
        """
        return {}

    def headline_of(self, windows: WindowSet) -> str:
        """Return the metric that ranks models on this dataset."""
        return self.headline

    def metric_names(self) -> list[str]:
        """Return the registered metrics of this task, the headline first."""
        names = [name for name in METRICS if self.name in METRICS.entry(name).tags["tasks"]]
        return sorted(
            names, key=lambda name: (name != self.headline, METRICS.entry(name).tags["order"])
        )
