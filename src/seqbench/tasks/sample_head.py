"""Output layer of tasks with a target for every sample."""

import torch
from torch import Tensor, nn

from seqbench.models.base import Encoder
from seqbench.tasks.head import Head


class SampleHead(Head):
    """Frames to the samples they stand for, linearly: a frame predicts `stride` samples.

    Parameters
    ----------
    encoder
        Gives its features D and its stride.
    n_outputs
        Numbers A predicted for each sample.
    dropout
        Before the output layer.
    """

    reads = "samples"

    def __init__(self, encoder: Encoder, n_outputs: int, dropout: float) -> None:
        super().__init__()
        self.n_outputs = n_outputs
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(encoder.n_features, encoder.stride * n_outputs)

    def forward(self, frames: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return numbers for samples, (B, F * stride, A); those past the end mean nothing."""
        del lengths  # targets end where windows do
        logits: Tensor = self.linear(self.dropout(frames))
        return logits.reshape(len(frames), -1, self.n_outputs)


def squared_errors(prediction: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Return squared errors (B, T, ...), 0 where the target is NaN, and where it is not."""
    is_known = target.isfinite()
    error = torch.where(is_known, prediction.float() - target.nan_to_num(), 0.0)
    return error.square(), is_known
