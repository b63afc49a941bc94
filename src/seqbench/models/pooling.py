"""From frames to one vector per window, blind to padding."""

import torch
from torch import Tensor, nn

from seqbench.models.base import Encoder, inside
from seqbench.models.dropout import BitDropout


class Pool(nn.Module):
    """Reduce frames (B, F, D) to one vector per window (B, D).

    Parameters
    ----------
    n_features
        Features D of a frame.
    pooling
        ``last``: the final state, of each direction of a bidirectional
        encoder. ``mean``: over the window's own frames. ``attention``: mean
        weighted by a softmax over a learned score of each frame.
    n_backward_features
        How many features, the last ones, end at frame 0.

    Raises
    ------
    ValueError
        If `pooling` is none of the three.
    """

    def __init__(self, n_features: int, pooling: str, n_backward_features: int = 0) -> None:
        super().__init__()
        if pooling not in ("last", "mean", "attention"):
            raise ValueError(f"unknown pooling '{pooling}'; known are last, mean, attention")
        self.pooling = pooling
        self.n_forward_features = n_features - n_backward_features
        self.score = nn.Linear(n_features, 1) if pooling == "attention" else None

    def forward(self, frames: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Pool frames (B, F, D), each window over its first `lengths` (B,) frames."""
        if self.score is not None:
            scores = self.score(frames).squeeze(-1)  # (B, F)
            if lengths is not None:
                scores = scores.masked_fill(
                    ~inside(lengths, frames.shape[1], frames.device), -torch.inf
                )
            return torch.einsum("bf,bfd->bd", scores.softmax(dim=1), frames)
        if self.pooling == "mean":
            if lengths is None:
                return frames.mean(dim=1)
            return frames.sum(dim=1) / lengths.to(frames.device)[:, None]
        if lengths is None:
            final = frames[:, -1]
        else:
            rows = torch.arange(len(frames), device=frames.device)
            final = frames[rows, lengths.to(frames.device) - 1]
        forward, backward = final[:, : self.n_forward_features], frames[:, 0]
        return torch.cat([forward, backward[:, self.n_forward_features :]], dim=1)


class PooledLinear(nn.Module):
    """Pool the frames of an encoder, drop out, and map linearly: (B, F, D) to (B, n_outputs)."""

    def __init__(self, encoder: Encoder, n_outputs: int, dropout: float) -> None:
        super().__init__()
        self.pool = Pool(encoder.n_features, encoder.pooling, encoder.n_backward_features)
        self.dropout = BitDropout(dropout)
        self.linear = nn.Linear(encoder.n_features, n_outputs)

    def forward(self, frames: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Map frames, each window over its first `lengths` (B,) frames."""
        return self.linear(self.dropout(self.pool(frames, lengths)))
