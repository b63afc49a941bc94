"""When each type of event occurs, by weights of its own.

Shapes: B windows, F frames, D features, K types of event.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqbench.models.base import inside

PADDING_LOGIT = -1e4  # vanishes in a softmax, yet finite: gradients and half precision hold


def mask_padding(logits: Tensor, n_frames: Tensor | None) -> Tensor:
    """Return logits (B, F, K) that vanish in a softmax over time past the end of each window."""
    if n_frames is None:
        return logits
    is_inside = inside(n_frames, logits.shape[1], logits.device)[..., None]
    return logits.masked_fill(~is_inside, PADDING_LOGIT)


class EventSpecificTimingHeads(nn.Module):
    """Timing logits from self-attention and a two-layer network for each type.

    Parameters
    ----------
    num_events
        Types K.
    hidden_size
        Features D of a frame.
    dropout
        Probability to drop a feature before the output.
    num_heads, head_size
        Heads of each type's attention and the features of a head.

    Notes
    -----
    Each type has weights of its own; the present types of a batch are computed
    together, absent ones not at all. The attended frame is added to the frame
    before the network, which halves D and then gives the logit.
    """

    def __init__(
        self,
        num_events: int,
        hidden_size: int,
        dropout: float = 0.2,
        *,
        num_heads: int = 4,
        head_size: int = 8,
    ) -> None:
        super().__init__()
        self.num_events = num_events
        self.num_heads = num_heads
        attended, half = num_heads * head_size, max(1, hidden_size // 2)
        self.project = _TypedLinear(num_events, hidden_size, 3 * attended)
        self.attend = _TypedLinear(num_events, attended, hidden_size)
        self.halve = _TypedLinear(num_events, hidden_size, half)
        self.output = _TypedLinear(num_events, half, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        lstm_features: Tensor,
        event_mask: Tensor | None = None,
        lengths: Tensor | None = None,
    ) -> Tensor:
        """Compute the timing logits of frames.

        Parameters
        ----------
        lstm_features
            Frames, (B, F, D).
        event_mask
            True or above 0.5 where a type is in a window, (B, K); None: all
            types are computed.
        lengths
            Frames of each window, (B,); None: all have F.

        Returns
        -------
        Tensor
            Logits for a softmax over time, (B, F, K). Those of an absent type
            are all 0, a uniform distribution; past the end of a window they
            are -10,000.
        """
        n_windows, n_frames, _ = lstm_features.shape
        if event_mask is None:
            event_mask = lstm_features.new_ones(n_windows, self.num_events)
        row, kind = torch.nonzero(event_mask > 0.5, as_tuple=True)  # P pairs
        frames = lstm_features[row]
        projected = self.project(frames, kind).unflatten(2, (3, self.num_heads, -1))
        query, key, value = projected.permute(2, 0, 3, 1, 4)
        mask = None
        if lengths is not None:
            mask = inside(lengths, n_frames, frames.device)[row][:, None, None]
        attended = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        frames = frames + self.attend(attended.transpose(1, 2).flatten(2), kind)
        present = self.output(self.dropout(self.halve(frames, kind).relu()), kind)[..., 0]  # (P, F)
        logits = present.new_zeros(n_windows, self.num_events, n_frames)
        logits = logits.index_put((row, kind), present).transpose(1, 2)
        return mask_padding(logits, lengths)


class _TypedLinear(nn.Module):
    """A linear layer for each type: (P, F, n_inputs) of types (P,) to (P, F, n_outputs)."""

    def __init__(self, n_types: int, n_inputs: int, n_outputs: int) -> None:
        super().__init__()
        bound = n_inputs**-0.5
        self.weight = nn.Parameter(
            torch.empty(n_types, n_inputs, n_outputs).uniform_(-bound, bound)
        )
        self.bias = nn.Parameter(torch.empty(n_types, 1, n_outputs).uniform_(-bound, bound))

    def forward(self, x: Tensor, kind: Tensor) -> Tensor:
        """Map each row of `x` by the layer of its type."""
        return torch.baddbmm(self.bias[kind], x, self.weight[kind])
