"""Reconstruction through a bottleneck, in time or for whole windows."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqbench.config.options import Count, Level
from seqbench.config.registry import OBJECTIVES
from seqbench.models.base import Encoder, ended, inside
from seqbench.pretraining.base import Objective


class Reconstruction(Objective):
    """Base of autoencoders: frames to latent vectors, latent vectors to samples.

    Parameters
    ----------
    encoder, n_channels
        As in `Objective`.
    latent_size
        Size of a latent vector.
    bottleneck
        `stretch`: frames are averaged over `compression_samples`, and a small
        convolution reconstructs these samples from their latent vector and its
        neighbours. `window`: the mean of all frames is the one latent vector,
        and an LSTM unfolds it in time.
    compression_samples
        Samples of a latent vector of `stretch`, rounded to whole frames.
    decoder_size
        Hidden units of the decoder.
    n_numbers
        Outputs of the encoder per latent number: its value, or more.
    """

    def __init__(
        self,
        encoder: Encoder,
        n_channels: int,
        *,
        latent_size: int,
        bottleneck: str,
        compression_samples: int,
        decoder_size: int,
        n_numbers: int,
    ) -> None:
        super().__init__(encoder, n_channels)
        self.of_window = bottleneck == "window"
        self.frames_per_latent = max(1, round(compression_samples / encoder.stride))
        self.samples_per_latent = self.frames_per_latent * encoder.stride
        self.to_latent = nn.Linear(encoder.n_features, n_numbers * latent_size)
        if self.of_window:
            self.unfold = nn.LSTM(latent_size, decoder_size, batch_first=True)
        else:
            self.hidden = nn.Conv1d(latent_size, decoder_size, kernel_size=3, padding=1)
        self.to_samples = nn.Linear(decoder_size, self.samples_per_latent * n_channels)

    def encoded(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the outputs for each latent vector, (B, L, n_numbers * latent_size).

        Zero after each end; L is 1 for whole windows.
        """
        frames = self.encoder.encode(x, lengths)
        n_frames = frames.shape[1]
        step = n_frames if self.of_window else self.frames_per_latent
        n_latent = -(-n_frames // step)
        frames = F.pad(frames, (0, 0, 0, n_latent * step - n_frames))
        total = frames.unflatten(1, (n_latent, step)).sum(dim=2)
        of_frames = self.encoder.frame_lengths(lengths)
        if of_frames is None:
            of_frames = torch.full((len(x),), n_frames)
        mask = inside(of_frames, n_latent * step, x.device).unflatten(1, (n_latent, step))
        count = mask.sum(dim=2)[..., None]
        outputs: Tensor = self.to_latent(total / count.clamp(min=1))
        return outputs * (count > 0)

    def decoded(self, latent: Tensor, n_samples: int) -> Tensor:
        """Return windows (B, n_samples, C) from latent vectors (B, L, latent_size)."""
        if self.of_window:
            n_steps = -(-n_samples // self.samples_per_latent)
            hidden = self.unfold(latent.expand(-1, n_steps, -1))[0]
        else:
            hidden = self.hidden(latent.transpose(1, 2)).relu().transpose(1, 2)
        samples: Tensor = self.to_samples(hidden)
        return samples.reshape(len(latent), -1, self.n_channels)[:, :n_samples]

    def watch(self, x: Tensor, lengths: Tensor | None) -> dict[str, Tensor]:
        """Return the error over that of the mean of the batch: 1 or more has learned nothing."""
        n = x.shape[0] * x.shape[1] if lengths is None else int(lengths.sum())
        mean = x.sum(dim=(0, 1)) / n
        return {
            "error_over_mean": mean_squared(self.reconstruct(x, lengths), x, lengths)
            / mean_squared(mean.expand_as(x), x, lengths).clamp(min=1e-12)
        }

    def reconstruct(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return prepared windows (B, T, C), reconstructed from their latent vectors."""
        return self.decoded(self.latent(x, lengths), x.shape[1])

    def latent(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return latent vectors (B, L, latent_size), zero after each end."""
        return self.encoded(x, lengths)


@OBJECTIVES.register("autoencoder", accepts=("series",))
class AutoencoderObjective(Reconstruction):
    """Reconstruct windows from latent vectors of a few samples each, or of the window.

    Without a bottleneck an encoder with a frame per sample could copy its
    input and learn nothing.

    Parameters
    ----------
    encoder
        The encoder to train.
    n_channels
        Channels C of a window.
    latent_size
        Size of a latent vector.
    bottleneck
        `stretch`: a latent vector for every `compression_samples`, which keeps
        time; `window`: one for the window, unfolded by an LSTM.
    compression_samples
        Samples of a latent vector of `stretch`, rounded to whole frames.
    decoder_size
        Hidden units of the decoder.
    noise
        Standard deviation of noise added to the input of the encoder in
        training; the target is the clean window. 0: none.

    References
    ----------
    Hinton, Salakhutdinov (2006). Reducing the dimensionality of data with
    neural networks. Science 313:504-507. Vincent et al. (2008). Extracting and
    composing robust features with denoising autoencoders. ICML. The bottleneck
    in time is not from a paper.
    """

    def __init__(
        self,
        encoder: Encoder,
        n_channels: int,
        *,
        latent_size: Count = 8,
        bottleneck: Literal["stretch", "window"] = "stretch",
        compression_samples: Count = 8,
        decoder_size: Count = 64,
        noise: Level = 0.0,
    ) -> None:
        super().__init__(
            encoder,
            n_channels,
            latent_size=latent_size,
            bottleneck=bottleneck,
            compression_samples=compression_samples,
            decoder_size=decoder_size,
            n_numbers=1,
        )
        self.noise = noise

    def loss(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the mean squared error per sample and channel.

        On normalised data it is about 1 for a decoder that always predicts the
        mean of train.
        """
        seen = x
        if self.noise and self.training:
            noise = torch.randn(x.shape, generator=self.generator(x), device=x.device)
            seen = ended(x + self.noise * noise, lengths)
        return mean_squared(self.reconstruct(seen, lengths), x, lengths)


def mean_squared(prediction: Tensor, x: Tensor, lengths: Tensor | None) -> Tensor:
    """Return the mean squared error over the samples inside windows (B, T, C), shape ()."""
    if lengths is None:
        return F.mse_loss(prediction, x)
    mask = inside(lengths, x.shape[1], x.device)[..., None]
    squared = (prediction - x).square() * mask
    return squared.sum() / (mask.sum() * x.shape[2])
