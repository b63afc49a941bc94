"""Labelled events where the signal has them: shifts of labels, amplitudes and lateness."""

import numpy as np

from seqbench.baselines.matched_filter.detector import FittedEvent, TemplateDetector
from seqbench.baselines.matched_filter.interpolation import STEPS, Floats
from seqbench.baselines.matched_filter.joined import JoinedSignal
from seqbench.baselines.matched_filter.pursuit import MARGIN, Pursuit

JITTERS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)  # of labels, in samples
LEAST_SPREAD = 0.02  # of the mean amplitude
POOLED_EVENTS = 5  # events that the spread common to all types is worth


def explained(
    detector: TemplateDetector, joined: JoinedSignal, events: list[FittedEvent], prior: Floats
) -> tuple[list[FittedEvent], Floats, Floats]:
    """Return what `Pursuit.explain` does, for all blocks of a joined signal.

    Parameters
    ----------
    detector
        Its whitener fits the joined signal.
    joined
        Recordings of train.
    events
        As labelled, in samples of the joined signal.
    prior
        As there.
    """
    starts = np.array([event.at // STEPS for event in events], dtype=np.int64)
    better = list(events)
    likelihood, gain = np.zeros((len(events), len(prior))), np.zeros(len(events))
    for first, last, core_first, core_last in joined.blocks(MARGIN * detector.length):
        white = detector.whitener(joined.signal[:, first:last], extend=False)
        correlations = detector.correlations(white)
        pursuit = Pursuit(detector, correlations, np.ones(correlations.shape[1], dtype=bool))
        inside = np.flatnonzero((starts >= first) & (starts < last))
        block = [events[i]._replace(at=events[i].at - first * STEPS) for i in inside]
        fitted = zip(inside, *pursuit.explain(block, prior), strict=True)
        for i, event, *rest in fitted:
            if core_first <= starts[i] + detector.onset < core_last:
                better[i] = event._replace(at=event.at + first * STEPS)
                likelihood[i], gain[i] = rest
    return better, likelihood, gain


def shift_prior(jitter: float, reach: int) -> Floats:
    """Return the log-probabilities of the shifts -reach .. reach of a label, (2 reach + 1,)."""
    shift = np.arange(-reach, reach + 1)
    if jitter == 0:
        return np.where(shift == 0, 0.0, -np.inf)
    log = -0.5 * (shift / jitter) ** 2
    return log - np.logaddexp.reduce(log)


def likeliest_prior(likelihood: Floats) -> Floats:
    """Return the prior of shifts under which labels are likeliest, (2 r + 1,).

    Parameters
    ----------
    likelihood
        Log-likelihood of each event at each shift, (n, 2 r + 1).
    """
    reach = likelihood.shape[1] // 2
    jitters = [0.0, *(jitter for jitter in JITTERS if jitter <= reach)]
    priors = [shift_prior(jitter, reach) for jitter in jitters]
    return max(priors, key=lambda prior: np.logaddexp.reduce(likelihood + prior, axis=1).sum())


def amplitudes(events: list[FittedEvent], detector: TemplateDetector) -> tuple[Floats, Floats]:
    """Return middle and spread of the amplitudes of each type, (K,).

    What noise adds to the spread is taken off; a type of few events has the
    relative spread of all.
    """
    n_types = len(detector.norms)
    types = np.array([event.type for event in events], dtype=np.int64)
    factor = np.array([event.amplitude for event in events])
    middle, spread = np.ones(n_types), np.zeros(n_types)
    n_events = np.bincount(types, minlength=n_types)
    for k in np.flatnonzero(n_events):
        own = factor[types == k]
        middle[k] = max(np.median(own), LEAST_SPREAD)
        deviation = 1.4826 * np.median(np.abs(own - middle[k]))
        noise = 1 / detector.norms[k]
        spread[k] = np.sqrt(max(deviation**2 - noise**2, 0.0)) / middle[k]
    if not n_events.any():
        return middle, np.full(n_types, LEAST_SPREAD)
    common = (n_events * spread**2).sum() / n_events.sum()
    pooled = (n_events * spread**2 + POOLED_EVENTS * common) / (n_events + POOLED_EVENTS)
    return middle, middle * np.maximum(np.sqrt(pooled), LEAST_SPREAD)


def lateness(events: list[FittedEvent], due: Floats, n_types: int) -> Floats:
    """Return by how many samples events of each type are found later than due, (K,)."""
    late = np.array([event.at / STEPS for event in events]) - due
    types = np.array([event.type for event in events], dtype=np.int64)
    bias = np.zeros(n_types)
    for k in np.unique(types):
        own = late[types == k]
        # Steps are coarse, so their mean; labels may be wrong, so only those about the median.
        bias[k] = own[np.abs(own - np.median(own)) <= 1].mean()
    return bias
