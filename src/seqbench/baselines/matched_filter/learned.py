"""The matched filter with templates learned from labels."""

import numpy as np

from seqbench.baselines.matched_filter.base import TemplateBaseline
from seqbench.baselines.matched_filter.detector import FittedEvent
from seqbench.baselines.matched_filter.interpolation import Floats, Integers
from seqbench.baselines.matched_filter.joined import JoinedSignal, rate_hz_of
from seqbench.baselines.matched_filter.templates import learned_templates
from seqbench.baselines.matched_filter.whitening import Whitener
from seqbench.config.options import Level, Positive
from seqbench.config.registry import BASELINES
from seqbench.errors import UserError
from seqbench.storage.windows import WindowSet

NOISE_TAPS, NOISE_FACTOR = 16, 1.5  # of a template judged together, and what noise must not reach


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
        per_ms = rate_hz_of(train) / 1000
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
