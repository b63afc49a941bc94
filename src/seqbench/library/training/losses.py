"""Losses of the event classifiers and autoencoders.

Shapes: B windows, T samples, F frames, C channels, K types of event. Every
loss is computed in single precision and has shape ().
"""

import math

import torch
from torch import Tensor, nn

from seqbench.pretraining.autoencoder import kl_divergence, mean_squared
from seqbench.tasks.detection.losses import (
    presence_loss,
    products_of_pairs,
    template_alignment,
)


def gaussian_target(time: Tensor, present: Tensor, n_frames: int, *, sigma: float) -> Tensor:
    """Return a bell around the time of each event.

    Parameters
    ----------
    time
        Time of each type in frames, (B, K); ignored where the type is absent.
    present
        True or above 0.5 where the type is present, (B, K).
    n_frames
        Frames F of a window.
    sigma
        Standard deviation in frames, above 0.

    Returns
    -------
    Tensor
        (B, F, K), 1 at the time of an event, 0 for absent types.
    """
    present = present > 0.5
    frames = torch.arange(n_frames, device=time.device, dtype=torch.float32)
    # An absent type may have any time, NaN among them, which no product turns into 0.
    distance = frames[None, :, None] - torch.where(present, time, 0.0).float()[:, None]
    bell = torch.exp(-0.5 * (distance / sigma) ** 2)
    return bell * present[:, None]


def timing_divergence(logits: Tensor, time: Tensor, present: Tensor, *, sigma: float) -> Tensor:
    """Return the divergence of a softmax over time from a narrow bell around each onset.

    The logarithm of a bell is a parabola, so that its mode can be interpolated
    between frames.

    Parameters
    ----------
    logits
        (B, F, K); frames past the end of a window must be far below all others.
    time
        Time of each type in frames, (B, K); ignored where the type is absent.
    present
        True or above 0.5 where the type is present, (B, K).
    sigma
        Standard deviation of the bell in frames, above 0.

    Returns
    -------
    Tensor
        Kullback-Leibler divergence from the bell in nats, mean over the
        events; at chance log F less the entropy of the bell, which is
        log(sigma * sqrt(2 * pi * e)) if sigma is at least a frame; 0 without
        events.
    """
    present = present > 0.5
    time = torch.where(present, time, 0.0).float().clamp(0, logits.shape[1] - 1)
    bell = gaussian_target(time, present, logits.shape[1], sigma=sigma)
    bell = bell / bell.sum(dim=1, keepdim=True).clamp(min=torch.finfo(bell.dtype).tiny)
    nats = torch.xlogy(bell, bell) - bell * logits.float().log_softmax(dim=1)
    return nats.sum() / present.sum().clamp(min=1)


def timing_ambiguity(
    event_logits: Tensor, timing_logits: Tensor, refractory_frames: int, *, peak_frames: int
) -> Tensor:
    """Return how far a softmax over time is from one peak within the refractory period.

    Parameters
    ----------
    event_logits
        Of the presence of each type, before the sigmoid, (B, K).
    timing_logits
        Before the softmax over time, (B, F, K).
    refractory_frames
        Two events of a type are at least this many frames apart.
    peak_frames
        Frames this near to each other belong to one peak.

    Returns
    -------
    Tensor
        Probability that the type is present and that two draws of its time are
        further apart than a peak but nearer than the refractory period, mean
        over windows and types; in [0, 1]. At chance, with all frames within
        the refractory period, 0.5 * (1 - m / F) * (1 - (m + 1) / F) for peaks
        of m frames.
    """
    draws = timing_logits.float().softmax(dim=1)
    ambiguity = 2 * products_of_pairs(draws, peak_frames + 1, refractory_frames)
    return (event_logits.float().sigmoid() * ambiguity).mean()


class EventTimingLoss(nn.Module):
    """Loss of the presence and time of each type in a window.

    Parameters
    ----------
    event_weight, timing_weight, refractory_weight
        Weights of the three terms in the total, at least 0.
    refractory_period_samples
        Two events of a type are at least this many samples apart.
    timing_resolution_samples
        Times this near to each other belong to one event.
    timing_sigma_samples
        Standard deviation of the target of the softmax over time, above 0.
    stride
        Samples between the frames of the timing logits.

    Notes
    -----
    The terms are `presence_loss` of windows (log 2 at chance),
    `timing_divergence` (about log F less the entropy of the bell) and
    `timing_ambiguity` (about 0.5), all in nats but the last.
    """

    def __init__(
        self,
        event_weight: float = 1.0,
        timing_weight: float = 1.0,
        refractory_weight: float = 0.1,
        *,
        refractory_period_samples: int = 4000,
        timing_resolution_samples: int = 10,
        timing_sigma_samples: float = 5.0,
        stride: int = 1,
    ) -> None:
        super().__init__()
        if not timing_sigma_samples > 0:
            raise ValueError(f"timing_sigma_samples must be above 0, got {timing_sigma_samples}")
        self.event_weight = event_weight
        self.timing_weight = timing_weight
        self.refractory_weight = refractory_weight
        self.refractory_frames = math.ceil(refractory_period_samples / stride)
        self.peak_frames = math.ceil(timing_resolution_samples / stride)
        self.timing_sigma = timing_sigma_samples / stride
        self.stride = stride

    def forward(
        self,
        event_logits: Tensor,
        timing_logits: Tensor,
        event_labels: Tensor,
        event_timings: Tensor,
    ) -> dict[str, Tensor]:
        """Return the terms and their weighted sum.

        Parameters
        ----------
        event_logits, timing_logits
            As `LSTMEventClassifier` returns them, (B, K) and (B, F, K).
        event_labels
            1 where a type is in the window, else 0, (B, K).
        event_timings
            Onsets in samples, (B, K); ignored where the label is 0.

        Returns
        -------
        dict[str, Tensor]
            ``total``, ``event``, ``timing`` and ``refractory``, shape () each.
        """
        time = event_timings / self.stride
        event = presence_loss(event_logits, event_labels)
        timing = timing_divergence(timing_logits, time, event_labels, sigma=self.timing_sigma)
        refractory = timing_ambiguity(
            event_logits, timing_logits, self.refractory_frames, peak_frames=self.peak_frames
        )
        total = (
            self.event_weight * event
            + self.timing_weight * timing
            + self.refractory_weight * refractory
        )
        return {"total": total, "event": event, "timing": timing, "refractory": refractory}


class EventSpecificLoss(EventTimingLoss):
    """Loss of the presence, time and template match of each type in a window.

    Parameters
    ----------
    event_weight, timing_weight, template_weight, refractory_weight
        Weights of the four terms in the total, at least 0.
    template_sigma_samples
        Standard deviation of the target of match scores around each onset.
    refractory_period_samples, timing_resolution_samples, timing_sigma_samples, stride
        As of `EventTimingLoss`.

    Notes
    -----
    The terms are those of `EventTimingLoss` and `template_alignment`.
    """

    def __init__(
        self,
        event_weight: float = 1.0,
        timing_weight: float = 1.0,
        template_weight: float = 0.5,
        refractory_weight: float = 0.1,
        *,
        template_sigma_samples: float = 10.0,
        refractory_period_samples: int = 4000,
        timing_resolution_samples: int = 10,
        timing_sigma_samples: float = 5.0,
        stride: int = 1,
    ) -> None:
        super().__init__(
            event_weight,
            timing_weight,
            refractory_weight,
            refractory_period_samples=refractory_period_samples,
            timing_resolution_samples=timing_resolution_samples,
            timing_sigma_samples=timing_sigma_samples,
            stride=stride,
        )
        self.template_weight = template_weight
        self.template_sigma_samples = template_sigma_samples

    def forward(  # type: ignore[override]  # one more input between the others
        self,
        event_logits: Tensor,
        timing_logits: Tensor,
        template_scores: Tensor,
        event_labels: Tensor,
        event_timings: Tensor,
    ) -> dict[str, Tensor]:
        """Return the terms and their weighted sum.

        Parameters
        ----------
        event_logits, timing_logits, template_scores
            As `EventSpecificClassifier` returns them, (B, K), (B, F, K) and
            (B, T, K); match scores are per sample whatever the stride.
        event_labels, event_timings
            As of `EventTimingLoss.forward`.

        Returns
        -------
        dict[str, Tensor]
            ``total``, ``event``, ``timing``, ``template`` and ``refractory``,
            shape () each.
        """
        terms = super().forward(event_logits, timing_logits, event_labels, event_timings)
        target = gaussian_target(
            event_timings,
            event_labels,
            template_scores.shape[1],
            sigma=self.template_sigma_samples,
        )
        terms["template"] = template_alignment(template_scores, target)
        terms["total"] = terms["total"] + self.template_weight * terms["template"]
        return terms


class AutoencoderLoss(nn.Module):
    """Mean squared error of reconstructed windows."""

    def forward(
        self, reconstruction: Tensor, latent: Tensor, x: Tensor, lengths: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Return ``total``, shape ().

        Parameters
        ----------
        reconstruction, latent
            As `LSTMAutoencoder` returns them.
        x, lengths
            The windows (B, T, C) and their samples (B,); None: all have T.
        """
        return {"total": mean_squared(reconstruction, x, lengths)}


class VariationalLoss(nn.Module):
    """Squared error and divergence from the standard normal, per sample and channel.

    Parameters
    ----------
    kl_weight
        Weight of the divergence.
    """

    def __init__(self, kl_weight: float = 1.0) -> None:
        super().__init__()
        self.kl_weight = kl_weight

    def forward(
        self,
        reconstruction: Tensor,
        mean: Tensor,
        log_variance: Tensor,
        x: Tensor,
        lengths: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Return ``reconstruction``, ``divergence`` and their weighted sum ``total``, shape ()."""
        error = 0.5 * mean_squared(reconstruction, x, lengths)
        n = x.shape[1] if lengths is None else lengths.to(x.device).float().mean()
        nats = kl_divergence(mean, log_variance).sum(dim=1).mean() / (n * x.shape[2])
        return {
            "total": error + self.kl_weight * nats,
            "reconstruction": error,
            "divergence": nats,
        }
