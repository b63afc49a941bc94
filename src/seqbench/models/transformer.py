"""The encoder of a transformer: frames that attend to each other, layer upon layer."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqbench.config.options import Count, Dropout, Layers, NaturalNumber, Pooling
from seqbench.config.registry import ARCHITECTURES
from seqbench.errors import UserError
from seqbench.models.attention import MultiHeadAttention
from seqbench.models.base import Encoder, ended
from seqbench.models.cnn1d import Cnn1dEncoder, framing
from seqbench.models.dropout import BitDropout


def sinusoids(n_frames: int, n_features: int, device: torch.device) -> Tensor:
    """Return the position of each frame as sines and cosines in turn.

    Parameters
    ----------
    n_frames, n_features
        Frames F and features D.
    device
        Of the result.

    Returns
    -------
    Tensor
        (F, D), in [-1, 1]; each pair of features turns more slowly than the
        one before, from a period of 2 pi frames to nearly 10,000 times that.

    References
    ----------
    Vaswani et al. (2017). Attention is all you need. NeurIPS, section 3.5.
    arXiv:1706.03762
    """
    frame = torch.arange(n_frames, device=device)[:, None]
    angle = frame / 10_000 ** (torch.arange(0, n_features, 2, device=device) / n_features)
    return torch.stack([angle.sin(), angle.cos()], dim=2).flatten(1)[:, :n_features]


class TransformerBlock(nn.Module):
    """Attention, then a small network for each frame, both with a residual connection.

    Parameters
    ----------
    n_features
        Features D of a frame.
    n_heads
        Heads of the attention, which share the features evenly.
    mlp_size
        Hidden units of the network.
    dropout
        Probability to drop a feature of the outputs of attention and network.
    causal
        Let a frame attend to itself and those before it only.

    Raises
    ------
    UserError
        If the heads cannot share the features evenly.

    References
    ----------
    Xiong et al. (2020). On layer normalization in the transformer
    architecture. ICML, figure 1b. arXiv:2002.04745
    """

    def __init__(
        self, n_features: int, n_heads: int, mlp_size: int, dropout: float, *, causal: bool
    ) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(n_features)
        self.attention = MultiHeadAttention(n_features, n_heads, causal=causal)
        self.mlp_norm = nn.LayerNorm(n_features)
        self.mlp = nn.Sequential(
            nn.Linear(n_features, mlp_size), nn.GELU(), nn.Linear(mlp_size, n_features)
        )
        self.dropout = BitDropout(dropout)

    def forward(self, frames: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return frames (B, F, D) after both steps; see `MultiHeadAttention.forward`."""
        frames = frames + self.dropout(self.attention(self.attention_norm(frames), lengths))
        result: Tensor = frames + self.dropout(self.mlp(self.mlp_norm(frames)))
        return result


@ARCHITECTURES.register(
    "transformer",
    accepts=("series", "tokens"),
    space={
        "hidden_size": (32, 64, 128),
        "n_layers": (1, 2, 4),
        "dropout": {"low": 0.0, "high": 0.5},
    },
)
class TransformerEncoder(Encoder):
    """Frames with positions that attend to each other, layer upon layer.

    Parameters
    ----------
    n_channels
        Channels C of a window.
    hidden_size
        Features D of a frame.
    n_layers
        Blocks of attention and network on top of each other.
    n_heads
        Heads of the attention, which share the D features evenly.
    mlp_ratio
        Hidden units of the network of each block, in multiples of D.
    front_width
        Filters that read the signal at every sample before frames are made,
        for long signals whose events are much shorter than a window; 0: none.
    front_size
        Their length in samples, odd, so that frames stay centred; without
        effect where there are none.
    stride
        Samples between frames. 1: each sample is a frame, through a linear
        map. More: one convolution over two strides makes the frames.
    positions
        sinusoidal: fixed sines and cosines, for windows of any length.
        learned: a vector for each frame, for windows of up to max_frames.
    max_frames
        Most frames of a window for which positions are learned; without
        effect on sinusoidal ones.
    causal
        Let a frame attend to itself and those before it only.
    dropout
        Probability to drop a feature of the embedded frames and of the outputs
        of attention and network.
    pooling
        How a head pools the frames: last, mean or attention.

    Raises
    ------
    UserError
        If the heads cannot share the features evenly, a filter of the front is even,
        or a window has more frames than positions were learned for.

    Notes
    -----
    (B, T, C) -> (B, ceil(T / stride), D). Layer norm precedes attention
    and network and follows the last block, which allows large first steps
    without a warm-up; in the source it follows them. Departs from the source
    in GELU in place of ReLU as well, and in embedded frames that are not
    scaled by sqrt(D), since those of a normalised signal have the size of the
    positions already.

    When causal, frame f sees no sample later than (f + 1) * stride, which is
    as far as its convolution reaches, and half a filter of the front where
    there is one; without a convolution none later than itself. In training the
    batch norm of convolutions sees whole windows all the same.

    References
    ----------
    Vaswani et al. (2017). Attention is all you need. NeurIPS, section 3.
    arXiv:1706.03762
    Xiong et al. (2020). On layer normalization in the transformer
    architecture. ICML, section 3. arXiv:2002.04745
    """

    def __init__(
        self,
        n_channels: int,
        *,
        hidden_size: Count = 64,
        n_layers: Layers = 2,
        n_heads: Count = 4,
        mlp_ratio: Count = 4,
        front_width: NaturalNumber = 0,
        front_size: Count = 81,
        stride: Count = 1,
        positions: Literal["sinusoidal", "learned"] = "sinusoidal",
        max_frames: Count = 512,
        causal: bool = False,
        dropout: Dropout = 0.1,
        pooling: Pooling = "mean",
    ) -> None:
        super().__init__(pooling)
        self.stride = stride
        self.n_features = hidden_size
        self.front = None
        if front_width:
            if front_size % 2 == 0:
                raise UserError(f"front_size must be odd, got {front_size}")
            self.front = Cnn1dEncoder(
                n_channels,
                widths=(front_width,),
                kernel_sizes=(front_size,),
                strides=(1,),
                dropout=dropout,
            )
        width = front_width or n_channels
        self.embedding = (
            nn.Linear(width, hidden_size) if stride == 1 else framing(width, hidden_size, stride)
        )
        # Small at first: positions of the size of the frames would drown the signal.
        self.positions = (
            nn.Parameter(0.02 * torch.randn(max_frames, hidden_size))
            if positions == "learned"
            else None
        )
        self.dropout = BitDropout(dropout)
        self.blocks = nn.ModuleList(
            TransformerBlock(hidden_size, n_heads, mlp_ratio * hidden_size, dropout, causal=causal)
            for _ in range(n_layers)
        )
        self.norm = nn.LayerNorm(hidden_size)

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Encode windows (B, T, C); see `Encoder.encode`."""
        if self.front is not None:
            x = self.front(x, lengths)
        of_samples = isinstance(self.embedding, nn.Linear)
        frames = self.embedding(x) if of_samples else self.embedding(x, lengths)
        lengths = self.frame_lengths(lengths)
        frames = self.dropout(frames + self._positions(frames, lengths))
        for block in self.blocks:
            frames = block(frames, lengths)
        return ended(self.norm(frames), lengths)

    def _positions(self, frames: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the position vectors of frames (B, F, D), (F, D)."""
        n_frames = frames.shape[1]
        if self.positions is None:
            return sinusoids(n_frames, self.n_features, frames.device)
        n_needed = n_frames if lengths is None else int(lengths.max())
        n_learned = len(self.positions)
        if n_needed > n_learned:
            raise UserError(
                f"a window of {n_needed} frames is longer than the {n_learned} for which positions"
                f" are learned; set max_frames to {n_needed} or more, a greater stride, or"
                " positions: sinusoidal"
            )
        # Padding may be longer than any window, and needs no positions.
        return F.pad(self.positions[:n_frames], (0, 0, 0, max(0, n_frames - n_learned)))
