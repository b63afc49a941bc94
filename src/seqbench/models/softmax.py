"""Pixels as features: with the output layer, softmax regression."""

from torch import Tensor

from seqbench.config.options import Pooling
from seqbench.config.registry import ARCHITECTURES
from seqbench.models.base import Encoder, ended


@ARCHITECTURES.register("softmax", accepts=("video",))
class SoftmaxEncoder(Encoder):
    """The pixels of a frame as its features; all weights are in the linear head.

    Parameters
    ----------
    frame_shape
        Planes, rows and columns (C, H, W) of a frame.
    pooling
        How a head pools the frames: last, mean or attention.

    Notes
    -----
    (B, T, C, H, W) -> (B, T, C * H * W). On an image the whole model is
    multinomial logistic regression, the least that a network must beat.
    """

    def __init__(self, frame_shape: tuple[int, int, int], *, pooling: Pooling = "mean") -> None:
        super().__init__()
        self.pooling = pooling
        planes, rows, columns = frame_shape
        self.n_features = planes * rows * columns

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Encode videos (B, T, C, H, W); see `Encoder.encode`."""
        return ended(x.flatten(2), lengths)
