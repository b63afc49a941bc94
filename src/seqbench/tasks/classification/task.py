"""The task: one class per window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqbench.registry import TASKS
from seqbench.tasks.base import Task

if TYPE_CHECKING:
    from seqbench.models.base import Encoder
    from seqbench.tasks.head import Head


@TASKS.register(
    "classification",
    figures=(
        "leaderboard",
        "confusion",
        "learning_curves",
        "cost",
        "label_efficiency",
        "pretraining",
        "examples",
    ),
)
class ClassificationTask(Task):
    """Window to one class."""

    name = "classification"
    headline = "accuracy"
    tiebreak = "log_loss"

    def head(self, encoder: Encoder, classes: list[str], dropout: float) -> Head:
        """Build a pooled linear layer."""
        from seqbench.tasks.classification.head import ClassificationHead

        return ClassificationHead(encoder, len(classes), dropout)
