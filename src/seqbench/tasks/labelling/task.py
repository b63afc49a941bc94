"""The task: a class for every sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seqbench.config.registry import TASKS
from seqbench.storage.model_header import NetworkHeader
from seqbench.storage.sequences import Sequences
from seqbench.storage.windows import UNLABELLED, WindowSet
from seqbench.tasks.base import Task

if TYPE_CHECKING:
    from torch import Tensor

    from seqbench.models.base import Encoder
    from seqbench.tasks.head import Head
    from seqbench.tasks.targets import SampleTargets


@TASKS.register("labelling", labels="classes")
class LabellingTask(Task):
    """A class for every sample of a sequence."""

    name = "labelling"
    headline = "accuracy"
    tiebreak = "log_loss"

    def head(self, encoder: Encoder, header: NetworkHeader) -> Head:
        """Build a linear layer for every frame."""
        from seqbench.tasks.labelling.head import LabellingHead

        return LabellingHead(encoder, len(header.classes), header.head_dropout)

    def targets(self, windows: WindowSet, signal: Tensor) -> SampleTargets:
        """Return the class of every sample, -1 where unknown."""
        import torch

        from seqbench.tasks.targets import SampleTargets

        values = torch.from_numpy(windows.required_targets.values[:, 0])
        values = values.nan_to_num(UNLABELLED).long()
        return SampleTargets(values.to(signal.device), UNLABELLED)

    def labels_inside(
        self, windows: WindowSet
    ) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
        """Return the class of every sample, and which samples lie in each window."""
        return windows.required_targets.values[:, 0], windows.start, windows.start + windows.length

    def join(
        self, windows: WindowSet, predicted: Any, *, are_probabilities: bool, tuned: dict[str, Any]
    ) -> Sequences:
        """Join scores (S, K) with the samples they belong to."""
        return Sequences.inside(windows, predicted, are_probabilities=are_probabilities)
