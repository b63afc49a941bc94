"""Output layer of classification."""

import torch
import torch.nn.functional as F
from torch import Tensor

from seqbench.models.base import Encoder
from seqbench.models.pooling import PooledLinear
from seqbench.tasks.head import Head


class ClassificationHead(Head):
    """Pool, then softmax over K classes; two classes share one logit and a sigmoid.

    Parameters
    ----------
    encoder
        Gives the pooling of its frames, and their features D.
    n_classes
        Classes K, at least 2.
    dropout
        Between pooled features and the output layer.

    Raises
    ------
    ValueError
        If there are fewer than two classes.
    """

    measured = "accuracy"

    def __init__(self, encoder: Encoder, n_classes: int, dropout: float) -> None:
        super().__init__()
        if n_classes < 2:
            raise ValueError(f"classification needs at least two classes, got {n_classes}")
        self.is_binary = n_classes == 2
        self.output = PooledLinear(encoder, 1 if self.is_binary else n_classes, dropout)

    def forward(self, frames: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return logits (B, K); the first of two classes has the logit 0."""
        logits: Tensor = self.output(frames, lengths)
        return F.pad(logits, (1, 0)) if self.is_binary else logits

    def loss(self, logits: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return the cross-entropy in nats; log(K) at chance.

        `weight` (K,) multiplies the windows of each class; the mean is taken
        over weights.
        """
        return F.cross_entropy(
            logits.float(), target, weight=weight, label_smoothing=self.smoothing_now
        )

    def scores(self, logits: Tensor) -> Tensor:
        """Return class probabilities, (B, K)."""
        return logits.double().softmax(dim=1)

    def measure(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return 1 for each window whose class is right, else 0, (B,)."""
        return (logits.argmax(dim=1) == target).to(torch.float32)
