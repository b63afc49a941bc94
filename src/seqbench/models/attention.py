"""Self-attention over the frames of windows of unequal length."""

import torch.nn.functional as F
from torch import Tensor, nn

from seqbench.errors import UserError
from seqbench.models.base import inside


class MultiHeadAttention(nn.Module):
    """Multi-head self-attention between the frames of a window; padding has no effect.

    Parameters
    ----------
    n_features
        Features D of a frame.
    n_heads
        Heads, which share the features evenly.
    causal
        Let a frame attend to itself and those before it only.

    Raises
    ------
    UserError
        If the heads cannot share the features evenly.

    References
    ----------
    Vaswani et al. (2017). Attention is all you need. NeurIPS, section 3.2.
    arXiv:1706.03762
    """

    def __init__(self, n_features: int, n_heads: int, *, causal: bool = False) -> None:
        super().__init__()
        if n_features % n_heads:
            raise UserError(
                f"{n_heads} heads cannot share {n_features} features evenly; change n_heads or"
                " hidden_size"
            )
        self.n_heads = n_heads
        self.causal = causal
        self.projection = nn.Linear(n_features, 3 * n_features)
        self.output = nn.Linear(n_features, n_features)

    def forward(self, frames: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Attend from every frame to those of its window.

        Parameters
        ----------
        frames
            Frames of all windows, (B, F, D).
        lengths
            Frames of each window, at least one, (B,) int64; None: all have F.

        Returns
        -------
        Tensor
            (B, F, D); past the end of a window, values without meaning.
        """
        projected = self.projection(frames).unflatten(2, (3, self.n_heads, -1))
        query, key, value = projected.permute(2, 0, 3, 1, 4)
        mask = None
        if lengths is not None and not self.causal:
            # Padding is later than every frame of its window: causal attention needs no mask, which
            # would have one entry for each pair of frames.
            mask = inside(lengths, frames.shape[1], frames.device)[:, None, None]
        attended = F.scaled_dot_product_attention(
            query, key, value, attn_mask=mask, is_causal=self.causal
        )
        gathered: Tensor = self.output(attended.transpose(1, 2).flatten(2))
        return gathered
