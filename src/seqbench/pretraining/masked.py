"""Reconstruction of hidden samples from those around them."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqbench.config.options import Count, Fraction
from seqbench.config.registry import OBJECTIVES
from seqbench.models.base import Encoder, inside
from seqbench.pretraining.augmentations import spans
from seqbench.pretraining.base import Objective, SampleDecoder


@OBJECTIVES.register("masked", accepts=("series",))
class MaskedObjective(Objective):
    """Reconstruct spans of samples that are hidden from the encoder.

    Parameters
    ----------
    encoder
        The encoder to train.
    n_channels
        Channels C of a window.
    mask_fraction
        Mean fraction of a window that is hidden.
    span_samples
        Samples of a hidden span; more than can be interpolated from its neighbours.
    decoder_size
        Hidden units of the decoder, which sees three frames.

    References
    ----------
    He et al. (2022). Masked autoencoders are scalable vision learners. CVPR.
    arXiv:2111.06377. Departs from it in that the encoder sees the hidden
    samples as a learned value: recurrence and convolution need every sample.
    """

    def __init__(
        self,
        encoder: Encoder,
        n_channels: int,
        *,
        mask_fraction: Fraction = 0.3,
        span_samples: Count = 16,
        decoder_size: Count = 64,
    ) -> None:
        super().__init__(encoder, n_channels)
        self.mask_fraction = mask_fraction
        self.span_samples = span_samples
        self.hidden_value = nn.Parameter(torch.zeros(n_channels))
        self.decoder = SampleDecoder(encoder, n_channels, decoder_size)

    def loss(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the mean squared error per hidden sample and channel.

        About 1 on normalised data for a decoder that predicts the mean of
        train; 0 if nothing is hidden.
        """
        return self._errors(x, lengths)[0]

    def watch(self, x: Tensor, lengths: Tensor | None) -> dict[str, Tensor]:
        """Return the error over that of the mean of seen samples: 1 or more has learned nothing."""
        error, of_mean = self._errors(x, lengths)
        return {"error_over_mean": error / of_mean.clamp(min=1e-12)}

    def predict(self, x: Tensor, is_hidden: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return prepared windows (B, T, C), reconstructed without hidden samples, (B, T)."""
        seen = torch.where(is_hidden[..., None], self.hidden_value, x)
        frames = self.encoder.encode(seen, lengths)
        return self.decoder(frames, x.shape[1])

    def _errors(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the mean squared errors of the prediction and of the mean of seen samples."""
        is_hidden = spans(x, self.mask_fraction, self.span_samples, self.generator(x))
        is_there = torch.ones_like(is_hidden)
        if lengths is not None:
            is_there = inside(lengths, x.shape[1], x.device)
        is_hidden &= is_there
        is_seen = (is_there & ~is_hidden)[..., None]
        mean = (x * is_seen).sum(dim=(0, 1)) / is_seen.sum().clamp(min=1)
        n = (is_hidden.sum() * self.n_channels).clamp(min=1)
        error, of_mean = (
            (F.mse_loss(predicted, x, reduction="none") * is_hidden[..., None]).sum() / n
            for predicted in (self.predict(x, is_hidden, lengths), mean.expand_as(x))
        )
        return error, of_mean
