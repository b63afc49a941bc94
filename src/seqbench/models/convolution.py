"""Convolution in time that a CPU computes fast."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LONG, NARROW = 32, 8  # taps from which on, and channels up to which, samples are taken in blocks
BLOCK = 4  # samples


def is_of_cpu(x: Tensor) -> bool:
    """Return whether a CPU computes with x now, and no converter follows what is done."""
    return x.device.type == "cpu" and not torch.onnx.is_in_onnx_export()


class Conv1d(nn.Conv1d):
    """Convolution (B, C, T) to (B, D, F) that on a CPU keeps the memory order of (B, T, C).

    Windows come and frames leave in that order, and nothing is copied in between. The
    convolution itself takes half to nine tenths of the time. A long filter over few channels
    reads four samples as one of four times the channels: the same products, but in vectors as
    wide as those of the processor. Dilated and grouped filters, and padding that is not of a number
    of zeros, are torch's.
    """

    __call__: Callable[..., Tensor]

    def forward(self, x: Tensor) -> Tensor:
        """Convolve windows (B, C, T)."""
        is_plain = self.dilation == (1,) and self.groups == 1 and self.padding_mode == "zeros"
        if not is_plain or isinstance(self.padding, str) or not is_of_cpu(x):
            return super().forward(x)
        size, padding, step = self.kernel_size[0], int(self.padding[0]), self.stride[0]
        if size >= LONG and self.in_channels <= NARROW and size == 2 * padding + 1 and step == 1:
            return self._in_blocks(x, padding)
        image = x[:, :, None].contiguous(memory_format=torch.channels_last)
        return F.conv2d(
            image, self.weight[:, :, None], self.bias, stride=(1, step), padding=(0, padding)
        ).squeeze(2)

    def _in_blocks(self, x: Tensor, padding: int) -> Tensor:
        """Convolve blocks of samples with the filters at every place in a block."""
        n_windows, n_channels, n_samples = x.shape
        reach = -(-padding // BLOCK)  # blocks that a filter sees on either side
        span = (2 * reach + 1) * BLOCK
        before = reach * BLOCK - padding
        taps = self.weight.transpose(1, 2)  # (D, taps, C)
        filters = torch.stack(
            [
                F.pad(taps, (0, 0, before + place, span - before - place - taps.shape[1]))
                for place in range(BLOCK)
            ]
        )
        filters = filters.reshape(-1, 2 * reach + 1, BLOCK * n_channels).transpose(1, 2)
        blocks = F.pad(x.transpose(1, 2), (0, 0, 0, -n_samples % BLOCK))
        blocks = blocks.reshape(n_windows, 1, -1, BLOCK * n_channels).permute(0, 3, 1, 2)
        bias = None if self.bias is None else self.bias.repeat(BLOCK)
        found = F.conv2d(blocks, filters[:, :, None], bias, padding=(0, reach))
        frames = found.squeeze(2).transpose(1, 2).reshape(n_windows, -1, self.out_channels)
        return frames[:, :n_samples].transpose(1, 2)
