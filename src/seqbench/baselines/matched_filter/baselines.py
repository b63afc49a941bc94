"""The matched filters: with the templates of a generator, or learned from labels."""

from abc import abstractmethod
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from seqbench.baselines.base import Arrays, Baseline
from seqbench.baselines.matched_filter.detector import FittedEvent, TemplateDetector
from seqbench.baselines.matched_filter.interpolation import STEPS, Floats, Integers
from seqbench.baselines.matched_filter.joined import JoinedSignal, known_events, pieces_of
from seqbench.baselines.matched_filter.positions import (
    amplitudes,
    explained,
    lateness,
    likeliest_prior,
    shift_prior,
)
from seqbench.baselines.matched_filter.pursuit import candidates
from seqbench.baselines.matched_filter.templates import learned_templates, residual
from seqbench.baselines.matched_filter.whitening import ORDER, PRE_ORDER, Whitener, fit_whitener
from seqbench.config.options import Level, Positive
from seqbench.config.registry import BASELINES
from seqbench.errors import UserError
from seqbench.storage.detections import Candidates
from seqbench.storage.windows import WindowSet

ROUNDS = 5  # of templates, noise and positions, each in the light of the others, at most
LEAST_GAIN = 1.0  # nats per event; chance gains half a nat where labels are exact
LEAST_NOISE = 1e-4  # of the first whitening's deviation: generators know signals without noise
UNSURE = 1e6  # spread of an amplitude of which nothing is known
NOISE_TAPS, NOISE_FACTOR = 16, 1.5  # of a template judged together, and what noise must not reach


class TemplateBaseline(Baseline):
    """What both matched filters share: noise, amplitudes and rates from train."""

    peel: bool

    @abstractmethod
    def shape(self, train: WindowSet) -> tuple[int, float, int]:
        """Return samples of a template, its onset therein, and by how many labels may be off."""

    @abstractmethod
    def templates(
        self, train: WindowSet, joined: JoinedSignal, events: list[FittedEvent], pre: Whitener
    ) -> Floats:
        """Return the templates as the first whitening leaves them, (K, C, L)."""

    @abstractmethod
    def cleaned(self, templates: Floats, n_events: Integers) -> Floats:
        """Return whitened templates (K, C, L) without what noise did to them."""

    def fit(self, splits: list[WindowSet], seed: int) -> Arrays:
        """Learn all that detection needs from the labelled spans of train.

        Noise is what events leave of the signal. It is whitened in two steps,
        because the first, which takes away slow sway, comes before anything is
        known of the events.
        """
        (train,) = splits
        length, onset, reach = self.shape(train)
        n_types, n_channels = len(train.classes), len(train.channels)
        gap = 4 * (length + PRE_ORDER + ORDER)
        pieces = pieces_of(train, known=True)
        raw = JoinedSignal.of(pieces, n_channels, gap)
        pre = fit_whitener(raw.signal, raw.inside(), PRE_ORDER, 0.0, mix=False)
        joined = JoinedSignal.of([pre(one, extend=False) for one in pieces], n_channels, gap)
        place, label, types = known_events(train)
        n_events = np.bincount(types, minlength=n_types)
        due = label + joined.start[place] - onset
        labelled = [
            FittedEvent(k, STEPS * s, 1.0)
            for k, s in zip(types.tolist(), np.rint(due).astype(int).tolist(), strict=True)
        ]
        events, prior, between = labelled, shift_prior(0.0, reach), False
        for turn in range(ROUNDS):
            templates = self.templates(train, joined, events, pre)
            noise = residual(joined.signal, templates, events)
            post = fit_whitener(noise, joined.inside(), ORDER, LEAST_NOISE, mix=True)
            detector = TemplateDetector(
                whitener=post,
                templates=self.cleaned(post(templates, extend=True), n_events),
                onset=onset,
                bias=np.zeros(n_types),
                rate=n_events / max(1, int(joined.length.sum())),
                amplitude=np.ones(n_types),
                spread=np.full(n_types, UNSURE),
                apart=max(1, length // 2),
                between=between,
            )
            before = events
            events, likelihood, gain = explained(detector, joined, labelled, prior)
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
        return candidates(TemplateDetector.of(arrays), windows, peel=self.peel)


@BASELINES.register(
    "oracle",
    accepts=("series",),
    tasks=("detection",),
    needs=("truth",),
    ceiling_of=("detection",),
    imports=("scipy.ndimage",),
)
class OracleBaseline(TemplateBaseline):
    """The matched filter of a generator's own templates, in noise as train has it.

    Parameters
    ----------
    peel
        Subtract each event found before looking for the next, which
        separates events that collide.

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
        """Return the truth of the generator; its labels are exact."""
        truth = self._truth(train)
        return truth["templates"].shape[2], float(truth["template_onset"]), 0

    def templates(
        self, train: WindowSet, joined: JoinedSignal, events: list[FittedEvent], pre: Whitener
    ) -> Floats:
        """Return the generator's templates, normalised like the signal."""
        scaled = self._truth(train)["templates"] / train.normalization.scale[:, None]
        return pre(scaled, extend=True)

    def cleaned(self, templates: Floats, n_events: Integers) -> Floats:
        """Return the templates: they hold no noise."""
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
        Subtract each event found before looking for the next, which
        separates events that collide.

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
        per_ms = train.required_rate_hz / 1000
        length = max(1, round(self.length_ms * per_ms))
        reach = round(train.events.tolerance_ms * per_ms)
        return length, round(self.before_ms * per_ms), max(1, min(reach, length // 2))

    def templates(
        self, train: WindowSet, joined: JoinedSignal, events: list[FittedEvent], pre: Whitener
    ) -> Floats:
        """Learn the templates, which the first whitening made longer."""
        length = self.shape(train)[0] + pre.filters.shape[1] - 1
        return learned_templates(joined.signal, events, len(train.classes), length)

    def cleaned(self, templates: Floats, n_events: Integers) -> Floats:
        """Shrink every piece of every channel by the noise that is to be expected in it."""
        n_taps = templates.shape[2]
        blocks = np.arange(0, n_taps, NOISE_TAPS)
        power = np.add.reduceat(templates**2, blocks, axis=2)
        size = np.diff([*blocks, n_taps])
        noise = NOISE_FACTOR * size / np.maximum(n_events, 1)[:, None, None]
        factor = np.maximum(0, 1 - noise / np.maximum(power, noise))
        return templates * np.repeat(factor, size, axis=2)
