"""Convolutions over a picture, whose map an LSTM reads as a sequence."""

from torch import Tensor

from seqbench.config.options import Count, Dropout, Layers, OddWidths, Pooling, Widths
from seqbench.config.registry import ARCHITECTURES
from seqbench.models.base import Encoder
from seqbench.models.cnn2d import PictureBlocks, per_frame
from seqbench.models.pooling import Pool
from seqbench.models.recurrent import LstmEncoder


@ARCHITECTURES.register(
    "cnn_lstm_2d",
    accepts=("video",),
    same_length=("widths", "kernel_sizes"),
    space={
        "widths": ((16, 32), (32, 64), (64, 128)),
        "hidden_size": (64, 128, 256),
        "dropout": {"low": 0.0, "high": 0.5},
    },
)
class CnnLstm2dEncoder(Encoder):
    """Blocks of convolution and 2 x 2 maximum, then an LSTM down the rows of the map.

    Parameters
    ----------
    frame_shape
        Planes, rows and columns (C, H, W) of a frame.
    widths
        Output features of each convolution.
    kernel_sizes
        Rows and columns of the filters of each convolution; odd.
    hidden_size
        Units of each LSTM layer and direction; D is this, twice if bidirectional.
    n_layers
        LSTM layers.
    bidirectional
        Read the rows of the map from the last to the first as well.
    dropout
        Probability to drop a feature after each block and between layers.
    pooling
        How a head pools the frames: last, mean or attention.

    Notes
    -----
    (B, T, C, H, W) -> (B, T, D). A step of the LSTM is a row of the last map:
    all its columns of all its features. Its final states are the frame. Were the
    whole map one step, as in the exercise that it is taken from, the LSTM
    would have no sequence to read.
    """

    def __init__(
        self,
        frame_shape: tuple[int, int, int],
        *,
        widths: Widths = (32, 64),
        kernel_sizes: OddWidths = (3, 3),
        hidden_size: Count = 128,
        n_layers: Layers = 1,
        bidirectional: bool = False,
        dropout: Dropout = 0.1,
        pooling: Pooling = "mean",
    ) -> None:
        super().__init__(pooling)
        self.convolution = PictureBlocks(frame_shape, widths, kernel_sizes, dropout)
        planes, _, columns = self.convolution.shape
        self.recurrence = LstmEncoder(
            planes * columns,
            hidden_size=hidden_size,
            n_layers=n_layers,
            bidirectional=bidirectional,
            dropout=dropout,
        )
        self.n_features = self.recurrence.n_features
        self.final = Pool(self.n_features, "last", self.recurrence.n_backward_features)

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Encode videos (B, T, C, H, W); see `Encoder.encode`."""
        return per_frame(self._read, x, lengths)

    def _read(self, pictures: Tensor) -> Tensor:
        rows = self.convolution(pictures).transpose(1, 2).flatten(2)  # (S, H', C' * W')
        state: Tensor = self.final(self.recurrence(rows))
        return state
