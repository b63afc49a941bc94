"""Convolutions over pictures, frame by frame."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from seqbench.config.options import Count, Dropout, OddWidths, Pooling, Widths
from seqbench.config.registry import ARCHITECTURES
from seqbench.models.base import Encoder, inside, like
from seqbench.models.dropout import BitDropout


class PictureBlocks(nn.Module):
    """Blocks of convolution, batch norm, ReLU and 2 x 2 maximum: pictures to smaller maps.

    Parameters
    ----------
    shape
        Planes, rows and columns (C, H, W) of a picture.
    widths, kernel_sizes, dropout
        As of `Cnn2dEncoder`.

    Attributes
    ----------
    shape
        Of the maps: features, rows and columns. A last odd row or column is kept.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        widths: tuple[int, ...],
        kernel_sizes: tuple[int, ...],
        dropout: float,
    ) -> None:
        super().__init__()
        planes, rows, columns = shape
        self.blocks = nn.Sequential()
        for width, size in zip(widths, kernel_sizes, strict=True):
            self.blocks += nn.Sequential(
                nn.Conv2d(planes, width, size, padding=size // 2, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(),
                nn.MaxPool2d(2, ceil_mode=True),
                BitDropout(dropout),
            )
            planes, rows, columns = width, math.ceil(rows / 2), math.ceil(columns / 2)
        self.shape = (planes, rows, columns)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return maps (S, *shape) of pictures (S, C, H, W)."""
        maps: Tensor = self.blocks(pictures)
        return maps


def per_frame(
    function: Callable[[Tensor], Tensor], x: Tensor, lengths: Tensor | None = None
) -> Tensor:
    """Apply a function of pictures (S, C, H, W) to every frame of videos.

    Returns
    -------
    Tensor
        (B, T, ...), zero after each end: padding never reaches the function or
        the statistics that it keeps.
    """
    if lengths is None:
        values = function(x.flatten(0, 1))
        return values.reshape(x.shape[0], x.shape[1], *values.shape[1:])
    is_inside = inside(lengths, x.shape[1], x.device)
    values = function(x[is_inside])
    frames = torch.zeros(*x.shape[:2], *values.shape[1:], dtype=values.dtype, device=x.device)
    return frames.masked_scatter(like(is_inside, frames), values)


@ARCHITECTURES.register(
    "cnn2d",
    accepts=("video",),
    same_length=("widths", "kernel_sizes"),
    space={
        "widths": ((16, 32), (32, 64), (64, 128)),
        "hidden_size": (64, 128, 256),
        "dropout": {"low": 0.0, "high": 0.5},
    },
)
class Cnn2dEncoder(Encoder):
    """Blocks of convolution and 2 x 2 maximum over each frame, then a layer of hidden units.

    Parameters
    ----------
    frame_shape
        Planes, rows and columns (C, H, W) of a frame.
    widths
        Output features of each convolution.
    kernel_sizes
        Rows and columns of the filters of each convolution; odd.
    hidden_size
        Units D after the last maps.
    dropout
        Probability to drop a feature after each block and a hidden unit.
    pooling
        How a head pools the frames: last, mean or attention.

    Notes
    -----
    (B, T, C, H, W) -> (B, T, D). The plan of LeNet-5, with rectifiers, maxima
    and batch norm in the place of its sigmoids and means.

    References
    ----------
    LeCun, Bottou, Bengio, Haffner (1998). Gradient-based learning applied to
    document recognition. Proceedings of the IEEE 86(11), section II-B.
    """

    def __init__(
        self,
        frame_shape: tuple[int, int, int],
        *,
        widths: Widths = (32, 64),
        kernel_sizes: OddWidths = (3, 3),
        hidden_size: Count = 128,
        dropout: Dropout = 0.1,
        pooling: Pooling = "mean",
    ) -> None:
        super().__init__(pooling)
        self.n_features = hidden_size
        self.convolution = PictureBlocks(frame_shape, widths, kernel_sizes, dropout)
        self.hidden = nn.Sequential(
            nn.Flatten(),
            nn.Linear(math.prod(self.convolution.shape), hidden_size),
            nn.ReLU(),
            BitDropout(dropout),
        )

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Encode videos (B, T, C, H, W); see `Encoder.encode`."""
        return per_frame(lambda pictures: self.hidden(self.convolution(pictures)), x, lengths)
