"""Losses of detection: presence, time and refractory period of events.

Shapes: B windows, F frames, K types of event. Every function computes in single
precision, whatever its inputs are, and returns a tensor of shape ().
"""

import torch
import torch.nn.functional as F
from torch import Tensor

HIT_FOCUS, MISS_FOCUS = 2, 4
DURATION_BETA = 0.05  # nats below which the error of a duration is squared


def presence_loss(
    logits: Tensor,
    target: Tensor,
    mask: Tensor | None = None,
    *,
    kind: str = "bce",
    weight: Tensor | None = None,
) -> Tensor:
    """Return the loss of the presence of events in every frame and type.

    Parameters
    ----------
    logits
        Before the sigmoid, (..., K); frames are (B, F, K), whole windows (B, K).
    target
        In [0, 1], the shape of `logits`; 1 at the frame of an event, and less
        around it if the target is soft.
    mask
        True or 1 where a frame counts, of a shape that broadcasts to that of
        `logits`, such as (B, F, 1); None: all count.
    kind
        ``bce``: the binary cross-entropy, mean over the counted entries.
        ``focal``: the penalty-reduced focal loss of CenterNet, sum over the
        counted entries by the number of events (targets of exactly 1, at least
        one).
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


def duration_loss(log_ratio: Tensor, target: Tensor) -> Tensor:
    """Return how far predicted durations are from those of events, whatever their scale.

    Parameters
    ----------
    log_ratio, target
        Logarithms of a duration by the typical one of its type, (M,); the target is NaN where
        it is not known.

    Returns
    -------
    Tensor
        Mean over known targets of the absolute difference, squared near 0; 0 without any. Nats,
        so about the relative error.
    """
    known = target.isfinite()
    error = F.smooth_l1_loss(
        log_ratio.float(), target.nan_to_num(), beta=DURATION_BETA, reduction="none"
    )
    return (error * known).sum() / known.sum().clamp(min=1)


def bin_divergence(logits: Tensor, place: Tensor, spread: float) -> Tensor:
    """Return the divergence of a softmax over bins from a narrow bell around each event.

    Parameters
    ----------
    logits
        Before the softmax over bins, (M, n_bins).
    place
        Position of each event in bins from the first, (M,); fractions too.
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


def template_alignment(scores: Tensor, target: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return the error of match scores that should be high at the events and nowhere else.

    Parameters
    ----------
    scores
        Match scores in [-1, 1], (B, F, K).
    target
        Bells around the events, 1 at each and 0 far from all, (B, F, K).
    mask
        True or 1 where a frame counts, of a shape that broadcasts to that of
        `scores`; None: all count.

    Returns
    -------
    Tensor
        Mean squared difference without unit; scores of 0 have the mean square
        of the target.
    """
    error = (scores.float() - target.float()).square()
    if mask is None:
        return error.mean()
    counted = mask.to(torch.float32).expand(error.shape)
    return (error * counted).sum() / counted.sum().clamp(min=1)


def refractory_penalty(
    probabilities: Tensor, refractory_frames: int, *, peak_frames: int = 2
) -> Tensor:
    """Return the penalty of events of one type nearer than the refractory period.

    For every two frames nearer to each other than the refractory period, the
    product of their squared probabilities: of two peaks, the lower one has the
    larger gradient. The squares keep the many frames of low probability from
    adding up to more than one real violation.

    Parameters
    ----------
    probabilities
        Of an event in each frame, (B, F, K), 0 past the end of a window.
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
    Sums over intervals are differences of a running sum: the cost is that of F
    frames, not of F times the refractory period.
    """
    weights = probabilities.float().square()
    return products_of_pairs(weights, peak_frames + 1, refractory_frames).mean()


def products_of_pairs(weights: Tensor, nearest: int, furthest: int) -> Tensor:
    """Return the sum over pairs i < j of weights (B, F, K), nearest <= j - i < furthest, (B, K)."""
    n = weights.shape[1]
    running = F.pad(weights.cumsum(dim=1), (0, 0, 1, 0))  # running[:, i] is the sum of the first i
    frame = torch.arange(n, device=weights.device)
    upto = running[:, (frame - nearest + 1).clamp(min=0)]
    before = running[:, (frame - furthest + 1).clamp(min=0)]
    return (weights * (upto - before).clamp(min=0)).sum(dim=1)
