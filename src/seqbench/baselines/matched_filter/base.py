"""What both matched filters share: noise, amplitudes and rates from train."""

from abc import abstractmethod
from dataclasses import replace

import numpy as np

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
from seqbench.baselines.matched_filter.templates import residual
from seqbench.baselines.matched_filter.whitening import ORDER, PRE_ORDER, Whitener, fit_whitener
from seqbench.storage.detections import Candidates
from seqbench.storage.windows import WindowSet

ROUNDS = 5  # of templates, noise and positions, each in the light of the others, at most
LEAST_GAIN = 1.0  # nats per event; chance gains half a nat where labels are exact
LEAST_NOISE = 1e-4  # of the first whitening's deviation: generators know signals without noise
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
        del seed  # nothing is left to chance
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
