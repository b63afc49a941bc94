"""The task: a class for every sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seqbench.config.registry import TASKS
from seqbench.tasks.base import Task

if TYPE_CHECKING:
    from seqbench.models.base import Encoder
    from seqbench.storage.sequences import Sequences
    from seqbench.storage.windows import WindowSet
    from seqbench.tasks.head import Head


@TASKS.register("labelling")
class LabellingTask(Task):
    """A class for every sample of a sequence."""

    name = "labelling"
    headline = "accuracy"
    tiebreak = "log_loss"

    def head(self, encoder: Encoder, header: dict[str, Any]) -> Head:
        """Build a linear layer for every frame."""
        from seqbench.tasks.labelling.head import LabellingHead

        return LabellingHead(encoder, len(header["classes"]), header["head_dropout"])

    def join(
        self, windows: WindowSet, answer: Any, *, are_probabilities: bool, tuned: dict[str, Any]
    ) -> Sequences:
        """Join scores (S, K) with the samples they belong to."""
        from seqbench.storage.sequences import Sequences

        del tuned  # the class with the highest score is the answer
        return Sequences.inside(windows, answer, are_probabilities=are_probabilities)
