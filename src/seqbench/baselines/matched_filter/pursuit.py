"""Matching pursuit: events of one block are subtracted, the likeliest first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqbench.baselines.matched_filter.detector import RIVALS, FittedEvent, TemplateDetector, scores
from seqbench.baselines.matched_filter.interpolation import (
    GRID,
    REACH,
    STEPS,
    Floats,
    Integers,
    finer,
    summits,
)
from seqbench.baselines.matched_filter.joined import JoinedSignal, pieces_of
from seqbench.storage.detections import Candidates
from seqbench.storage.windows import WindowSet

MARGIN = 8  # templates of context at each end of a block
NEAR = 4  # correlations around an event where its type is not found again
SWEEPS = 2  # times every event is fitted anew beside the others
FLOOR = -6.0  # log-odds below which a peak is no candidate


class Found(NamedTuple):
    """Events of a block, those that were subtracted before those that were not, (M,) each.

    Parameters
    ----------
    start
        Of the template, in samples of the block.
    kind
        Index of the template.
    log_odds
        Of the event against none, beside all others.
    at
        Start in steps of the padded block, as it was subtracted.
    amplitude
        Likeliest factor of the template.
    removed
        The factor that was subtracted; 0: none was.
    """

    start: Floats
    kind: Integers
    log_odds: Floats
    at: Integers
    amplitude: Floats
    removed: Floats


class Pursuit:
    """The correlations of one block, and the events subtracted from them so far.

    Parameters
    ----------
    detector
        Its templates made the correlations.
    correlations
        (K, GRID T).
    allowed
        Samples at which a template may start, (T,).
    """

    def __init__(
        self, detector: TemplateDetector, correlations: Floats, allowed: NDArray[np.bool_]
    ) -> None:
        self.detector = detector
        self.half = detector.traces.shape[3] // 2
        # No two peaks of a type may end at the same place.
        self.rivals = min(RIVALS, GRID * detector.apart // 2)
        # What happens near an end reaches over it.
        self.pad = GRID * (self.half + RIVALS + REACH)
        self.correlations = np.pad(correlations, [(0, 0), (self.pad, self.pad)])
        self.allowed = np.pad(np.repeat(allowed, GRID), self.pad)
        if not detector.between:
            self.allowed[np.arange(len(self.allowed)) % GRID > 0] = False
        self.closed = np.tile(~self.allowed, (len(correlations), 1))
        self.events: list[FittedEvent] = []

    def change(self, event: FittedEvent, sign: int) -> None:
        """Add (sign 1) or subtract (-1) what an event leaves in the correlations."""
        sample, step = divmod(event.at, STEPS)
        around = slice(GRID * sample - self.half, GRID * sample + self.half + 1)
        trace = self.detector.traces[event.type, step]
        self.correlations[:, around] += sign * event.amplitude * trace

    def close(self, event: FittedEvent, near: int, *, again: bool = False) -> None:
        """Keep the class of an event from being found near it, or allow it again."""
        middle = event.at // (STEPS // GRID)
        around = slice(middle - near, middle + near + 1)
        shapes = self.detector.shapes[event.type]
        self.closed[shapes, around] = ~self.allowed[around] if again else True

    def fitted(self, kind: int, middle: int) -> FittedEvent:
        """Return the likeliest event of a type near a correlation."""
        first, last = middle - self.rivals, middle + self.rivals + 1
        fine = finer(self.correlations[kind, first - REACH + 1 : last + REACH])
        fine[np.repeat(self.closed[kind, first:last], STEPS // GRID)] = -np.inf
        if not self.detector.between:
            fine[np.arange(len(fine)) % STEPS != -first * STEPS // GRID % STEPS] = -np.inf
        top = int(fine.argmax())
        amplitude = self.detector.likely_amplitude(float(fine[top]), kind)
        return FittedEvent(kind, first * STEPS // GRID + top, amplitude)

    def log_odds(self, around: slice) -> Floats:
        """Return the log-odds of all types in a range, (K, n); -inf where none may be."""
        odds = self.detector.log_odds(self.correlations[:, around], slice(None))
        odds[self.closed[:, around]] = -np.inf
        return odds

    def peel(self) -> None:
        """Subtract events, the likeliest first, until no other makes the signal likelier."""
        self.subtract_all()
        for _ in range(SWEEPS):
            self.sweep()
            self.subtract_all()

    def subtract_all(self) -> None:
        """Subtract events until the log-odds of every other are below 0.

        Events further apart than a template do not touch, so that each pass
        takes all that are the best of their surroundings.
        """
        from scipy.ndimage import maximum_filter1d

        odds = self.log_odds(slice(None))
        kind, best = odds.argmax(axis=0), odds.max(axis=0)
        while True:
            highest = maximum_filter1d(best, 2 * self.half + 1, mode="nearest")
            summit = np.flatnonzero((best > 0) & (best >= highest)).tolist()
            if not summit:
                return
            for middle in summit:
                if best[middle] < highest[middle]:  # its equal beside it was first
                    continue
                event = self.fitted(int(kind[middle]), middle)
                self.events.append(event)
                self.change(event, -1)
                self.close(event, NEAR)
                self.closed[event.type, middle] = True  # each pass closes what it looked at
                reach = self.half + self.rivals
                around = slice(middle - reach, middle + reach + 1)
                odds = self.log_odds(around)
                kind[around], best[around] = odds.argmax(axis=0), odds.max(axis=0)

    def sweep(self) -> None:
        """Fit every event anew beside all others, and drop those that no longer pay."""
        kept = []
        for event in sorted(self.events, key=lambda one: one.at):
            self.change(event, 1)
            self.close(event, NEAR, again=True)
            first = event.at // (STEPS // GRID) - self.rivals
            odds = self.log_odds(slice(first, first + 2 * self.rivals + 1))
            kind, ahead = divmod(int(odds.argmax()), odds.shape[1])
            if odds[kind, ahead] > 0:
                again = self.fitted(kind, first + ahead)
                self.change(again, -1)
                self.close(again, NEAR)
                kept.append(again)
        self.events = kept

    def found(self) -> Found:
        """Return what was subtracted, and the peaks that are left."""
        subtracted = len(self.events)
        events = [*self.events, *(self.fitted(kind, middle) for kind, middle in self._peaks())]
        kind = np.array([event.type for event in events], dtype=np.int64)
        near = REACH + GRID + NEAR
        rows = np.zeros((len(events), 2 * near + 1))
        at = np.array([event.at for event in events], dtype=np.int64)
        amplitude = np.array([event.amplitude for event in events])
        removed = np.where(np.arange(len(events)) < subtracted, amplitude, 0.0)
        middle = at // STEPS * GRID
        for row, event, m, factor in zip(rows, events, middle.tolist(), removed, strict=True):
            own = self.detector.traces[event.type, event.at % STEPS, event.type]
            row += self.correlations[event.type, m - near : m + near + 1]
            row += factor * own[self.half - near : self.half + near + 1]
        first = (middle - near + REACH - 1) * STEPS // GRID
        fine = finer(rows)
        beyond: NDArray[Any]
        if self.detector.between:
            beyond, height = summits(fine)
        else:
            beyond = at - first
            height = fine[np.arange(len(at)), beyond]
        start = (first + beyond) / STEPS - self.pad / GRID
        log_odds = self.detector.log_odds(height, kind)
        return Found(start, kind, log_odds, at, amplitude, removed)

    def _peaks(self) -> list[tuple[int, int]]:
        """Return type and place of peaks that are no event but might be one."""
        from scipy.ndimage import maximum_filter1d

        apart = GRID * self.detector.apart
        for event in self.events:
            self.close(event, apart)
        odds = self.log_odds(slice(None))
        likeliest = np.stack([odds[shapes].max(axis=0) for shapes in self.detector.shapes])
        highest = maximum_filter1d(likeliest, 2 * apart + 1, axis=1, mode="nearest")
        kind, middle = np.nonzero((odds > FLOOR) & (odds >= highest))
        return list(zip(kind.tolist(), middle.tolist(), strict=True))

    def explain(
        self, events: list[FittedEvent], prior: Floats
    ) -> tuple[list[FittedEvent], Floats, Floats]:
        """Return labelled events with their likeliest starts and amplitudes.

        Parameters
        ----------
        events
            As labelled, of types that are certain, at whole samples of the block.
        prior
            Log-probabilities of the shifts -r .. r of a label, (2 r + 1,).

        Returns
        -------
        tuple
            The events; the log-likelihood of each at each shift, (n, 2 r + 1);
            and what it gains between samples, (n,).
        """
        reach, between = len(prior) // 2, self.detector.between
        offset = self.pad * STEPS // GRID
        now = [event._replace(at=event.at + offset) for event in events]
        labelled = [event.at for event in now]
        likelihood, gain = np.zeros((len(events), len(prior))), np.zeros(len(events))
        for event in now:
            self.change(event, -1)
        for _ in range(SWEEPS):
            for i, at in enumerate(labelled):
                kind, middle = now[i].type, at // (STEPS // GRID)
                self.change(now[i], 1)
                # One row for each whole sample, from half a sample before it.
                first = middle - GRID * reach - GRID // 2
                last = first + GRID * (2 * reach + 1)
                around = slice(first - REACH + 1, last + REACH)
                fine = finer(self.correlations[kind, around]).reshape(-1, STEPS)
                whole = fine[:, STEPS // 2]
                heights = fine.max(axis=1) if between else whole
                likelihood[i] = 0.5 * np.maximum(heights, 0) ** 2
                best = int((likelihood[i] + prior).argmax())
                highest = int(fine[best].argmax())
                gain[i] = 0.5 * (max(fine[best, highest], 0) ** 2 - max(whole[best], 0) ** 2)
                step = highest if between else STEPS // 2
                now[i] = FittedEvent(
                    kind,
                    at + (best - reach) * STEPS + step - STEPS // 2,
                    self.detector.likely_amplitude(float(fine[best, step]), kind),
                )
                self.change(now[i], -1)
        return [event._replace(at=event.at - offset) for event in now], likelihood, gain


class FoundInBlock(NamedTuple):
    """What pursuit finds in one block of a split, (M,) each.

    Parameters
    ----------
    pursuit
        After the last subtraction.
    signal
        Whitened, of the block, (C, T).
    found
        All that was found, margins of the block included.
    rows
        Of these, the candidates of the block itself, (M,).
    place, time, type
        Recording, onset in samples from its start, and class of each candidate.
    """

    pursuit: Pursuit
    signal: NDArray[np.float32]
    found: Found
    rows: Integers
    place: Integers
    time: Floats
    type: Integers


def found_in_blocks(
    detector: TemplateDetector, windows: WindowSet, *, peel: bool
) -> Iterator[FoundInBlock]:
    """Yield what the recordings of a split may hold, block by block; see `candidates`."""
    pieces = pieces_of(windows, known=False)
    white = [detector.whitener(one, extend=False) for one in pieces if one.shape[1]]
    places = np.array([s for s, one in enumerate(pieces) if one.shape[1]], dtype=np.int64)
    joined = JoinedSignal.of(white, len(windows.channels), detector.gap)
    allowed = joined.inside(int(np.rint(detector.onset)))
    for first, last, core_first, core_last in joined.blocks(MARGIN * detector.length):
        signal = joined.signal[:, first:last]
        pursuit = Pursuit(detector, detector.correlations(signal), allowed[first:last])
        if peel:
            pursuit.peel()
        found = pursuit.found()
        time = found.start + first + detector.onset
        core = (time >= core_first) & (time < core_last) & (found.log_odds > FLOOR)
        rows = np.flatnonzero(core)
        time, kind = time[rows], found.kind[rows]
        piece = np.searchsorted(joined.start - joined.gap // 2, time, side="right") - 1
        inside = time - detector.bias[kind] - joined.start[piece]
        inside = np.clip(inside, 0, joined.length[piece] - 1)
        yield FoundInBlock(
            pursuit, signal, found, rows, places[piece], inside, detector.parent[kind]
        )


def candidates(detector: TemplateDetector, windows: WindowSet, *, peel: bool) -> Candidates:
    """Return every event that the recordings of a split may hold.

    Parameters
    ----------
    detector
        Its whitener fits the signal.
    windows
        Of a detection dataset.
    peel
        Subtract events before looking for the next; if not, all peaks of
        the correlations are candidates as they are.
    """
    return Candidates.joined(
        [
            Candidates.at(
                block.time,
                place=block.place,
                type=block.type,
                score=scores(block.found.log_odds[block.rows]),
            )
            for block in found_in_blocks(detector, windows, peel=peel)
        ]
    )
