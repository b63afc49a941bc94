"""What a task is, without torch: its head by name, its metrics, its headline."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from seqbench.config.registry import METRICS

if TYPE_CHECKING:
    from seqbench.models.base import Encoder
    from seqbench.storage.predictions import Answered
    from seqbench.storage.windows import WindowSet
    from seqbench.tasks.head import Head


class Task(ABC):
    """One kind of question.

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
        Whether val decides how scores become answers: a baseline then learns
        from train alone.
    """

    name: str
    headline: str
    tiebreak: str
    tunes_on_val: bool = False

    @abstractmethod
    def head(self, encoder: Encoder, header: dict[str, Any]) -> Head:
        """Build the output layer for an encoder; imports torch.

        Parameters
        ----------
        encoder
            Gives the frames.
        header
            That of the model's file: ``classes``, ``head_dropout`` and what
            else the task needs to know of the dataset.
        """

    @abstractmethod
    def join(
        self, windows: WindowSet, answer: Any, *, are_probabilities: bool, tuned: dict[str, Any]
    ) -> Answered:
        """Join what a model answered with the windows or recordings it was asked about.

        Parameters
        ----------
        windows
            Of one split.
        answer
            Scores of the windows or candidates in the recordings.
        are_probabilities
            Whether scores are probabilities.
        tuned
            What `tune` returned for this model.
        """

    def tune(self, windows: WindowSet, answer: Any, *, are_probabilities: bool) -> dict[str, Any]:
        """Return what val decides, as JSON values for the header of a model."""
        del windows, answer, are_probabilities
        return {}

    def headline_of(self, windows: WindowSet) -> str:
        """Return the metric that ranks models on this dataset."""
        del windows
        return self.headline

    def metric_names(self) -> list[str]:
        """Return the registered metrics of this task, the headline first."""
        names = [name for name in METRICS if self.name in METRICS.entry(name).tags["tasks"]]
        return sorted(
            names, key=lambda name: (name != self.headline, METRICS.entry(name).tags["order"])
        )
