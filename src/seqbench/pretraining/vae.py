"""Reconstruction from random latent vectors."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from seqbench.config.options import Count, Level, NaturalNumber
from seqbench.config.registry import OBJECTIVES
from seqbench.models.base import Encoder, inside
from seqbench.pretraining.autoencoder import Reconstruction, mean_squared

LEAST_LOG_VARIANCE, MOST_LOG_VARIANCE = -10.0, 10.0
ACTIVE_NATS = 0.01  # a latent number with less is inactive


@OBJECTIVES.register("vae", accepts=("series",))
class VaeObjective(Reconstruction):
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

    def __init__(
        self,
        encoder: Encoder,
        n_channels: int,
        *,
        latent_size: Count = 8,
        bottleneck: Literal["stretch", "window"] = "stretch",
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
            n_numbers=2,
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


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return the Kullback-Leibler divergence of normals from the standard one, in nats."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)
