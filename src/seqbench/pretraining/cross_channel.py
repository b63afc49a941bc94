"""Reconstruction of hidden channels from the others at the same time."""

import torch
from torch import Tensor

from seqbench.config.options import Count
from seqbench.config.registry import OBJECTIVES
from seqbench.errors import UserError
from seqbench.models.base import Encoder, ended, inside
from seqbench.pretraining.base import Objective, SampleDecoder


@OBJECTIVES.register("cross_channel", accepts=("series",))
class CrossChannelObjective(Objective):
    """Reconstruct channels that are hidden from the encoder from the others.

    The noise of one sensor cannot be predicted from the others; what they have
    in common can, such as events and their times.

    Parameters
    ----------
    encoder
        The encoder to train.
    n_channels
        Channels C of a window, two or more.
    whiten
        Subtract from every sample of the target its prediction from the sample
        before. Slow components, which often have most of the power of noise,
        would otherwise have most of the loss.
    decoder_size
        Hidden units of the decoder, which sees three frames.

    Raises
    ------
    UserError
        If there is a single channel.

    References
    ----------
    Batson, Royer (2019). Noise2Self: blind denoising by self-supervision. ICML.
    arXiv:1901.11365. There pixels are hidden, here whole channels.
    """

    def __init__(
        self, encoder: Encoder, n_channels: int, *, whiten: bool = True, decoder_size: Count = 64
    ) -> None:
        super().__init__(encoder, n_channels)
        if n_channels < 2:
            raise UserError(
                "objective 'cross_channel' predicts channels from each other, and there is a single"
                " one; leave its arms out, or use 'masked'"
            )
        self.whiten = whiten
        self.decoder = SampleDecoder(encoder, n_channels, decoder_size)

    def loss(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the squared error over the power of the hidden channels: 1 for zeros."""
        is_hidden = self._drawn(x)
        target = whitened(x, lengths) if self.whiten else x
        squared = (self.predict(x, is_hidden, lengths) - target).square() * is_hidden
        power = (target.square() * is_hidden).sum()
        return ended(squared, lengths).sum() / power.clamp(min=1e-12)

    def watch(self, x: Tensor, lengths: Tensor | None) -> dict[str, Tensor]:
        """Return the loss under the name that all reconstructions share."""
        return {"error_over_mean": self.loss(x, lengths)}

    def predict(self, x: Tensor, is_hidden: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return prepared windows (B, T, C), reconstructed without hidden channels, (B, 1, C)."""
        frames = self.encoder.encode(x * ~is_hidden, lengths)
        return self.decoder(frames, x.shape[1])

    def _drawn(self, x: Tensor) -> Tensor:
        """Draw about half of the channels of each window, never all and never none, (B, 1, C)."""
        shape = (len(x), 1, self.n_channels)
        draw = torch.rand(shape, generator=self.generator(x), device=x.device)
        is_first = draw == draw.amin(dim=2, keepdim=True)
        is_last = draw == draw.amax(dim=2, keepdim=True)
        return ((draw < 0.5) | is_first) & ~is_last


def whitened(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Return windows (B, T, C) less the prediction from the sample before, zero after each end.

    The correlation of neighbours is that of the batch, for every channel; the
    first sample of a window, which has no predecessor, is zero.
    """
    before, after = x[:, :-1], x[:, 1:]
    if lengths is not None:
        is_there = inside(lengths - 1, after.shape[1], x.device)[..., None]
        before, after = before * is_there, after * is_there
    share = (before * after).sum(dim=(0, 1)) / before.square().sum(dim=(0, 1)).clamp(min=1e-12)
    return torch.cat([torch.zeros_like(x[:, :1]), after - share * before], dim=1)
