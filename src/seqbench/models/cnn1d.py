"""Convolutions in time."""

import math
from collections.abc import Callable

from torch import Tensor, nn

from seqbench.config.options import Dropout, OddWidths, Pooling, Widths
from seqbench.config.registry import ARCHITECTURES
from seqbench.errors import UserError
from seqbench.models.base import Encoder, frames_of, inside
from seqbench.models.convolution import Conv1d, is_of_cpu
from seqbench.models.dropout import BitDropout


class MaskedBatchNorm1d(nn.BatchNorm1d):
    """Batch norm over (B, D, F) whose statistics exclude padding."""

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor
    __call__: Callable[..., Tensor]

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Normalise the first `lengths` (B,) frames of each window, None: all; zero the others."""
        if lengths is None:
            if not is_of_cpu(x):
                return super().forward(x)
            # Of an image of one row, torch keeps the memory order; see `Conv1d`.
            return super().forward(x[:, :, None]).squeeze(2)
        weight = inside(lengths, x.shape[2], x.device)[:, None].to(x.dtype)
        if not self.training:
            return self.forward(x) * weight
        narrow, x, weight = x.dtype, x.float(), weight.float()  # counts outgrow bfloat16
        n = weight.sum()
        mean = (x * weight).sum(dim=(0, 2)) / n
        variance = ((x - mean[:, None]).square() * weight).sum(dim=(0, 2)) / n
        self._update(mean.detach(), variance.detach() * n / (n - 1).clamp(min=1))
        normal = (x - mean[:, None]) * (variance + self.eps).rsqrt()[:, None]
        if self.affine:
            normal = normal * self.weight[:, None] + self.bias[:, None]
        return (normal * weight).to(narrow)

    def _check_input_dim(self, input: Tensor) -> None:
        """Take images of one row as well."""

    def _update(self, mean: Tensor, variance: Tensor) -> None:
        self.num_batches_tracked.add_(1)
        share = self.momentum or 1 / float(self.num_batches_tracked)
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), share)
        self.running_var.lerp_(variance.to(self.running_var.dtype), share)


@ARCHITECTURES.register(
    "cnn1d",
    accepts=("series", "tokens"),
    same_length=("widths", "kernel_sizes", "strides"),
    space={
        "widths": ((32, 64, 64), (64, 128, 128), (128, 256, 256)),
        "dropout": {"low": 0.0, "high": 0.5},
    },
)
class Cnn1dEncoder(Encoder):
    """Blocks of convolution, batch norm and ReLU.

    Parameters
    ----------
    n_channels
        Channels C of a window.
    widths
        Output channels of each block; the last is D.
    kernel_sizes
        Filter length of each block in samples of its input; odd, so that
        frames stay centred.
    strides
        Step of each block; their product is the stride of the encoder.
    dropout
        Probability to drop a feature after each block.
    pooling
        How a head pools the frames: last, mean or attention.

    Raises
    ------
    UserError
        If the lists differ in length or a filter is even.

    Notes
    -----
    (B, T, C) -> (B, ceil(T / stride), D). Departs from the source in its
    strides, which make it several times cheaper, and in odd filters.

    References
    ----------
    Wang, Yan, Oates (2017). Time series classification from scratch with deep
    neural networks: a strong baseline. IJCNN, section II-B. arXiv:1611.06455
    """

    def __init__(
        self,
        n_channels: int,
        *,
        widths: Widths = (64, 128, 128),
        kernel_sizes: OddWidths = (7, 5, 3),
        strides: Widths = (2, 2, 1),
        dropout: Dropout = 0.0,
        pooling: Pooling = "mean",
    ) -> None:
        super().__init__(pooling)
        if not len(widths) == len(kernel_sizes) == len(strides):
            raise UserError("widths, kernel_sizes and strides must name the same number of blocks")
        if any(size % 2 == 0 for size in kernel_sizes):
            raise UserError(f"kernel_sizes must be odd, got {list(kernel_sizes)}")
        self.n_features = widths[-1]
        self.strides = tuple(strides)
        self.stride = math.prod(strides)
        inputs = [n_channels, *widths[:-1]]
        self.convolutions = nn.ModuleList(
            Conv1d(i, o, k, stride=s, padding=k // 2, bias=False)
            for i, o, k, s in zip(inputs, widths, kernel_sizes, strides, strict=True)
        )
        self.norms = nn.ModuleList(MaskedBatchNorm1d(width) for width in widths)
        self.dropout = BitDropout(dropout)

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Encode windows (B, T, C); see `Encoder.encode`."""
        x = x.transpose(1, 2)
        for convolution, norm, step in zip(
            self.convolutions, self.norms, self.strides, strict=True
        ):
            lengths = frames_of(lengths, step)
            x = self.dropout(norm(convolution(x), lengths).relu())
        return x.transpose(1, 2)


def framing(n_channels: int, n_features: int, stride: int, dropout: float = 0.0) -> Cnn1dEncoder:
    """Return one convolution over two strides that makes frames (B, F, n_features) of samples."""
    return Cnn1dEncoder(
        n_channels,
        widths=(n_features,),
        kernel_sizes=(2 * stride + 1,),
        strides=(stride,),
        dropout=dropout,
    )
