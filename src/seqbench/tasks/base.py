"""What a task is, without torch: its head by name, its metrics, its headline."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from seqbench.registry import METRICS

if TYPE_CHECKING:
    from seqbench.models.base import Encoder
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
    """

    name: str
    headline: str
    tiebreak: str

    @abstractmethod
    def head(self, encoder: Encoder, classes: list[str], dropout: float) -> Head:
        """Build the output layer for an encoder; imports torch."""

    def metric_names(self) -> list[str]:
        """Return the registered metrics of this task, the headline first."""
        names = [name for name in METRICS if METRICS.entry(name).tags["task"] == self.name]
        return sorted(
            names, key=lambda name: (name != self.headline, METRICS.entry(name).tags["order"])
        )
