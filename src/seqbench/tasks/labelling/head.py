"""Output layer of labelling."""

import torch.nn.functional as F
from torch import Tensor

from seqbench.tasks.head import SampleHead

UNKNOWN = -1


class LabellingHead(SampleHead):
    """A softmax over K classes for every sample."""

    measured = "accuracy"

    def loss(self, logits: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return the cross-entropy in nats, mean over samples (B, T) whose class is known.

        log(K) at chance; 0 in a batch without any. `weight` (K,) multiplies the
        samples of each class.
        """
        logits = logits[:, : target.shape[1]].float().flatten(0, 1)
        target = target.flatten()
        if not (target != UNKNOWN).any():
            return logits.sum() * 0
        return F.cross_entropy(
            logits,
            target,
            weight=weight,
            ignore_index=UNKNOWN,
            label_smoothing=self.smoothing_now,
        )

    def scores(self, logits: Tensor) -> Tensor:
        """Return class probabilities, (B, F * stride, K)."""
        return logits.double().softmax(dim=2)

    def measure(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return for each window the fraction of its samples whose class is right, (B,)."""
        is_known = target != UNKNOWN
        is_right = (logits[:, : target.shape[1]].argmax(dim=2) == target) & is_known
        return is_right.sum(dim=1) / is_known.sum(dim=1).clamp(min=1)
