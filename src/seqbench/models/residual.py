"""Deep convolutions in time with shortcuts past several layers: ResNet and InceptionTime."""

from collections.abc import Callable
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqbench.config.options import Count, Dropout, Layers, OddWidths, Pooling, Widths
from seqbench.config.registry import ARCHITECTURES
from seqbench.models.base import Encoder, inside
from seqbench.models.cnn1d import MaskedBatchNorm1d
from seqbench.models.convolution import Conv1d
from seqbench.models.dropout import BitDropout

MODULES_PER_SHORTCUT = 3
POOLED_SAMPLES = 3


class ConvolutionNorm(nn.Module):
    """Convolution of odd length at stride 1, then batch norm: (B, C, T) to (B, D, T)."""

    __call__: Callable[..., Tensor]

    def __init__(self, n_inputs: int, n_outputs: int, kernel_size: int) -> None:
        super().__init__()
        self.convolution = same_length(n_inputs, n_outputs, kernel_size)
        self.norm = MaskedBatchNorm1d(n_outputs)

    def forward(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Convolve windows that are zero after each end; so is the result."""
        return self.norm(self.convolution(x), lengths)


class Shortcut(nn.Module):
    """What is added behind some layers: their input, brought to their number of features.

    Batch norm, behind a convolution of one sample where the number differs or `mix` is set.
    """

    __call__: Callable[..., Tensor]

    def __init__(self, n_inputs: int, n_outputs: int, *, mix: bool) -> None:
        super().__init__()
        is_mixed = mix or n_inputs != n_outputs
        self.convolution = same_length(n_inputs, n_outputs, 1) if is_mixed else nn.Identity()
        self.norm = MaskedBatchNorm1d(n_outputs)

    def forward(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the addend (B, D, T) of windows (B, C, T), zero after each end."""
        return self.norm(self.convolution(x), lengths)


class ResidualBlock(nn.Module):
    """Three convolutions, whose sum with a shortcut goes through a ReLU."""

    __call__: Callable[..., Tensor]

    def __init__(self, n_inputs: int, n_outputs: int, kernel_sizes: OddWidths) -> None:
        super().__init__()
        widths = [n_inputs, *[n_outputs] * len(kernel_sizes)]
        self.layers = nn.ModuleList(
            ConvolutionNorm(*sizes, kernel)
            for sizes, kernel in zip(pairwise(widths), kernel_sizes, strict=True)
        )
        self.shortcut = Shortcut(n_inputs, n_outputs, mix=False)

    def forward(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Map windows (B, C, T) to (B, D, T), zero after each end."""
        added = self.shortcut(x, lengths)
        *first, last = self.layers
        for layer in first:
            x = layer(x, lengths).relu()
        return (last(x, lengths) + added).relu()


@ARCHITECTURES.register(
    "resnet",
    accepts=("series", "tokens"),
    space={
        "widths": ((32, 64, 64), (64, 128, 128), (128, 256, 256)),
        "dropout": {"low": 0.0, "high": 0.5},
    },
)
class ResNetEncoder(Encoder):
    """Blocks of three convolutions with a shortcut past each block.

    Parameters
    ----------
    n_channels
        Channels C of a window.
    widths
        Features of each block; the last is D.
    kernel_sizes
        Filter lengths of the convolutions of a block, in samples; odd, so that
        frames stay centred.
    dropout
        Probability to drop a feature after each block.
    pooling
        How a head pools the frames: last, mean or attention.

    Notes
    -----
    (B, T, C) -> (B, T, D). Departs from the source in the first filter of a
    block, of 7 samples in place of 8.

    References
    ----------
    Wang, Yan, Oates (2017). Time series classification from scratch with deep
    neural networks: a strong baseline. IJCNN, section II-C. arXiv:1611.06455
    """

    def __init__(
        self,
        n_channels: int,
        *,
        widths: Widths = (64, 128, 128),
        kernel_sizes: OddWidths = (7, 5, 3),
        dropout: Dropout = 0.0,
        pooling: Pooling = "mean",
    ) -> None:
        super().__init__(pooling)
        self.n_features = widths[-1]
        self.blocks = nn.ModuleList(
            ResidualBlock(*sizes, kernel_sizes) for sizes in pairwise([n_channels, *widths])
        )
        self.dropout = BitDropout(dropout)

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Encode windows (B, T, C); see `Encoder.encode`."""
        x = x.transpose(1, 2)
        for block in self.blocks:
            x = self.dropout(block(x, lengths))
        return x.transpose(1, 2)


class InceptionModule(nn.Module):
    """Filters of several lengths side by side, and the largest of three samples, normalised.

    The longer filters read few mixtures of the features, if `bottleneck` is given.
    """

    __call__: Callable[..., Tensor]

    def __init__(
        self, n_inputs: int, n_filters: int, kernel_sizes: OddWidths, bottleneck: int | None
    ) -> None:
        super().__init__()
        self.bottleneck = (
            nn.Identity() if bottleneck is None else same_length(n_inputs, bottleneck, 1)
        )
        self.filters = nn.ModuleList(
            same_length(bottleneck or n_inputs, n_filters, size) for size in kernel_sizes
        )
        self.of_largest = same_length(n_inputs, n_filters, 1)
        self.norm = MaskedBatchNorm1d(n_filters * (len(kernel_sizes) + 1))

    def forward(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Map windows (B, C, T) to (B, D, T), zero after each end."""
        mixed = self.bottleneck(x)
        branches = [convolution(mixed) for convolution in self.filters]
        branches.append(self.of_largest(largest_nearby(x, lengths)))
        return self.norm(torch.cat(branches, dim=1), lengths)


@ARCHITECTURES.register(
    "inception_time",
    accepts=("series", "tokens"),
    space={"n_filters": (16, 32, 64), "n_modules": (3, 6), "dropout": {"low": 0.0, "high": 0.5}},
)
class InceptionTimeEncoder(Encoder):
    """Modules of filters of three lengths side by side, with shortcuts past three modules each.

    Parameters
    ----------
    n_channels
        Channels C of a window.
    n_filters
        Filters of each length; D is this times one more than there are lengths.
    kernel_sizes
        Lengths of the filters in samples; odd, so that frames stay centred.
    n_modules
        Modules on top of each other.
    bottleneck
        Features that the filters of a module read; of one channel they read itself.
    dropout
        Probability to drop a feature after each module.
    pooling
        How a head pools the frames: last, mean or attention.

    Notes
    -----
    (B, T, C) -> (B, T, D). One network, of which the source averages five, as
    the mean over seeds does here. Departs from the source in its filters, each
    one sample shorter than 40, 20 and 10.

    References
    ----------
    Ismail Fawaz et al. (2020). InceptionTime: finding AlexNet for time series
    classification. Data Mining and Knowledge Discovery 34:1936-1962, section 3.
    arXiv:1909.04939
    """

    def __init__(
        self,
        n_channels: int,
        *,
        n_filters: Count = 32,
        kernel_sizes: OddWidths = (39, 19, 9),
        n_modules: Layers = 6,
        bottleneck: Count = 32,
        dropout: Dropout = 0.0,
        pooling: Pooling = "mean",
    ) -> None:
        super().__init__(pooling)
        self.n_features = n_filters * (len(kernel_sizes) + 1)
        inputs = [n_channels, *[self.n_features] * (n_modules - 1)]
        self.stages = nn.ModuleList(
            InceptionModule(n, n_filters, kernel_sizes, bottleneck if n > 1 else None)
            for n in inputs
        )
        self.shortcuts = nn.ModuleList(
            Shortcut(inputs[i], self.n_features, mix=True)
            for i in range(0, n_modules - MODULES_PER_SHORTCUT + 1, MODULES_PER_SHORTCUT)
        )
        self.dropout = BitDropout(dropout)

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Encode windows (B, T, C); see `Encoder.encode`."""
        x = x.transpose(1, 2)
        before = x
        for i, stage in enumerate(self.stages, start=1):
            x = stage(x, lengths).relu()
            if i % MODULES_PER_SHORTCUT == 0:
                shortcut = self.shortcuts[i // MODULES_PER_SHORTCUT - 1]
                x = before = (x + shortcut(before, lengths)).relu()
            x = self.dropout(x)
        return x.transpose(1, 2)


def same_length(n_inputs: int, n_outputs: int, kernel_size: int) -> Conv1d:
    """Return a convolution of odd length that gives as many samples as it takes, without bias."""
    return Conv1d(n_inputs, n_outputs, kernel_size, padding=kernel_size // 2, bias=False)


def largest_nearby(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Return the largest of three samples around each of windows (B, C, T), zero after each end."""
    if lengths is None:
        return F.max_pool1d(x, POOLED_SAMPLES, stride=1, padding=POOLED_SAMPLES // 2)
    is_past = ~inside(lengths, x.shape[2], x.device)[:, None]
    low = x.masked_fill(is_past, -torch.inf)  # else the zeros of padding would be the largest
    pooled = F.max_pool1d(low, POOLED_SAMPLES, stride=1, padding=POOLED_SAMPLES // 2)
    return pooled.masked_fill(is_past, 0.0)
