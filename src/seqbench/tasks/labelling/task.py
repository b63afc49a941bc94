"""The task: a class for every sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seqbench.config.registry import TASKS
from seqbench.storage.lazy_array import changed
from seqbench.storage.model_header import NetworkHeader
from seqbench.storage.sequences import Sequences
from seqbench.storage.windows import UNLABELLED, WindowSet
from seqbench.tasks.base import Task

if TYPE_CHECKING:
    from seqbench.models.base import Encoder
    from seqbench.tasks.head import Head
    from seqbench.tasks.targets import SampleRows, SampleTargets


@TASKS.register("labelling", labels="classes", augmented="in_place")
class LabellingTask(Task):
    """A class for every sample of a sequence."""

    name = "labelling"
    headline = "accuracy"
    tiebreak = "log_loss"

    def head(self, encoder: Encoder, header: NetworkHeader) -> Head:
        """Build a linear layer for every frame."""
        from seqbench.tasks.labelling.head import LabellingHead

        return LabellingHead(encoder, len(header.classes), header.head_dropout)

    def targets(self, windows: WindowSet, signal: SampleRows) -> SampleTargets:
        """Return the class of every sample, -1 where unknown."""
        from seqbench.tasks.targets import SampleRows, SampleTargets

        values = changed(
            windows.required_targets.values, lambda rows, _: np.nan_to_num(rows, nan=UNLABELLED)
        )
        return SampleTargets(SampleRows(values, signal.device), UNLABELLED, are_classes=True)

    def labels_inside(
        self, windows: WindowSet
    ) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
        """Return the class of every sample, and which samples lie in each window."""
        return (
            windows.required_targets.values[:][:, 0],
            windows.start,
            windows.start + windows.length,
        )

    def join(
        self, windows: WindowSet, predicted: Any, *, are_probabilities: bool, tuned: dict[str, Any]
    ) -> Sequences:
        """Join scores (S, K) with the samples they belong to."""
        return Sequences.inside(windows, predicted, are_probabilities=are_probabilities)
