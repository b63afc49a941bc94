"""The matched filter with a learned correction."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from seqbench.baselines.base import Arrays, Baseline
from seqbench.baselines.event_pursuit.correction import Examples, corrections, fit_correction
from seqbench.baselines.event_pursuit.proposals import Proposals, proposals
from seqbench.baselines.matched_filter.baselines import MatchedFilterBaseline
from seqbench.baselines.matched_filter.detector import TemplateDetector, scores
from seqbench.config.options import Level, Positive
from seqbench.config.registry import BASELINES
from seqbench.storage.detections import Candidates
from seqbench.storage.windows import WindowSet

N_FOLDS = 4
PIECE_S = 30.0  # to which long recordings are cut for folds
PREFIX = "correction."


@BASELINES.register(
    "event_pursuit",
    accepts=("series",),
    tasks=("detection",),
    imports=("scipy.ndimage", "scipy.special", "torch"),
)
class EventPursuitBaseline(Baseline):
    """A matched filter whose log-odds and times a small network corrects, where that helps.

    Parameters
    ----------
    length_ms
        Length of a template in milliseconds.
    before_ms
        What of it lies before the onset.

    Notes
    -----
    Filters fitted on three quarters of train give proposals in the last, so
    that their scores are not optimistic. Four networks, each trained without
    a quarter, correct these; the correction begins at zero, and what does not
    improve the quarter that was not seen stays zero: then the events are those
    of `matched_filter`.
    """

    def __init__(self, *, length_ms: Positive = 60.0, before_ms: Level = 15.0) -> None:
        self.filter = MatchedFilterBaseline(length_ms=length_ms, before_ms=before_ms)

    def fit(self, splits: list[WindowSet], seed: int) -> Arrays:
        """Fit the filter on train, and the correction on its proposals out of fold."""
        (train,) = splits
        arrays = self.filter.fit([train], seed)
        correction = fit_correction(self.examples(train, seed), len(train.classes), seed)
        return arrays | {PREFIX + name: array for name, array in correction.items()}

    def examples(self, train: WindowSet, seed: int) -> Examples | None:
        """Return the proposals of train by filters that did not see them."""
        rows = _pieces(train)
        order = np.random.default_rng(seed).permutation(len(rows))
        of_fold = np.empty(len(rows), dtype=np.int64)
        of_fold[order] = np.arange(len(rows)) % N_FOLDS
        parts: list[Examples] = []
        for i in range(N_FOLDS):
            if not (of_fold == i).any() or (of_fold == i).all():
                continue
            held = _only(train, rows[of_fold == i])
            fitted = self.filter.fit([_only(train, rows[of_fold != i])], seed)
            made = proposals(TemplateDetector.of(fitted), held)
            if len(made):
                parts.append(_examples(held, made, fold=len(parts)))
        return Examples.joined(parts)

    def predict(self, arrays: Arrays, windows: WindowSet) -> Candidates:
        """Return every event that the recordings may hold."""
        made = proposals(TemplateDetector.of(arrays), windows)
        own = {n.removeprefix(PREFIX): a for n, a in arrays.items() if n.startswith(PREFIX)}
        more, later_ms = corrections(own, made.features, made.type)
        length = windows.events.stop - windows.events.start
        time = made.time + later_ms * windows.required_rate_hz / 1000
        found = Candidates.at(
            np.clip(time, 0, length[made.place] - 1),
            place=made.place,
            type=made.type,
            score=scores(made.log_odds + more),
        )
        return Candidates.joined([found])


def _pieces(train: WindowSet) -> NDArray[np.int64]:
    """Return labelled spans, long ones cut: recording, first and last row, (n, 3)."""
    timeline, longest = train.events, PIECE_S * train.required_rate_hz
    rows = []
    for recording, start, stop in zip(
        timeline.recording, timeline.known_start, timeline.known_stop, strict=True
    ):
        if stop > start:
            ends = np.linspace(start, stop, max(1, round((stop - start) / longest)) + 1).astype(int)
            rows += [(recording, *pair) for pair in pairwise(ends)]
    return np.array(rows, dtype=np.int64).reshape(-1, 3)


def _only(train: WindowSet, rows: NDArray[np.int64]) -> WindowSet:
    """Return the window set with these pieces as its recordings."""
    timeline = train.events
    recording, start, stop = rows.T
    inside = np.zeros(len(timeline.onset), dtype=bool)
    for first, last in zip(start, stop, strict=True):
        inside |= (timeline.onset >= first) & (timeline.onset < last)
    amplitude = None if timeline.amplitude is None else timeline.amplitude[inside]
    cut = replace(
        timeline,
        recording=recording,
        start=start,
        stop=stop,
        known_start=start,
        known_stop=stop,
        onset=timeline.onset[inside],
        offset=timeline.offset[inside],
        type=timeline.type[inside],
        amplitude=amplitude,
    )
    return replace(train, timeline=cut)


def _examples(windows: WindowSet, made: Proposals, fold: int) -> Examples:
    """Return which proposals are events, one of each, and by how much they are early."""
    timeline, rate_hz = windows.events, windows.required_rate_hz
    reach = timeline.tolerance_ms * rate_hz / 1000
    is_event, late_ms = np.zeros(len(made), dtype=bool), np.zeros(len(made))
    onset = timeline.onset - timeline.start[timeline.place]
    for place, time, kind in zip(timeline.place, onset, timeline.type, strict=True):
        own = (made.place == place) & (made.type == kind) & ~is_event
        near = np.flatnonzero(own & (np.abs(made.time - time) <= reach))
        if len(near):
            best = near[np.argmax(made.log_odds[near] - 1e-3 * np.abs(made.time[near] - time))]
            is_event[best] = True
            late_ms[best] = (time - made.time[best]) * 1000 / rate_hz
    return Examples(
        features=made.features,
        type=made.type,
        log_odds=made.log_odds,
        is_event=is_event,
        late_ms=late_ms,
        fold=np.full(len(made), fold),
    )
