"""Reconstruction through a bottleneck in time."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqbench.models.base import Encoder, inside
from seqbench.options import Count
from seqbench.pretraining.base import Objective
from seqbench.registry import OBJECTIVES


@OBJECTIVES.register("autoencoder")
class AutoencoderObjective(Objective):
    """Rebuild windows from a few numbers for every stretch of samples.

    Frames are averaged over stretches of about `compression_samples` samples
    and mapped to `latent_size` numbers each; a small decoder rebuilds all
    samples of a stretch from its latent vector and those of its neighbours.
    Without that bottleneck an encoder with a frame per sample could copy its
    input and learn nothing.

    Parameters
    ----------
    encoder
        The encoder to train.
    n_channels
        Channels C of a window.
    latent_size
        Numbers kept for each stretch.
    compression_samples
        Samples of a stretch, rounded to whole frames.
    decoder_size
        Hidden units of the decoder.

    References
    ----------
    Hinton, Salakhutdinov (2006). Reducing the dimensionality of data with
    neural networks. Science 313:504-507. The bottleneck in time is our own.
    """

    def __init__(
        self,
        encoder: Encoder,
        n_channels: int,
        *,
        latent_size: Count = 8,
        compression_samples: Count = 8,
        decoder_size: Count = 64,
    ) -> None:
        super().__init__(encoder, n_channels)
        self.frames_per_latent = max(1, round(compression_samples / encoder.stride))
        self.samples_per_latent = self.frames_per_latent * encoder.stride
        self.to_latent = nn.Linear(encoder.n_features, latent_size)
        self.hidden = nn.Conv1d(latent_size, decoder_size, kernel_size=3, padding=1)
        self.to_samples = nn.Linear(decoder_size, self.samples_per_latent * n_channels)

    def loss(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the mean squared error per sample and channel.

        On normalised data it is about 1 for a decoder that always answers the
        mean of train.
        """
        rebuilt = self.reconstruct(x, lengths)
        if lengths is None:
            return F.mse_loss(rebuilt, x)
        mask = inside(lengths, x.shape[1], x.device)[..., None]
        squared = (rebuilt - x).square() * mask
        return squared.sum() / (mask.sum() * self.n_channels)

    def reconstruct(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return windows (B, T, C) rebuilt from their latent vectors."""
        latent = self.latent(x, lengths)  # (B, L, latent_size)
        hidden = self.hidden(latent.transpose(1, 2)).relu().transpose(1, 2)
        samples: Tensor = self.to_samples(hidden)
        return samples.reshape(len(x), -1, self.n_channels)[:, : x.shape[1]]

    def latent(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return latent vectors (B, L, latent_size), zero after each end."""
        frames = self.encoder(x, lengths)
        n_frames, step = frames.shape[1], self.frames_per_latent
        n_latent = -(-n_frames // step)
        frames = F.pad(frames, (0, 0, 0, n_latent * step - n_frames))
        total = frames.unflatten(1, (n_latent, step)).sum(dim=2)
        of_frames = self.encoder.frame_lengths(lengths)
        if of_frames is None:
            of_frames = torch.full((len(x),), n_frames)
        mask = inside(of_frames, n_latent * step, x.device).unflatten(1, (n_latent, step))
        count = mask.sum(dim=2)[..., None]
        latent: Tensor = self.to_latent(total / count.clamp(min=1))
        return latent * (count > 0)
