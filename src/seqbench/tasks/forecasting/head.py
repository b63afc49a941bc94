"""Output layer of forecasting."""

import math
from collections.abc import Sequence

from torch import Tensor, nn

from seqbench.models.base import Encoder
from seqbench.models.conv_lstm import MapForecaster
from seqbench.models.linear import ChannelForecaster
from seqbench.models.pooling import PooledLinear
from seqbench.storage.normalization import Normalization
from seqbench.tasks.head import ValueHead


class ForecastingHead(ValueHead):
    """Pool, then all D values of all H samples behind the window at once.

    Of video all pixels of all H frames. Where the frames of the encoder are
    maps, a convolutional LSTM carries on the last ones instead, step by step;
    where they are samples of channels, linear maps in time give each channel.

    Parameters
    ----------
    encoder
        Gives the pooling of its frames, or which maps they are.
    normalization
        Of the transformed series, (D,), from train.
    horizon_samples
        Samples H to predict.
    window_samples
        Samples of the windows; maps in time are of this length.
    dropout
        Between pooled features and the output layer; maps know of none.
    frame_size
        Of video: rows and columns of a frame.
    instance_norm
        Whether windows are normalised one by one, and forecasts brought back.
    """

    def __init__(
        self,
        encoder: Encoder,
        normalization: Normalization,
        horizon_samples: int,
        window_samples: int,
        dropout: float,
        frame_size: Sequence[int] = (),
        *,
        instance_norm: bool = False,
    ) -> None:
        super().__init__()
        self.shape = (horizon_samples, len(normalization.centre), *frame_size)
        self.instance_norm = instance_norm
        self.output: nn.Module
        if encoder.n_components:
            self.output = ChannelForecaster(encoder, window_samples, horizon_samples)
        elif encoder.map_shape is None or not frame_size:
            self.output = PooledLinear(encoder, math.prod(self.shape), dropout)
        else:
            self.output = MapForecaster(encoder.map_shape, encoder.map_stride, self.shape)
        self.keep_units(normalization, (-1, *(1 for _ in frame_size)))

    def forward(self, frames: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return normalised forecasts, (B, H, D) or (B, H, C, rows, columns)."""
        return self.output(frames, lengths).reshape(-1, *self.shape)
