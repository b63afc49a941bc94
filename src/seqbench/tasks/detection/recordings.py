"""Candidates in whole recordings, from windows that many recordings share in batches."""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby, islice

import numpy as np
from numpy.typing import NDArray

from seqbench.storage.detections import Candidates
from seqbench.storage.windows import WindowSet
from seqbench.tasks.detection.peaks import Grid, PeakPicker, Peaks
from seqbench.tasks.detection.stitching import Blend, Frames, Layout
from seqbench.windowing.normalize import standardize

Score = Callable[[NDArray[np.float32]], Frames]
BATCH = 32  # windows scored at a time


def find_candidates(score: Score, windows: WindowSet, layout: Layout, grid: Grid) -> Candidates:
    """Stitch and search every recording of a split.

    Parameters
    ----------
    score
        From normalised windows (B, T, C) to presence and offset, (B, F, 2, K).
    windows
        Of a dataset with a timeline.
    layout, grid
        How windows and frames lie in a recording.
    """
    timeline = windows.events
    bounds = list(zip(timeline.start.tolist(), timeline.stop.tolist(), strict=True))
    spans = [
        (start + first, start + last)
        for start, stop in bounds
        for first, last in layout.spans(stop - start)
    ]
    scored = _scored(score, windows, spans)
    parts = []
    for place, (start, stop) in enumerate(bounds):
        blend, picker = Blend(layout), PeakPicker(grid, len(windows.classes))
        found = [picker.push(blend.add(next(scored))) for _ in layout.spans(stop - start)]
        found += [picker.push(blend.finish()), picker.finish()]
        parts += [as_candidates(peaks, place, stop - start) for peaks in found]
    return Candidates.joined(parts)


def as_candidates(peaks: Peaks, place: int, n_samples: int) -> Candidates:
    """Return the peaks of one recording as candidates inside of it."""
    return Candidates(
        place=np.full(len(peaks.time), place),
        time=np.clip(peaks.time, 0, n_samples - 1),
        type=peaks.type,
        score=peaks.score,
    )


def _scored(score: Score, windows: WindowSet, spans: list[tuple[int, int]]) -> Iterator[Frames]:
    """Yield the frames of each span in turn; neighbours of one length share a batch."""
    per_window = windows.normalization.mode == "per_window"
    for _, alike in groupby(spans, key=lambda span: span[1] - span[0]):
        for batch in _batched(alike):
            cut = [windows.signal[start:stop] for start, stop in batch]
            yield from score(np.stack([standardize(x) for x in cut] if per_window else cut))


def _batched(spans: Iterable[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    waiting = iter(spans)
    while batch := list(islice(waiting, BATCH)):
        yield batch
