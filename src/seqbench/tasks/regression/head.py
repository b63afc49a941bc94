"""Output layer of regression."""

import torch
from torch import Tensor

from seqbench.models.base import Encoder
from seqbench.storage.normalization import Normalization
from seqbench.tasks.sample_head import SampleHead, squared_errors


class RegressionHead(SampleHead):
    """D values for every sample.

    Parameters
    ----------
    encoder, dropout
        As in `SampleHead`.
    normalization
        Of the values, (D,), from train.
    """

    measured = "mse"
    centre: Tensor
    scale: Tensor

    def __init__(self, encoder: Encoder, normalization: Normalization, dropout: float) -> None:
        super().__init__(encoder, len(normalization.centre), dropout)
        self.register_buffer("centre", torch.from_numpy(normalization.centre), persistent=False)
        self.register_buffer("scale", torch.from_numpy(normalization.scale), persistent=False)

    def loss(self, logits: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return the mean squared error of normalised values (B, T, D) that are known.

        1 for the mean of train. `weight` is of classes and has no effect.
        """
        del weight
        squared, is_known = squared_errors(logits[:, : target.shape[1]], target)
        return squared.sum() / is_known.sum().clamp(min=1)

    def scores(self, logits: Tensor) -> Tensor:
        """Return values in their units, (B, F * stride, D)."""
        return logits.double() * self.scale + self.centre

    def measure(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the mean squared error of each window, (B,), normalised."""
        squared, is_known = squared_errors(logits[:, : target.shape[1]], target)
        return squared.sum(dim=(1, 2)) / is_known.sum(dim=(1, 2)).clamp(min=1)
