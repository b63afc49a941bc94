"""The matched filters: with the templates of a generator, or learned from labels."""

from abc import abstractmethod
from dataclasses import replace
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

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
from seqbench.baselines.matched_filter.shapes import pieces_at, shapes_of
from seqbench.baselines.matched_filter.templates import (
    learned_templates,
    residual,
    without_noise,
)
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


class Learned(NamedTuple):
    """A fitted filter with what it was fitted on.

    Parameters
    ----------
    detector
        For signals as they are.
    events
        Labelled events where the signal has them.
    white
        The labelled spans of train, whitened, (C, T).
    """

    detector: TemplateDetector
    events: list[FittedEvent]
    white: NDArray[np.float32]


class TemplateBaseline(Baseline):
    """What both matched filters share: noise, amplitudes and rates from train."""

    peel: bool

    @abstractmethod
    def shape(self, train: WindowSet) -> tuple[int, float, int]:
        """Return samples of a template, its onset therein, and by how many labels may be off."""

    @abstractmethod
    def templates(
        self,
        train: WindowSet,
        joined: JoinedSignal,
        events: list[FittedEvent],
        pre: Whitener,
        n_templates: int,
    ) -> Floats:
        """Return the templates as the first whitening leaves them, (n_templates, C, L)."""

    @abstractmethod
    def cleaned(self, templates: Floats, n_events: Integers) -> Floats:
        """Return whitened templates (K, C, L) without what noise did to them."""

    def parent(self, train: WindowSet) -> Integers:
        """Return the class of each template that there is before any is learned."""
        return np.arange(len(train.classes))

    @abstractmethod
    def divided(
        self, learned: Learned, generator: np.random.Generator
    ) -> tuple[Integers, Integers]:
        """Return the template of each labelled event, (n,), and the class of each template."""

    def fit(self, splits: list[WindowSet], seed: int) -> Arrays:
        """Learn all that detection needs from the labelled spans of train.

        A first fit takes all events of a class for the first template of the
        class; where `divided` finds others among them, a second has them.
        """
        (train,) = splits
        _, _, types = known_events(train)
        learned = self.learned(train, types, self.parent(train))
        templates, parent = self.divided(learned, np.random.default_rng(seed))
        if not np.array_equal(templates, types):
            learned = self.learned(train, templates, parent)
        return learned.detector.arrays()

    def learned(self, train: WindowSet, types: Integers, parent: Integers) -> Learned:
        """Learn a filter whose templates are of the classes `parent`, (K,).

        Noise is what events leave of the signal. It is whitened in two steps,
        because the first, which takes away slow sway, comes before anything is
        known of the events, whose templates `types` (n,) are.
        """
        length, onset, reach = self.shape(train)
        n_types, n_channels = len(parent), len(train.channels)
        gap = 4 * (length + PRE_ORDER + ORDER)
        pieces = pieces_of(train, known=True)
        raw = JoinedSignal.of(pieces, n_channels, gap)
        pre = fit_whitener(raw.signal, raw.inside(), PRE_ORDER, 0.0, mix=False)
        joined = JoinedSignal.of([pre(one, extend=False) for one in pieces], n_channels, gap)
        place, label, _ = known_events(train)
        n_events = np.bincount(types, minlength=n_types)
        due = label + joined.start[place] - onset
        labelled = [
            FittedEvent(k, STEPS * s, 1.0)
            for k, s in zip(types.tolist(), np.rint(due).astype(int).tolist(), strict=True)
        ]
        events, prior, between = labelled, shift_prior(0.0, reach), False
        for turn in range(ROUNDS):
            templates = self.templates(train, joined, events, pre, n_types)
            noise = residual(joined.signal, templates, events)
            post = fit_whitener(noise, joined.inside(), ORDER, LEAST_NOISE, mix=True)
            detector = TemplateDetector(
                whitener=post,
                templates=self.cleaned(post(templates, extend=True), n_events),
                parent=parent,
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
        white = post(joined.signal, extend=False).astype(np.float32)
        return Learned(final, events, white)

    def predict(self, arrays: Arrays, windows: WindowSet) -> Candidates:
        """Return every event that the recordings may hold."""
        return candidates(self.fitted(arrays), windows, peel=self.peel)

    def fitted(self, arrays: Arrays) -> TemplateDetector:
        """Return the filter itself, as which a network may start."""
        return TemplateDetector.of(arrays)


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
        self,
        train: WindowSet,
        joined: JoinedSignal,
        events: list[FittedEvent],
        pre: Whitener,
        n_templates: int,
    ) -> Floats:
        """Return the generator's templates, normalised like the signal."""
        truth = self._truth(train)
        names = ("templates", "second_templates")
        known = np.concatenate([truth[name] for name in names if name in truth])
        return pre(known / train.normalization.scale[:, None], extend=True)

    def cleaned(self, templates: Floats, n_events: Integers) -> Floats:
        """Return the templates: they hold no noise."""
        return templates

    def parent(self, train: WindowSet) -> Integers:
        """Return each class, twice where the generator has second templates."""
        once = np.arange(len(train.classes))
        return np.tile(once, 2) if "second_templates" in self._truth(train) else once

    def divided(
        self, learned: Learned, generator: np.random.Generator
    ) -> tuple[Integers, Integers]:
        """Return of the templates of its class the one that explains an event better."""
        detector, events = learned.detector, learned.events
        templates = np.array([event.type for event in events], dtype=np.int64)
        pieces = pieces_at(learned.white, events, detector.length)
        heard = pieces @ detector.templates.reshape(len(detector.norms), -1).T / detector.norms
        for kind in np.unique(templates):
            shapes, rows = detector.shapes[kind], np.flatnonzero(templates == kind)
            templates[rows] = shapes[heard[rows][:, shapes].argmax(axis=1)]
        return templates, detector.parent

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
    space={"shapes": (1, 2, 4, 8)},
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
    shapes
        Templates of a type, at most; 1: one template each. A type gets
        another where its events support it.

    Notes
    -----
    All templates are learned at once by least squares, so that events that
    overlap spoil none of them. Labels may be off by up to the tolerance of the
    dataset: events are moved to where the templates of the round before fit
    better than chance would have it. Events of a type are divided in two while
    two templates explain events that made neither by a nat per event, and three
    standard errors, more than one does. Scores are those of `oracle`.
    """

    def __init__(
        self,
        *,
        length_ms: Positive = 60.0,
        before_ms: Level = 15.0,
        peel: bool = True,
        shapes: Annotated[int, Field(ge=1, le=16)] = 4,
    ) -> None:
        if before_ms >= length_ms:
            raise UserError(
                f"`before_ms` is {before_ms:g}, but a template is {length_ms:g} ms long; it must"
                " be less than `length_ms`"
            )
        self.length_ms = length_ms
        self.before_ms = before_ms
        self.peel = peel
        self.shapes = shapes

    def shape(self, train: WindowSet) -> tuple[int, float, int]:
        """Return the options in samples; labels may be off by the tolerance."""
        per_ms = train.required_rate_hz / 1000
        length = max(1, round(self.length_ms * per_ms))
        reach = round(train.events.tolerance_ms * per_ms)
        return length, round(self.before_ms * per_ms), max(1, min(reach, length // 2))

    def templates(
        self,
        train: WindowSet,
        joined: JoinedSignal,
        events: list[FittedEvent],
        pre: Whitener,
        n_templates: int,
    ) -> Floats:
        """Learn the templates, which the first whitening made longer."""
        length = self.shape(train)[0] + pre.filters.shape[1] - 1
        return learned_templates(joined.signal, events, n_templates, length)

    def cleaned(self, templates: Floats, n_events: Integers) -> Floats:
        """Shrink every piece of every channel by the noise that is to be expected in it."""
        return without_noise(templates, n_events[:, None, None])

    def divided(
        self, learned: Learned, generator: np.random.Generator
    ) -> tuple[Integers, Integers]:
        """Divide the events of each class by shape, where others of train confirm it."""
        types = np.array([event.type for event in learned.events], dtype=np.int64)
        templates, parent = types.copy(), learned.detector.parent
        if self.shapes == 1:
            return templates, parent
        shapes = np.zeros_like(types)
        for kind in np.unique(types):
            rows = np.flatnonzero(types == kind)
            pieces = pieces_at(
                learned.white, [learned.events[i] for i in rows], learned.detector.length
            )
            shapes[rows] = shapes_of(pieces, self.shapes, generator)
        n_shapes = np.ones(len(parent), dtype=np.int64)
        np.maximum.at(n_shapes, types, shapes + 1)
        first = np.cumsum(n_shapes) - n_shapes
        return first[types] + shapes, np.repeat(parent, n_shapes)
