"""What training for events minimises: which types, when, and never two too close.

Shapes: B windows, F frames or steps in time, K types of event. Every function
works in single precision, whatever it is given, and returns a tensor of shape ().
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

HIT_FOCUS, MISS_FOCUS = 2, 4


def presence_loss(
    logits: Tensor,
    target: Tensor,
    mask: Tensor | None = None,
    *,
    kind: str = "bce",
    weight: Tensor | None = None,
) -> Tensor:
    """Ask of every frame and type whether an event is there.

    Parameters
    ----------
    logits
        Before the sigmoid, (..., K); frames are (B, F, K), whole windows (B, K).
    target
        In [0, 1], the shape of `logits`; 1 at the frame of an event, and less
        beside it if the target is soft.
    mask
        True or 1 where a frame counts, of a shape that broadcasts to that of
        `logits`, such as (B, F, 1); None: all count.
    kind
        ``bce``: the binary cross-entropy, mean over what counts. ``focal``:
        the penalty-reduced focal loss of CenterNet, sum over what counts by
        the number of events (targets of exactly 1, at least one).
    weight
        Weight of each type, (K,); means are taken over weights. None: equal.

    Returns
    -------
    Tensor
        Nats. At chance, all logits 0: log 2 for ``bce``; for ``focal`` a
        quarter of log 2 for each event, and (1 - target)**4 times that for
        every other entry.

    Raises
    ------
    ValueError
        If `kind` is neither.

    References
    ----------
    Zhou, Wang, Krähenbühl (2019). Objects as points, equation 1.
    arXiv:1904.07850
    """
    logits, target = logits.float(), target.float()
    counted = torch.ones_like(logits)
    if mask is not None:
        counted = counted * mask
    if weight is not None:
        counted = counted * weight
    if kind == "bce":
        terms = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
        return (terms * counted).sum() / counted.sum().clamp(min=torch.finfo(counted.dtype).tiny)
    if kind != "focal":
        raise ValueError(f"unknown kind of presence loss '{kind}'; known are bce, focal")
    is_event = target == 1
    probability = logits.sigmoid()
    hit = (1 - probability) ** HIT_FOCUS * F.logsigmoid(logits)
    miss = (1 - target) ** MISS_FOCUS * probability**HIT_FOCUS * F.logsigmoid(-logits)
    terms = -torch.where(is_event, hit, miss)
    return (terms * counted).sum() / (is_event * counted).sum().clamp(min=1)


def offset_loss(predicted: Tensor, target: Tensor, mask: Tensor, *, beta: float = 0.1) -> Tensor:
    """Ask how far each event lies from the middle of its frame.

    Parameters
    ----------
    predicted, target
        Offsets, (B, F, K), both in one unit; frames in this project.
    mask
        True or 1 at the frame and type of an event, (B, F, K).
    beta
        Below this difference the loss is quadratic, beyond it linear with
        slope 1; above 0, in the unit of the offsets.

    Returns
    -------
    Tensor
        Smooth L1 loss (Huber's, by `beta`), mean over events, in the unit of
        the offsets; 0 without events. Of targets spread evenly over ±0.5, a
        prediction of 0 has 0.2033 (beta 0.1).
    """
    mask = mask.to(torch.float32).expand(predicted.shape)
    apart = F.smooth_l1_loss(predicted.float(), target.float(), beta=beta, reduction="none")
    return (apart * mask).sum() / mask.sum().clamp(min=1)


def bin_divergence(logits: Tensor, place: Tensor, spread: float) -> Tensor:
    """Ask for a narrow bell over bins around the place of each event.

    Parameters
    ----------
    logits
        Before the softmax over bins, (M, n_bins).
    place
        Where the event lies, in bins from the first, (M,); between bins too.
    spread
        Standard deviation of the bell in bins, above 0.

    Returns
    -------
    Tensor
        Kullback-Leibler divergence from the bell in nats, mean over events; 0
        without events. At chance log n_bins less the entropy of the bell.
    """
    if not len(place):
        return logits.sum() * 0.0
    steps = torch.arange(logits.shape[1], device=logits.device)
    bell = torch.softmax(-0.5 * ((steps - place[:, None]) / spread).square(), dim=1)
    return F.kl_div(logits.float().log_softmax(dim=1), bell, reduction="batchmean")


def gaussian_target(time: Tensor, present: Tensor, n_steps: int, *, sigma: float) -> Tensor:
    """Return a bell around the time of each event that is there.

    Parameters
    ----------
    time
        Time of each type in steps, (B, K); ignored where the type is absent.
    present
        True or above 0.5 where the type is there, (B, K).
    n_steps
        Steps F of a window.
    sigma
        Standard deviation in steps, above 0.

    Returns
    -------
    Tensor
        (B, F, K), 1 at the time of an event, 0 for absent types.
    """
    present = present > 0.5
    steps = torch.arange(n_steps, device=time.device, dtype=torch.float32)
    # An absent type may have any time, NaN among them, which no product would silence.
    apart = steps[None, :, None] - torch.where(present, time, 0.0).float()[:, None]
    bell = torch.exp(-0.5 * (apart / sigma) ** 2)
    return bell * present[:, None]


def timing_cross_entropy(logits: Tensor, time: Tensor, present: Tensor) -> Tensor:
    """Ask in which step each event begins, by a softmax over time.

    Parameters
    ----------
    logits
        (B, F, K); steps behind the end of a window are to be far below all others.
    time
        Time of each type in steps, (B, K); ignored where the type is absent.
    present
        True or above 0.5 where the type is there, (B, K).

    Returns
    -------
    Tensor
        Negative log-probability of the nearest step in nats, mean over the
        events; log F at chance, 0 without events.
    """
    present = present > 0.5
    last = logits.shape[1] - 1
    nearest = torch.where(present, time, 0.0).round().clamp(0, last).long()
    probability = logits.float().log_softmax(dim=1).gather(1, nearest[:, None])[:, 0]
    return -(probability * present).sum() / present.sum().clamp(min=1)


def timing_divergence(logits: Tensor, time: Tensor, present: Tensor, *, sigma: float) -> Tensor:
    """Ask when each event begins, by a softmax over time that should be a narrow bell.

    The logarithm of a bell is a parabola, so that its top can be read between
    the steps.

    Parameters
    ----------
    logits, time, present
        As of `timing_cross_entropy`.
    sigma
        Standard deviation of the bell in steps, above 0.

    Returns
    -------
    Tensor
        Kullback-Leibler divergence from the bell in nats, mean over the
        events; at chance log F less the entropy of the bell, which is
        log(sigma * sqrt(2 * pi * e)) if sigma is at least a step; 0 without
        events.
    """
    present = present > 0.5
    time = torch.where(present, time, 0.0).float().clamp(0, logits.shape[1] - 1)
    bell = gaussian_target(time, present, logits.shape[1], sigma=sigma)
    bell = bell / bell.sum(dim=1, keepdim=True).clamp(min=torch.finfo(bell.dtype).tiny)
    apart = torch.xlogy(bell, bell) - bell * logits.float().log_softmax(dim=1)
    return apart.sum() / present.sum().clamp(min=1)


def template_alignment(scores: Tensor, target: Tensor, mask: Tensor | None = None) -> Tensor:
    """Ask that templates match where the events are and nowhere else.

    Parameters
    ----------
    scores
        Match scores in [-1, 1], (B, F, K).
    target
        Bells around the events, as `gaussian_target` makes them, (B, F, K).
    mask
        True or 1 where a frame counts, of a shape that broadcasts to that of
        `scores`; None: all count.

    Returns
    -------
    Tensor
        Mean squared difference without unit; scores of 0 have the mean square
        of the target.
    """
    apart = (scores.float() - target.float()).square()
    if mask is None:
        return apart.mean()
    counted = mask.to(torch.float32).expand(apart.shape)
    return (apart * counted).sum() / counted.sum().clamp(min=1)


def refractory_penalty(
    probabilities: Tensor, refractory_frames: int, *, peak_frames: int = 2
) -> Tensor:
    """Ask that events of one type keep their distance.

    For every two frames nearer to each other than the refractory period, the
    product of their squared probabilities: two peaks share the penalty, and
    the lower one loses more by it. The squares keep the many frames of low
    probability from adding up to more than one real violation.

    Parameters
    ----------
    probabilities
        That an event is in a frame, (B, F, K), 0 behind the end of a window.
    refractory_frames
        Two events of a type are at least this many frames apart.
    peak_frames
        Frames this near to each other belong to one peak and may both be high.

    Returns
    -------
    Tensor
        Sum over pairs of frames, mean over windows and types, without unit:
        1 for each two certain events too close. 0 if none are; at chance, all
        0.5, a sixteenth of the number of pairs.

    Notes
    -----
    Sums over stretches are differences of a running sum, so that the work
    grows with F, not with F times the refractory period.
    """
    weights = probabilities.float().square()
    return _products_of_pairs(weights, peak_frames + 1, refractory_frames).mean()


def timing_ambiguity(
    event_logits: Tensor, timing_logits: Tensor, refractory_steps: int, *, peak_steps: int
) -> Tensor:
    """Ask that a softmax over time has one peak within the refractory period.

    Parameters
    ----------
    event_logits
        Whether each type is in the window, before the sigmoid, (B, K).
    timing_logits
        When, before the softmax over time, (B, F, K).
    refractory_steps
        Two events of a type are at least this many steps apart.
    peak_steps
        Steps this near to each other belong to one peak.

    Returns
    -------
    Tensor
        Probability that the type is there and that two draws of its time lie
        further apart than a peak but nearer than the refractory period, mean
        over windows and types; in [0, 1]. At chance, with all steps within
        the refractory period, 0.5 * (1 - m / F) * (1 - (m + 1) / F) for peaks
        of m steps.
    """
    draws = timing_logits.float().softmax(dim=1)
    apart = 2 * _products_of_pairs(draws, peak_steps + 1, refractory_steps)
    return (event_logits.float().sigmoid() * apart).mean()


def _products_of_pairs(weights: Tensor, nearest: int, furthest: int) -> Tensor:
    """Return the sum over pairs i < j of weights (B, F, K), nearest <= j - i < furthest, (B, K)."""
    n = weights.shape[1]
    running = F.pad(weights.cumsum(dim=1), (0, 0, 1, 0))  # running[:, i] is the sum of the first i
    frame = torch.arange(n, device=weights.device)
    upto = running[:, (frame - nearest + 1).clamp(min=0)]
    before = running[:, (frame - furthest + 1).clamp(min=0)]
    return (weights * (upto - before).clamp(min=0)).sum(dim=1)


class EventTimingLoss(nn.Module):
    """Which types are in each window, and when.

    Parameters
    ----------
    event_weight, timing_weight, refractory_weight
        Factors of the three parts in the total, at least 0.
    refractory_period_samples
        Two events of a type are at least this many samples apart.
    timing_resolution_samples
        Times this near to each other are one event.
    timing_sigma_samples
        Width of the bell that the softmax over time should become; 0: all of
        it in the step nearest to the event (`timing_cross_entropy`).
    stride
        Samples between the steps of the timing logits.

    Notes
    -----
    The parts are `presence_loss` over whole windows (log 2 at chance),
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
        self.event_weight = event_weight
        self.timing_weight = timing_weight
        self.refractory_weight = refractory_weight
        self.refractory_steps = math.ceil(refractory_period_samples / stride)
        self.peak_steps = math.ceil(timing_resolution_samples / stride)
        self.timing_sigma = timing_sigma_samples / stride
        self.stride = stride

    def forward(
        self,
        event_logits: Tensor,
        timing_logits: Tensor,
        event_labels: Tensor,
        event_timings: Tensor,
    ) -> dict[str, Tensor]:
        """Return the parts and their weighted sum.

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
        if self.timing_sigma > 0:
            timing = timing_divergence(timing_logits, time, event_labels, sigma=self.timing_sigma)
        else:
            timing = timing_cross_entropy(timing_logits, time, event_labels)
        refractory = timing_ambiguity(
            event_logits, timing_logits, self.refractory_steps, peak_steps=self.peak_steps
        )
        total = (
            self.event_weight * event
            + self.timing_weight * timing
            + self.refractory_weight * refractory
        )
        return {"total": total, "event": event, "timing": timing, "refractory": refractory}


class EventSpecificLoss(EventTimingLoss):
    """Which types are in each window, when, and whether their templates match there.

    Parameters
    ----------
    event_weight, timing_weight, template_weight, refractory_weight
        Factors of the four parts in the total, at least 0.
    template_sigma_samples
        Width of the bell around each onset that match scores should follow.
    refractory_period_samples, timing_resolution_samples, timing_sigma_samples, stride
        As of `EventTimingLoss`.

    Notes
    -----
    The parts are those of `EventTimingLoss` and `template_alignment`.
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

    def forward(  # type: ignore[override]  # one more input stands between the others
        self,
        event_logits: Tensor,
        timing_logits: Tensor,
        template_scores: Tensor,
        event_labels: Tensor,
        event_timings: Tensor,
    ) -> dict[str, Tensor]:
        """Return the parts and their weighted sum.

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
        parts = super().forward(event_logits, timing_logits, event_labels, event_timings)
        target = gaussian_target(
            event_timings,
            event_labels,
            template_scores.shape[1],
            sigma=self.template_sigma_samples,
        )
        parts["template"] = template_alignment(template_scores, target)
        parts["total"] = parts["total"] + self.template_weight * parts["template"]
        return parts
