"""A U-Net in time: every sample sees far, and keeps its place."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from seqbench.config.options import Count, Dropout, OddCount, Pooling, Widths
from seqbench.config.registry import ARCHITECTURES
from seqbench.errors import UserError
from seqbench.models.base import Encoder, frames_of
from seqbench.models.cnn1d import MaskedBatchNorm1d
from seqbench.models.convolution import Conv1d
from seqbench.models.dropout import BitDropout


class _Block(nn.Module):
    """A convolution, plain or transposed, batch norm, ReLU and dropout over (B, D, F)."""

    def __init__(self, convolution: nn.Module, n_features: int, dropout: float) -> None:
        super().__init__()
        self.convolution = convolution
        self.norm = MaskedBatchNorm1d(n_features)
        self.dropout = BitDropout(dropout)

    def forward(self, x: Tensor, lengths: Tensor | None, n_frames: int | None = None) -> Tensor:
        """Return frames, 0 past `lengths` (B,) of them; `n_frames` if transposed."""
        x = self.convolution(x) if n_frames is None else self.convolution(x, [n_frames])
        filtered: Tensor = self.dropout(self.norm(x, lengths).relu())
        return filtered


@ARCHITECTURES.register(
    "event_unet",
    accepts=("series",),
    space={"kernel_size": (5, 7, 11), "dropout": {"low": 0.0, "high": 0.5}},
)
class EventUnetEncoder(Encoder):
    """Convolutions down to a coarse rate and back up, joined at every rate.

    Parameters
    ----------
    n_channels
        Channels C of a window.
    widths
        Features at each rate, from the samples down; one rate fewer than
        widths is a step down.
    kernel_size
        Length of every filter in samples of its input; odd, at least `step`.
    step
        How many times coarser each rate is than the one before.
    stride
        Samples between the output frames: 1, or a power of `step` up to the
        coarsest rate, at which the way up ends.
    dropout
        Probability to drop a feature after each convolution.
    pooling
        How a head pools the frames: last, mean or attention.

    Raises
    ------
    UserError
        If `kernel_size` is less than `step`, or `stride` is no rate of the network.

    Notes
    -----
    (B, T, C) -> (B, ceil(T / stride), D), any T; D is the width at that rate.
    Departs from the source in its zero padding, which needs no length that
    the steps divide, and in statistics that leave padding out.

    References
    ----------
    Zhu, Beroza (2019). PhaseNet: a deep-neural-network-based seismic
    arrival-time picking method. Geophysical Journal International 216:261-273.
    """

    def __init__(
        self,
        n_channels: int,
        *,
        widths: Widths = (8, 16, 32, 64, 128),
        kernel_size: OddCount = 7,
        step: Count = 4,
        stride: Count = 1,
        dropout: Dropout = 0.0,
        pooling: Pooling = "mean",
    ) -> None:
        super().__init__(pooling)
        if kernel_size < step:
            raise UserError(
                f"kernel_size {kernel_size} leaves gaps between samples {step} apart; make it at"
                " least step"
            )
        rates = [step**level for level in range(len(widths))]
        if stride not in rates:
            raise UserError(
                f"stride {stride} is no rate of this network; choose one of"
                f" {', '.join(map(str, dict.fromkeys(rates)))}"
            )
        self.stride = stride
        self.step = step
        self.n_features = widths[rates.index(stride)]
        padding = kernel_size // 2

        def block(n_inputs: int, n_outputs: int, step: int = 1, *, up: bool = False) -> _Block:
            kind = nn.ConvTranspose1d if up else Conv1d
            convolution = kind(
                n_inputs, n_outputs, kernel_size, stride=step, padding=padding, bias=False
            )
            return _Block(convolution, n_outputs, dropout)

        pairs = list(pairwise(widths))
        way_up = pairs[rates.index(stride) :]
        self.entry = block(n_channels, widths[0])
        self.down = nn.ModuleList(block(fine, fine, step) for fine, _ in pairs)
        self.deepen = nn.ModuleList(block(fine, coarse) for fine, coarse in pairs)
        self.up = nn.ModuleList(
            block(coarse, fine, step, up=True) for fine, coarse in reversed(way_up)
        )
        self.join = nn.ModuleList(block(2 * fine, fine) for fine, _ in reversed(way_up))

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Encode windows (B, T, C); see `Encoder.encode`."""
        x = self.entry(x.transpose(1, 2), lengths)
        skips = []
        for down, deepen in zip(self.down, self.deepen, strict=True):
            skips.append((x, lengths))
            lengths = frames_of(lengths, self.step)
            x = deepen(down(x, lengths), lengths)
        for up, join in zip(self.up, self.join, strict=True):
            skipped, lengths = skips.pop()
            x = up(x, lengths, skipped.shape[2])
            x = join(torch.cat([skipped, x], dim=1), lengths)
        return x.transpose(1, 2)
