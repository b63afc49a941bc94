"""Dense layers alone: the same ones for every sample, or none before the linear head."""

from torch import Tensor, nn

from seqbench.config.options import Dropout, Pooling, Widths
from seqbench.config.registry import ARCHITECTURES
from seqbench.models.base import Encoder, ended
from seqbench.models.dropout import BitDropout


@ARCHITECTURES.register(
    "mlp",
    accepts=("series", "tokens"),
    space={
        "hidden_sizes": ((64,), (64, 64), (128, 128), (128, 128, 128)),
        "dropout": {"low": 0.0, "high": 0.5},
    },
)
class MlpEncoder(Encoder):
    """Dense layers with ReLU, each sample by itself.

    Parameters
    ----------
    n_channels
        Channels C of a window.
    hidden_sizes
        Features of each layer; the last is D.
    dropout
        Probability to drop a feature of each layer.
    pooling
        How a head pools the frames: last, mean or attention.

    Notes
    -----
    (B, T, C) -> (B, T, D). On windows of one sample, the rows of a table, this
    is the usual multilayer perceptron; on longer ones the order of samples has
    no effect.

    References
    ----------
    Rumelhart, Hinton, Williams (1986). Learning representations by
    back-propagating errors. Nature 323:533-536.
    """

    def __init__(
        self,
        n_channels: int,
        *,
        hidden_sizes: Widths = (64, 64),
        dropout: Dropout = 0.0,
        pooling: Pooling = "mean",
    ) -> None:
        super().__init__(pooling)
        self.n_features = hidden_sizes[-1]
        inputs = [n_channels, *hidden_sizes[:-1]]
        self.layers = nn.ModuleList(
            nn.Linear(i, o) for i, o in zip(inputs, hidden_sizes, strict=True)
        )
        self.dropout = BitDropout(dropout)

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Encode windows (B, T, C); see `Encoder.encode`."""
        for layer in self.layers:
            x = self.dropout(layer(x).relu())
        return ended(x, lengths)


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
        super().__init__(pooling)
        planes, rows, columns = frame_shape
        self.n_features = planes * rows * columns

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Encode videos (B, T, C, H, W); see `Encoder.encode`."""
        return ended(x.flatten(2), lengths)
