"""Pretraining: an objective, train windows, no labels."""

import numpy as np
import torch
from torch import Tensor

from seqbench.errors import UserError
from seqbench.jobs import PretrainJob
from seqbench.models.base import Encoder
from seqbench.pretraining.base import Objective
from seqbench.registry import ARCHITECTURES, OBJECTIVES
from seqbench.storage.windows import WindowSet
from seqbench.training.batches import Batch


class Pretraining:
    """An objective as the loop wants it."""

    def __init__(self, objective: Objective) -> None:
        self.module = objective

    def loss(self, batch: Batch) -> Tensor:
        """Return the objective's loss."""
        return self.module.loss(batch.x, batch.lengths)

    def watch(self, batch: Batch) -> dict[str, Tensor]:
        """Return the loss on held-out windows."""
        return {"monitor_loss": self.loss(batch)}

    def set_training(self, training: bool) -> None:
        """Switch the whole module."""
        self.module.train(training)


def build_objective(job: PretrainJob, n_channels: int) -> Objective:
    """Build the encoder and the objective around it."""
    encoder: Encoder = ARCHITECTURES[job.architecture](n_channels, **job.architecture_options)
    objective: Objective = OBJECTIVES[job.objective](encoder, n_channels, **job.objective_options)
    return objective


def hold_out(windows: WindowSet, fraction: float, seed: int) -> tuple[Tensor, Tensor]:
    """Divide train windows into those to learn from and those to watch, by whole groups.

    Returns
    -------
    tuple of Tensor
        Indices (N - M,) and (M,); at least one group is watched.

    Raises
    ------
    UserError
        If train has a single group, so that none can be held out.
    """
    group = np.array([windows.groups[i] for i in windows.recording])
    names = np.unique(group)
    if len(names) < 2:
        raise UserError("pretraining needs at least two train groups, one of them to watch")
    n_watched = max(1, round(fraction * len(names)))
    watched = np.random.default_rng(seed).permutation(names)[:n_watched]
    is_watched = np.isin(group, watched)
    return (
        torch.from_numpy(np.flatnonzero(~is_watched)),
        torch.from_numpy(np.flatnonzero(is_watched)),
    )
