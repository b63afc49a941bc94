"""Reconstruction through a bottleneck, in time or for whole windows, of values or of draws."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqbench.config.options import Count, Level, NaturalNumber
from seqbench.config.registry import OBJECTIVES
from seqbench.models.base import Encoder, ended, inside
from seqbench.models.convolution import Conv1d
from seqbench.models.recurrent_layers import Lstm
from seqbench.pretraining.base import Objective

LEAST_LOG_VARIANCE, MOST_LOG_VARIANCE = -10.0, 10.0
ACTIVE_NATS = 0.01  # a latent number with less is inactive


@OBJECTIVES.register("autoencoder", accepts=("series",))
class AutoencoderObjective(Objective):
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
        `temporal`: a latent vector for every `compression_samples`, which keeps
        time; `window`: one for the window, unfolded by an LSTM.
    compression_samples
        Samples of a latent vector of `temporal`, rounded to whole frames.
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

    n_numbers = 1  # outputs of the encoder per latent number: its value, or more

    def __init__(
        self,
        encoder: Encoder,
        n_channels: int,
        *,
        latent_size: Count = 8,
        bottleneck: Literal["temporal", "window"] = "temporal",
        compression_samples: Count = 8,
        decoder_size: Count = 64,
        noise: Level = 0.0,
    ) -> None:
        super().__init__(encoder, n_channels)
        self.noise = noise
        self.of_window = bottleneck == "window"
        self.frames_per_latent = max(1, round(compression_samples / encoder.stride))
        self.samples_per_latent = self.frames_per_latent * encoder.stride
        self.to_latent = nn.Linear(encoder.n_features, self.n_numbers * latent_size)
        if self.of_window:
            self.unfold = Lstm(latent_size, decoder_size)
        else:
            self.hidden = Conv1d(latent_size, decoder_size, kernel_size=3, padding=1)
        self.to_samples = nn.Linear(decoder_size, self.samples_per_latent * n_channels)

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


@OBJECTIVES.register("vae", accepts=("series",))
class VaeObjective(AutoencoderObjective):
    """Reconstruct windows from latent vectors drawn from normal distributions.

    Parameters
    ----------
    encoder
        The encoder to train.
    n_channels
        Channels C of a window.
    latent_size, bottleneck, compression_samples, decoder_size
        As in `autoencoder`.
    kl_weight
        Weight of the divergence from the standard normal, per latent vector,
        against the squared error of its samples.
    warmup_steps
        Training steps over which that weight rises from 0, so that the decoder
        learns to use latent vectors before small divergence is rewarded.
    free_nats
        Divergence of a latent number, averaged over the batch, that costs nothing.

    Notes
    -----
    The squared error is that of a decoder with unit variance, so a loss is the
    negative evidence lower bound per sample and channel, but for a constant
    and for `kl_weight`. What is watched has the full weight and no free nats.

    References
    ----------
    Kingma, Welling (2014). Auto-encoding variational Bayes. ICLR. Bowman et
    al. (2016). Generating sentences from a continuous space. CoNLL (warm-up).
    Kingma et al. (2016). Improving variational inference with inverse
    autoregressive flow. NeurIPS (free bits).
    """

    n_numbers = 2

    def __init__(
        self,
        encoder: Encoder,
        n_channels: int,
        *,
        latent_size: Count = 8,
        bottleneck: Literal["temporal", "window"] = "temporal",
        compression_samples: Count = 8,
        decoder_size: Count = 64,
        kl_weight: Level = 0.1,
        warmup_steps: NaturalNumber = 200,
        free_nats: Level = 0.05,
    ) -> None:
        super().__init__(
            encoder,
            n_channels,
            latent_size=latent_size,
            bottleneck=bottleneck,
            compression_samples=compression_samples,
            decoder_size=decoder_size,
        )
        self.kl_weight = kl_weight
        self.warmup_steps = warmup_steps
        self.free_nats = free_nats
        self.n_steps = 0

    def loss(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Return half the squared error per sample and channel and the weighted divergence."""
        mean, log_variance = self.distribution(x, lengths)
        latent, weight, free_nats = mean, self.kl_weight, 0.0
        if self.training:
            draw = torch.randn(mean.shape, generator=self.generator(x), device=x.device)
            latent = mean + (0.5 * log_variance).exp() * draw
            self.n_steps += 1
            weight *= min(1.0, self.n_steps / max(1, self.warmup_steps))
            free_nats = self.free_nats
        error = mean_squared(self.decoded(latent, x.shape[1]), x, lengths)
        divergence = self.nats(mean, log_variance, x, lengths).clamp(min=free_nats).sum()
        n_samples = x.shape[1] if lengths is None else float(lengths.double().mean())
        n_latents = mean.shape[1] if lengths is None else float(self._counts(lengths).mean())
        return 0.5 * error + weight * divergence * n_latents / (n_samples * self.n_channels)

    def watch(self, x: Tensor, lengths: Tensor | None) -> dict[str, Tensor]:
        """Return the error over that of the mean, and the divergence of latent numbers."""
        nats = self.nats(*self.distribution(x, lengths), x, lengths)
        return super().watch(x, lengths) | {
            "kl_per_unit": nats.mean(),
            "active_units": (nats > ACTIVE_NATS).float().mean(),
        }

    def memory(self) -> dict[str, Tensor]:
        """Return the draws and the steps done, on which the weight of the divergence depends."""
        return super().memory() | {"n_steps": torch.tensor(self.n_steps)}

    def recall(self, memory: dict[str, Tensor]) -> None:
        """Take over draws and steps."""
        super().recall(memory)
        self.n_steps = int(memory["n_steps"])

    def distribution(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return means and logarithms of variances, (B, L, latent_size) each."""
        mean, log_variance = self.encoded(x, lengths).chunk(2, dim=2)
        return mean, log_variance.clamp(LEAST_LOG_VARIANCE, MOST_LOG_VARIANCE)

    def nats(self, mean: Tensor, log_variance: Tensor, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the divergence of each latent number, mean over latent vectors, (latent_size,)."""
        nats = kl_divergence(mean, log_variance)
        if lengths is None:
            return nats.mean(dim=(0, 1))
        mask = inside(self._counts(lengths).long(), mean.shape[1], x.device)[..., None]
        return (nats * mask).sum(dim=(0, 1)) / mask.sum()

    def latent(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the means of latent vectors (B, L, latent_size), zero after each end."""
        return self.distribution(x, lengths)[0]

    def _counts(self, lengths: Tensor) -> Tensor:
        """Return the number of latent vectors of windows of these lengths, (B,)."""
        counts = (
            torch.ones_like(lengths) if self.of_window else -(-lengths // self.samples_per_latent)
        )
        return counts.double()


def mean_squared(prediction: Tensor, x: Tensor, lengths: Tensor | None) -> Tensor:
    """Return the mean squared error over the samples inside windows (B, T, C), shape ()."""
    if lengths is None:
        return F.mse_loss(prediction, x)
    mask = inside(lengths, x.shape[1], x.device)[..., None]
    squared = (prediction - x).square() * mask
    return squared.sum() / (mask.sum() * x.shape[2])


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return the Kullback-Leibler divergence of normals from the standard one, in nats."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)
