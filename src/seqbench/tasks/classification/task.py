"""The task: one class for each window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqbench.config.registry import TASKS
from seqbench.storage.model_header import NetworkHeader
from seqbench.tasks.base import Task

if TYPE_CHECKING:
    from seqbench.models.base import Encoder
    from seqbench.tasks.head import Head


@TASKS.register("classification", labels="classes", augmented="anywhere")
class ClassificationTask(Task):
    """Window to one class."""

    name = "classification"
    headline = "accuracy"
    tiebreak = "log_loss"

    def head(self, encoder: Encoder, header: NetworkHeader) -> Head:
        """Build a pooled linear layer."""
        from seqbench.tasks.classification.head import ClassificationHead

        return ClassificationHead(encoder, len(header.classes), header.head_dropout)
