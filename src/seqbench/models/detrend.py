"""A moving mean taken from a signal, as the first layer of an encoder."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqbench.models.base import ended
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
    ahead
        Samples of the span that lie behind the one they are subtracted from, at
        most half of the span; None: half, so that the span is centred.
    """

    def __init__(self, n_channels: int, span_samples: int, ahead: int | None = None) -> None:
        super().__init__()
        reach = span_samples // 2
        self.ahead = reach if ahead is None else min(ahead, reach)
        self.behind = 2 * reach - self.ahead
        # Without parameters, no gradient is needed as far back as the signal. The scale is the mean
        # over all batches, which is right from the first one on.
        self.norm = MaskedBatchNorm1d(n_channels, affine=False, momentum=None)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return windows (B, T, C) without their trend, zero after each end."""
        return self.scaled(self.without_trend(x, lengths), lengths)

    def without_trend(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return windows (B, T, C) less their moving mean."""
        return ended(x - self._mean(x, lengths), lengths) if self.behind else x

    def scaled(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return a signal (B, T, C) without a trend at unit variance."""
        return self.norm(x.transpose(1, 2), lengths).transpose(1, 2)

    def _mean(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the mean of the samples around each, (B, T, C), from a running sum."""
        n_samples = x.shape[1]
        running = F.pad(x.double().cumsum(dim=1), (0, 0, 1, 0))
        sample = torch.arange(n_samples, device=x.device)
        last = (sample + self.ahead + 1).clamp(max=n_samples)
        first = (sample - self.behind).clamp(min=0)
        end = last if lengths is None else last.minimum(lengths.to(x.device)[:, None])
        count = (end - first).clamp(min=1)[..., None]
        return ((running[:, last] - running[:, first]) / count).to(x.dtype)
