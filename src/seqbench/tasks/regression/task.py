"""The task: values for every sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from seqbench.config.registry import TASKS
from seqbench.storage.model_header import NetworkHeader
from seqbench.storage.normalization import Normalization
from seqbench.storage.sequences import Sequences
from seqbench.storage.windows import WindowSet
from seqbench.tasks.base import Task
from seqbench.windowing.normalize import normalized

if TYPE_CHECKING:
    from seqbench.models.base import Encoder
    from seqbench.tasks.head import Head
    from seqbench.tasks.targets import SampleRows, SampleTargets


@TASKS.register("regression", labels="values")
class RegressionTask(Task):
    """Values for every sample of a sequence."""

    name = "regression"
    headline = "r2"
    tiebreak = "mae"

    def head(self, encoder: Encoder, header: NetworkHeader) -> Head:
        """Build a linear layer for every frame."""
        from seqbench.tasks.regression.head import RegressionHead

        if header.targets is None:
            raise ValueError("regression needs targets")
        normalization = Normalization.of(header.targets.normalization)
        return RegressionHead(encoder, normalization, header.head_dropout)

    def targets(self, windows: WindowSet, signal: SampleRows) -> SampleTargets:
        """Return the normalised values of every sample, NaN where unknown."""
        from seqbench.tasks.targets import SampleRows, SampleTargets

        targets = windows.required_targets
        values = normalized(targets.values, targets.normalization)
        return SampleTargets(SampleRows(values, signal.device), np.nan)

    def join(
        self, windows: WindowSet, predicted: Any, *, are_probabilities: bool, tuned: dict[str, Any]
    ) -> Sequences:
        """Join values (S, D) with the samples they belong to."""
        return Sequences.inside(windows, predicted)
