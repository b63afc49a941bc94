"""Linear forecasts, each channel by itself: encoders that part a window, and the layer on them."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqbench.config.options import OddCount
from seqbench.config.registry import ARCHITECTURES
from seqbench.errors import UserError
from seqbench.models.base import Encoder, ended


@ARCHITECTURES.register(
    "dlinear",
    accepts=("series",),
    tasks=("forecasting",),
    space={"trend_samples": (5, 13, 25, 49)},
)
class DLinearEncoder(Encoder):
    """Trend and remainder of every channel, each for a linear map in time of its own.

    Parameters
    ----------
    n_channels
        Channels C of a window.
    trend_samples
        Samples of the moving mean that is the trend; odd, so that it is centred.

    Notes
    -----
    (B, T, C) -> (B, T, 2C); nothing is learned but the maps of `ChannelForecaster`.
    The mean repeats the first and the last sample beyond both ends.

    References
    ----------
    Zeng, Chen, Zhang, Xu (2023). Are transformers effective for time series
    forecasting? AAAI, section 4. arXiv:2205.13504
    """

    n_components = 2

    def __init__(self, n_channels: int, *, trend_samples: OddCount = 25) -> None:
        super().__init__()
        self.n_features = 2 * n_channels
        self.reach = trend_samples // 2

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Encode windows (B, T, C); see `Encoder.encode`."""
        n_samples = x.shape[1]
        offset = torch.arange(-self.reach, n_samples + self.reach, device=x.device)
        place = offset.clamp(0, n_samples - 1)
        if lengths is None:
            around = x[:, place]
        else:
            place = place.minimum(lengths.to(x.device)[:, None] - 1)
            around = x.gather(1, place[..., None].expand(-1, -1, x.shape[2]))
        trend = F.avg_pool1d(around.transpose(1, 2), 2 * self.reach + 1, stride=1).transpose(1, 2)
        return ended(torch.cat([trend, x - trend], dim=2), lengths)


@ARCHITECTURES.register("nlinear", accepts=("series",), tasks=("forecasting",))
class NLinearEncoder(Encoder):
    """Samples as they are, for a linear map in time of what differs from the last one.

    Parameters
    ----------
    n_channels
        Channels C of a window.

    Notes
    -----
    (B, T, C) -> (B, T, C); nothing is learned but the map of `ChannelForecaster`.

    References
    ----------
    Zeng, Chen, Zhang, Xu (2023). Are transformers effective for time series
    forecasting? AAAI, section 4. arXiv:2205.13504
    """

    n_components = 1
    counts_from_last = True

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        self.n_features = n_channels

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Encode windows (B, T, C); see `Encoder.encode`."""
        return x


class ChannelForecaster(nn.Module):
    """A linear map in time for each component of a channel, the same for all channels, summed.

    Parameters
    ----------
    encoder
        Its frames are samples: `n_components` times C features.
    n_samples
        Samples T of a window.
    horizon_samples
        Samples H to predict.

    Notes
    -----
    (B, T, n_components * C) -> (B, H, C).
    """

    def __init__(self, encoder: Encoder, n_samples: int, horizon_samples: int) -> None:
        super().__init__()
        self.n_samples = n_samples
        self.counts_from_last = encoder.counts_from_last
        self.maps = nn.ModuleList(
            nn.Linear(n_samples, horizon_samples) for _ in range(encoder.n_components)
        )

    def forward(self, frames: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the samples behind windows, all of T samples.

        Raises
        ------
        UserError
            If windows have another length.
        """
        if lengths is not None or frames.shape[1] != self.n_samples:
            raise UserError(
                f"this model forecasts from windows of {self.n_samples} samples; give windows of"
                " that length"
            )
        last = frames[:, -1:]
        series = frames - last if self.counts_from_last else frames
        parts = series.transpose(1, 2).chunk(len(self.maps), dim=1)
        forecast = torch.stack(
            [linear(part) for linear, part in zip(self.maps, parts, strict=True)]
        ).sum(dim=0)
        forecast = forecast.transpose(1, 2)
        return forecast + last if self.counts_from_last else forecast
