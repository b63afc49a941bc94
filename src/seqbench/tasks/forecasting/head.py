"""Output layer of forecasting."""

import numpy as np
import torch
from torch import Tensor

from seqbench.models.base import Encoder
from seqbench.models.pooling import PooledLinear
from seqbench.storage.normalization import Normalization
from seqbench.storage.windows import WindowSet
from seqbench.tasks.head import Head
from seqbench.tasks.sample_head import squared_errors
from seqbench.windowing.transform import past, restored


class ForecastingHead(Head):
    """Pool, then all D values of all H samples behind the window at once.

    Parameters
    ----------
    encoder
        Says how its frames are pooled.
    normalization
        Of the transformed series, (D,), from train.
    horizon_samples
        Samples H to tell.
    dropout
        Between pooled features and the output layer.
    """

    measured = "mse"
    centre: Tensor
    scale: Tensor

    def __init__(
        self,
        encoder: Encoder,
        normalization: Normalization,
        horizon_samples: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.shape = (horizon_samples, len(normalization.centre))
        self.output = PooledLinear(encoder, self.shape[0] * self.shape[1], dropout)
        self.register_buffer("centre", torch.from_numpy(normalization.centre), persistent=False)
        self.register_buffer("scale", torch.from_numpy(normalization.scale), persistent=False)

    def forward(self, frames: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return normalised forecasts, (B, H, D)."""
        return self.output(frames, lengths).unflatten(1, self.shape)

    def loss(self, logits: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return the mean squared error of normalised values, (B, H, D); about 1 for their mean."""
        del weight  # classes have no part in it
        squared, is_known = squared_errors(logits, target)
        return squared.sum() / is_known.sum().clamp(min=1)

    def scores(self, logits: Tensor) -> Tensor:
        """Return forecasts of the transformed series, (B, H, D)."""
        return logits.double() * self.scale + self.centre

    def finish(self, windows: WindowSet, answer: np.ndarray) -> np.ndarray:
        """Return forecasts (N, H, D) of the series itself."""
        transform = windows.told.transform
        return restored(answer, past(windows, transform.n_lost), transform)

    def measure(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the mean squared error of each window, (B,), normalised."""
        squared, is_known = squared_errors(logits, target)
        return squared.sum(dim=(1, 2)) / is_known.sum(dim=(1, 2)).clamp(min=1)
