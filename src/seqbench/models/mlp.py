"""The same dense layers for every sample, whatever their order."""

from torch import Tensor, nn

from seqbench.config.options import Dropout, Pooling, Widths
from seqbench.config.registry import ARCHITECTURES
from seqbench.models.base import Encoder, ended


@ARCHITECTURES.register("mlp", accepts=("series", "tokens"))
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
        super().__init__()
        self.pooling = pooling
        self.n_features = hidden_sizes[-1]
        inputs = [n_channels, *hidden_sizes[:-1]]
        self.layers = nn.ModuleList(
            nn.Linear(i, o) for i, o in zip(inputs, hidden_sizes, strict=True)
        )
        self.dropout = nn.Dropout(dropout)

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Encode windows (B, T, C); see `Encoder.encode`."""
        for layer in self.layers:
            x = self.dropout(layer(x).relu())
        return ended(x, lengths)
