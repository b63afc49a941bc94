"""Matched filters: with the templates of a generator, or with templates learned from labels."""

from abc import abstractmethod
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from seqbench.baselines.base import Arrays, Baseline
from seqbench.baselines.pursuit import (
    MARGIN,
    ORDER,
    PRE_ORDER,
    STEPS,
    Detector,
    Event,
    Floats,
    Integers,
    Layout,
    Pursuit,
    Whitener,
    fast_size,
    fit_whitener,
    known_events,
    rate_hz_of,
    shifted,
    stretches_of,
    timeline_of,
)
from seqbench.config.options import Level, Positive
from seqbench.config.registry import BASELINES
from seqbench.errors import UserError
from seqbench.storage.detections import Candidates
from seqbench.storage.windows import WindowSet

ROUNDS = 5  # of templates, noise and positions, each in the light of the others, at most
JITTERS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)  # of labels, in samples
SIDE = 8  # samples over which something moved between samples spreads
LEAST_GAIN = 1.0  # nats per event; chance gains half a nat where labels are exact
NOISE_TAPS, NOISE_FACTOR = 16, 1.5  # of a template judged together, and what noise must not reach
LEAST_NOISE = 1e-4  # of the first whitening's deviation: generators know signals without noise
RIDGE = 0.1  # of an event, in learning templates
MOST_TURNS, PRECISION = 200, 1e-8  # of the conjugate gradients
LEAST_SPREAD = 0.02  # of the mean amplitude
POOLED_EVENTS = 5  # events that the spread common to all types is worth
UNSURE = 1e6  # spread of an amplitude of which nothing is known


class TemplateBaseline(Baseline):
    """What both matched filters share: noise, amplitudes and rates from train."""

    gives_probabilities = False
    peel: bool

    @abstractmethod
    def shape(self, train: WindowSet) -> tuple[int, float, int]:
        """Return samples of a template, its onset therein, and by how many labels may be off."""

    @abstractmethod
    def templates(
        self, train: WindowSet, layout: Layout, events: list[Event], pre: Whitener
    ) -> Floats:
        """Return the templates as the first whitening leaves them, (K, C, L)."""

    @abstractmethod
    def cleaned(self, templates: Floats, n_events: Integers) -> Floats:
        """Return whitened templates (K, C, L) without what noise did to them."""

    def fit(self, parts: list[WindowSet], seed: int) -> Arrays:
        """Learn all that detection needs from the known parts of train.

        Noise is what events leave of the signal. It is whitened in two steps,
        because the first, which takes away slow sway, comes before anything is
        known of the events.
        """
        del seed  # nothing is left to chance
        (train,) = parts
        length, onset, reach = self.shape(train)
        n_types, n_channels = len(train.classes), len(train.channels)
        gap = 4 * (length + PRE_ORDER + ORDER)
        stretches = stretches_of(train, known=True)
        raw = Layout.of(stretches, n_channels, gap)
        pre = fit_whitener(raw.signal, raw.inside(), PRE_ORDER, 0.0, mix=False)
        layout = Layout.of([pre(one, extend=False) for one in stretches], n_channels, gap)
        place, label, types = known_events(train)
        n_events = np.bincount(types, minlength=n_types)
        due = label + layout.begin[place] - onset
        labelled = [
            Event(k, STEPS * s, 1.0)
            for k, s in zip(types.tolist(), np.rint(due).astype(int).tolist(), strict=True)
        ]
        events, prior, between = labelled, shift_prior(0.0, reach), False
        for turn in range(ROUNDS):
            templates = self.templates(train, layout, events, pre)
            noise = residual(layout.signal, templates, events)
            post = fit_whitener(noise, layout.inside(), ORDER, LEAST_NOISE, mix=True)
            detector = Detector(
                whitener=post,
                templates=self.cleaned(post(templates, extend=True), n_events),
                onset=onset,
                bias=np.zeros(n_types),
                rate=n_events / max(1, int(layout.length.sum())),
                amplitude=np.ones(n_types),
                spread=np.full(n_types, UNSURE),
                apart=max(1, length // 2),
                between=between,
            )
            before = events
            events, likelihood, gain = explained(detector, layout, labelled, prior)
            if turn and not between and [e.at for e in events] == [e.at for e in before]:
                break
            prior = likeliest_prior(likelihood)
            between = bool(len(gain) and gain.mean() > LEAST_GAIN)
        amplitude, spread = amplitudes(events, detector)
        bias = (
            lateness(events, np.asarray(due, dtype=np.float64), n_types) if reach else detector.bias
        )
        whitener = pre.then(post)
        final = replace(detector, whitener=whitener, amplitude=amplitude, spread=spread, bias=bias)
        return final.arrays()

    def predict(self, arrays: Arrays, windows: WindowSet) -> Candidates:
        """Return every event that the recordings may hold."""
        return Detector.of(arrays).candidates(windows, peel=self.peel)


@BASELINES.register(
    "oracle",
    accepts=("series",),
    tasks=("detection",),
    needs=("truth",),
    ceiling_of=("detection",),
    stochastic=False,
    imports=("scipy.ndimage",),
)
class OracleBaseline(TemplateBaseline):
    """The matched filter of a generator's own templates, in noise as train has it.

    Parameters
    ----------
    peel
        Subtract each event found before looking for the next, which tells
        events apart that collide.

    Notes
    -----
    Scores grow with the log-odds of an event against none, with normal
    amplitudes and events at random; they are no probabilities, because events
    close to one another are not independent.

    References
    ----------
    Turin (1960). An introduction to matched filters. IRE Transactions on
    Information Theory 6(3). Mallat, Zhang (1993). Matching pursuits with
    time-frequency dictionaries. IEEE Transactions on Signal Processing 41(12).
    """

    def __init__(self, *, peel: bool = True) -> None:
        self.peel = peel

    def shape(self, train: WindowSet) -> tuple[int, float, int]:
        """Return what the generator says; its labels are exact."""
        truth = self._truth(train)
        return truth["templates"].shape[2], float(truth["template_onset"]), 0

    def templates(
        self, train: WindowSet, layout: Layout, events: list[Event], pre: Whitener
    ) -> Floats:
        """Return the generator's templates, normalised like the signal."""
        scaled = self._truth(train)["templates"] / train.normalization.scale[:, None]
        return pre(scaled, extend=True)

    def cleaned(self, templates: Floats, n_events: Integers) -> Floats:
        """Return the templates: they hold no noise."""
        del n_events
        return templates

    def _truth(self, train: WindowSet) -> dict[str, NDArray[np.float64]]:
        expected = (len(train.classes), len(train.channels))
        for name in ("templates", "template_onset"):
            if name not in train.truth:
                raise UserError(
                    f"the dataset holds no `truth/{name}`, which `oracle` needs; take a dataset"
                    " that is generated, or the baseline `matched_filter`"
                )
        if train.truth["templates"].shape[:2] != expected:
            raise UserError(
                f"`truth/templates` has shape {train.truth['templates'].shape}; it must be"
                f" {expected[0]} types by {expected[1]} channels by samples"
            )
        return train.truth


@BASELINES.register(
    "matched_filter",
    accepts=("series",),
    tasks=("detection",),
    templates_of=("detection",),
    stochastic=False,
    imports=("scipy.ndimage",),
)
class MatchedFilterBaseline(TemplateBaseline):
    """A matched filter whose templates are learned from the labelled events of train.

    Parameters
    ----------
    length_ms
        Length of a template in milliseconds.
    before_ms
        What of it lies before the onset.
    peel
        Subtract each event found before looking for the next, which tells
        events apart that collide.

    Notes
    -----
    All templates are learned at once by least squares, so that events that
    overlap spoil none of them. Labels may be off by up to the tolerance of the
    dataset: events are moved to where the templates of the round before fit
    better than chance would have it. Scores are those of `oracle`.
    """

    def __init__(
        self, *, length_ms: Positive = 60.0, before_ms: Level = 15.0, peel: bool = True
    ) -> None:
        if before_ms >= length_ms:
            raise UserError(
                f"`before_ms` is {before_ms:g}, but a template is {length_ms:g} ms long; it must"
                " be less than `length_ms`"
            )
        self.length_ms = length_ms
        self.before_ms = before_ms
        self.peel = peel

    def shape(self, train: WindowSet) -> tuple[int, float, int]:
        """Return the options in samples; labels may be off by the tolerance."""
        per_ms = rate_hz_of(train) / 1000
        length = max(1, round(self.length_ms * per_ms))
        reach = round(timeline_of(train).tolerance_ms * per_ms)
        return length, round(self.before_ms * per_ms), max(1, min(reach, length // 2))

    def templates(
        self, train: WindowSet, layout: Layout, events: list[Event], pre: Whitener
    ) -> Floats:
        """Learn the templates, which the first whitening made longer."""
        length = self.shape(train)[0] + pre.filters.shape[1] - 1
        return learned_templates(layout.signal, events, len(train.classes), length)

    def cleaned(self, templates: Floats, n_events: Integers) -> Floats:
        """Shrink every stretch of every channel by the noise that is to be expected in it."""
        n_taps = templates.shape[2]
        blocks = np.arange(0, n_taps, NOISE_TAPS)
        power = np.add.reduceat(templates**2, blocks, axis=2)
        size = np.diff([*blocks, n_taps])
        noise = NOISE_FACTOR * size / np.maximum(n_events, 1)[:, None, None]
        factor = np.maximum(0, 1 - noise / np.maximum(power, noise))
        return templates * np.repeat(factor, size, axis=2)


def learned_templates(
    signal: NDArray[np.float32], events: list[Event], n_types: int, length: int
) -> Floats:
    """Return the templates whose sum explains a signal best.

    Parameters
    ----------
    signal
        (C, T), of about white noise.
    events
        All that is in it.
    n_types, length
        K and L of the result.

    Returns
    -------
    Floats
        (K, C, L); 0 for a type without events.

    Notes
    -----
    Least squares with a ridge of `RIDGE` events. The normal equations hold, for
    each two types, how often their events are m samples apart: a block-Toeplitz
    matrix, which is never made, but applied by transforms in conjugate gradients.
    """
    types = np.array([event.type for event in events], dtype=np.int64)
    starts = np.array([event.at // STEPS for event in events], dtype=np.int64)
    wide = np.zeros((n_types, STEPS, len(signal), length + 2 * SIDE))
    for event in events:
        start, step = divmod(event.at, STEPS)
        wide[event.type, step] += signal[:, start - SIDE : start + length + SIDE]
    sums = np.zeros((n_types, len(signal), length))
    for step in range(STEPS):
        sums += shifted(wide[:, step], -step / STEPS)[..., SIDE:-SIDE]
    size = fast_size(3 * length)
    coincidences = np.zeros((n_types, n_types, size))  # at m, those m samples later; -m at the end
    order = np.argsort(starts, kind="stable")
    types, starts = types[order], starts[order]
    np.add.at(coincidences, (types, types, np.zeros_like(types)), 1)
    for ahead in range(1, len(starts)):
        lag = starts[ahead:] - starts[:-ahead]
        near = lag < length
        if not near.any():
            break
        first, second, lag = types[:-ahead][near], types[ahead:][near], lag[near]
        np.add.at(coincidences, (first, second, lag), 1)
        np.add.at(coincidences, (second, first, -lag), 1)
    spectra = np.fft.rfft(coincidences).transpose(2, 0, 1)  # (F, K, K)
    weight = 1 / (np.bincount(types, minlength=n_types) + RIDGE)[:, None, None]

    def applied(templates: Floats) -> Floats:
        transformed = np.fft.rfft(templates, size).transpose(2, 0, 1)
        together = np.fft.irfft((spectra @ transformed).transpose(1, 2, 0), size)
        return together[..., :length] + RIDGE * templates

    found = weight * sums
    left = sums - applied(found)
    ahead_of = direction = weight * left
    slope = float((left * ahead_of).sum())
    enough = PRECISION**2 * float((weight * sums**2).sum())
    for _ in range(MOST_TURNS):
        if slope <= enough:
            break
        image = applied(direction)
        stride = slope / float((direction * image).sum())
        found = found + stride * direction
        left = left - stride * image
        ahead_of = weight * left
        before, slope = slope, float((left * ahead_of).sum())
        direction = ahead_of + slope / before * direction
    return found


def residual(
    signal: NDArray[np.float32], templates: Floats, events: list[Event]
) -> NDArray[np.float32]:
    """Return what events leave of a signal, (C, T)."""
    # More samples to each side take what is moved between samples.
    wide = np.pad(templates, [(0, 0), (0, 0), (SIDE, SIDE)])
    bank = np.stack([shifted(wide, step / STEPS) for step in range(STEPS)], axis=1)
    left = signal.copy()
    for event in events:
        start, step = divmod(event.at, STEPS)
        around = slice(start - SIDE, start - SIDE + bank.shape[3])
        left[:, around] -= event.amplitude * bank[event.type, step]
    return left


def explained(
    detector: Detector, layout: Layout, events: list[Event], prior: Floats
) -> tuple[list[Event], Floats, Floats]:
    """Return what `Pursuit.explain` does, for a whole layout.

    Parameters
    ----------
    detector
        Its whitener fits the signal of the layout.
    layout
        Recordings of train.
    events
        As labelled, in samples of the layout.
    prior
        As there.
    """
    starts = np.array([event.at // STEPS for event in events], dtype=np.int64)
    better = list(events)
    likelihood, gain = np.zeros((len(events), len(prior))), np.zeros(len(events))
    for first, last, core_first, core_last in layout.blocks(MARGIN * detector.length):
        white = detector.whitener(layout.signal[:, first:last], extend=False)
        correlations = detector.correlations(white)
        pursuit = Pursuit(detector, correlations, np.ones(correlations.shape[1], dtype=bool))
        inside = np.flatnonzero((starts >= first) & (starts < last))
        block = [events[i]._replace(at=events[i].at - first * STEPS) for i in inside]
        answer = zip(inside, *pursuit.explain(block, prior), strict=True)
        for i, event, *rest in answer:
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


def amplitudes(events: list[Event], detector: Detector) -> tuple[Floats, Floats]:
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


def lateness(events: list[Event], due: Floats, n_types: int) -> Floats:
    """Return by how many samples events of each type are found later than due, (K,)."""
    late = np.array([event.at / STEPS for event in events]) - due
    types = np.array([event.type for event in events], dtype=np.int64)
    bias = np.zeros(n_types)
    for k in np.unique(types):
        own = late[types == k]
        # Steps are coarse, so their mean; labels may be wrong, so only those about the median.
        bias[k] = own[np.abs(own - np.median(own)) <= 1].mean()
    return bias
