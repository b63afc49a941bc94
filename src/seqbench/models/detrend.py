"""Removal of a slow trend from the signal, as a layer of the model."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqbench.models.base import inside
from seqbench.models.cnn1d import MaskedBatchNorm1d


class Detrend(nn.Module):
    """Subtract a moving mean from the signal, and scale every channel to unit variance.

    A trend far slower than the events can have most of a signal's variance:
    after normalisation the rest is small, and filters learn it late or never.

    Parameters
    ----------
    n_channels
        Channels C of a window.
    span_samples
        Samples of the mean, rounded up to an odd number; 0: no mean is subtracted.
    """

    def __init__(self, n_channels: int, span_samples: int) -> None:
        super().__init__()
        self.reach = span_samples // 2
        # Without parameters, no gradient is needed as far back as the signal. The scale is the mean
        # over all batches, which is right from the first one on.
        self.norm = MaskedBatchNorm1d(n_channels, affine=False, momentum=None)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return windows (B, T, C) without their trend, zero after each end."""
        n_samples = x.shape[1]
        mask = None if lengths is None else inside(lengths, n_samples, x.device)
        if self.reach:
            x = x - self._mean(x, lengths)
            x = x if mask is None else x * mask[..., None]
        normal: Tensor = self.norm(x.transpose(1, 2), mask).transpose(1, 2)
        return normal

    def _mean(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the mean of the samples around each, (B, T, C), from a running sum."""
        reach, n_samples = self.reach, x.shape[1]
        running = F.pad(x.double().cumsum(dim=1), (0, 0, 1, 0))
        sample = torch.arange(n_samples, device=x.device)
        last = (sample + reach + 1).clamp(max=n_samples)
        first = (sample - reach).clamp(min=0)
        end = last if lengths is None else last.minimum(lengths.to(x.device)[:, None])
        count = (end - first).clamp(min=1)[..., None]
        return ((running[:, last] - running[:, first]) / count).to(x.dtype)
