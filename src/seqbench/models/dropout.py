"""Dropout that a CPU draws fast."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

STEPS = 2**16  # of a probability


class BitDropout(nn.Dropout):
    """Dropout that on a CPU draws 16 bits for each number, in 0.4 of the time.

    The probability is rounded to 1 / 65,536, or left to torch where that would be 0 or 1; what is
    kept is scaled by the rounded one, so that the mean stays exact.
    """

    __call__: Callable[..., Tensor]

    def forward(self, x: Tensor) -> Tensor:
        """Return x with numbers dropped while training."""
        n_dropped = round(self.p * STEPS)
        if not self.training or x.device.type != "cpu" or not 0 < n_dropped < STEPS:
            return super().forward(x)
        bits = torch.empty(-(-x.numel() // 4), dtype=torch.int64)
        bits.random_(torch.iinfo(torch.int64).min, None)
        is_kept = bits.view(torch.int16)[: x.numel()] >= n_dropped - STEPS // 2
        factor = is_kept.to(x.dtype).mul_(STEPS / (STEPS - n_dropped))
        order = torch.empty_like(x, device="meta").stride()  # that in memory, without gaps
        return x * factor.as_strided(x.shape, order)
