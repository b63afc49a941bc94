"""Recordings of a detection dataset as one signal: pieces end to end, and their events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.baselines.matched_filter.interpolation import Integers
from seqbench.storage.windows import WindowSet

BLOCK = 2**16  # samples whose correlations are held at a time


@dataclass(frozen=True)
class JoinedSignal:
    """Pieces of signal end to end, with gaps that no template can bridge.

    Parameters
    ----------
    signal
        (C, T), 0 in the gaps.
    start, length
        First sample and number of samples of each piece, (S,).
    gap
        Samples between two pieces, and at both ends.
    """

    signal: NDArray[np.float32]
    start: Integers
    length: Integers
    gap: int

    @classmethod
    def of(cls, pieces: list[NDArray[Any]], n_channels: int, gap: int) -> JoinedSignal:
        """Lay out pieces (C, n)."""
        length = np.array([piece.shape[1] for piece in pieces], dtype=np.int64)
        start = gap + np.cumsum([0, *(length[:-1] + gap)])[: len(length)].astype(np.int64)
        signal = np.zeros((n_channels, int((length + gap).sum()) + gap), dtype=np.float32)
        for first, piece in zip(start, pieces, strict=True):
            signal[:, first : first + piece.shape[1]] = piece
        return cls(signal, start, length, gap)

    def inside(self, shift: int = 0) -> NDArray[np.bool_]:
        """Return which samples, moved back by `shift`, belong to a piece, (T,)."""
        inside = np.zeros(self.signal.shape[1], dtype=bool)
        for first, length in zip(self.start - shift, self.length, strict=True):
            inside[max(0, first) : max(0, first + length)] = True
        return inside

    def blocks(self, margin: int) -> Iterator[tuple[int, int, int, int]]:
        """Yield ranges to work on: first and last sample, and those of them that count.

        Short pieces go together; a long one is cut at places that do not
        depend on the others.
        """
        first = last = 0
        for begin, length in zip(self.start.tolist(), self.length.tolist(), strict=True):
            start, stop = begin - self.gap, begin + length  # a gap belongs to the piece behind it
            if stop - first > BLOCK and last > first:
                yield first, last + self.gap, first, last
                first = start
            while stop - first > 2 * BLOCK:
                cut = first + BLOCK
                yield max(first - margin, start), cut + margin, first, cut
                first = cut
            if first > start:
                yield max(first - margin, start), stop + self.gap, first, stop
                first = stop
            last = stop
        if last > first:
            yield first, last + self.gap, first, last


def pieces_of(windows: WindowSet, *, known: bool) -> list[NDArray[np.float32]]:
    """Return the recordings of a split, (C, n) each, every channel around its median.

    Parameters
    ----------
    windows
        Of a detection dataset.
    known
        Only the spans in which every event is labelled; empty ones left out.
    """
    windows.check_in_memory("matched filtering")
    timeline = windows.events
    if known:
        rows = np.stack([timeline.known_start, timeline.known_stop], axis=1)
        rows = rows[rows[:, 1] > rows[:, 0]]
    else:
        rows = np.stack([timeline.start, timeline.stop], axis=1)
    pieces = []
    for start, stop in rows:
        piece = windows.signal[start:stop]
        centre = np.median(piece, axis=0) if len(piece) else np.zeros(piece.shape[1])
        pieces.append((piece - centre).T)
    return pieces


def known_events(windows: WindowSet) -> tuple[Integers, Integers, Integers]:
    """Return place among the non-empty labelled spans, onset therein and type of each event."""
    timeline = windows.events
    full = timeline.known_stop > timeline.known_start
    start, stop = timeline.known_start[full], timeline.known_stop[full]
    if not len(start):
        none = np.zeros(0, dtype=np.int64)
        return none, none, none
    place = np.maximum(np.searchsorted(start, timeline.onset, side="right") - 1, 0)
    inside = (timeline.onset >= start[place]) & (timeline.onset < stop[place])
    place = place[inside]
    return place, timeline.onset[inside] - start[place], timeline.type[inside]
