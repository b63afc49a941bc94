"""Events of one recording while its samples are still coming."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqbench.storage.normalization import Normalization
from seqbench.tasks.detection.peaks import Grid, PeakPicker, Peaks
from seqbench.tasks.detection.recordings import BATCH, Score
from seqbench.tasks.detection.stitching import Blend, Layout
from seqbench.tasks.detection.stream_selection import Event, OnlineSelection
from seqbench.windowing.normalize import normalize, standardize


@dataclass(frozen=True)
class Detector:
    """All that turns samples into candidates.

    Parameters
    ----------
    score
        From normalised windows (B, T, C) to presence and offset, (B, F, 2, K).
    layout, grid
        How windows and frames lie in a recording.
    normalization
        Applied to the samples as they come.
    n_types
        Event types K.
    """

    score: Score
    layout: Layout
    grid: Grid
    normalization: Normalization
    n_types: int


class EventStream:
    """Finds the events of one recording that comes in pieces of any length.

    The windows, and so the events, are those of the whole recording read from
    a file; scores may differ in their last digits, because windows are scored
    in other batches.

    Parameters
    ----------
    detector
        From samples to candidates.
    selection
        From candidates to events.

    Notes
    -----
    An event is given once it is certain: at most one window, five frames and
    what `OnlineSelection` waits, usually the refractory period, after its
    onset. Memory holds about one window, or the samples of one piece.
    """

    def __init__(self, detector: Detector, selection: OnlineSelection) -> None:
        self.detector = detector
        self.selection = selection
        self.n_samples = 0
        self._n_windows = 0
        self._held = np.zeros((0, 0), dtype=np.float32)  # from the start of the next window on
        self._blend = Blend(detector.layout)
        self._picker = PeakPicker(detector.grid, detector.n_types)

    def push(self, samples: NDArray[np.float32]) -> list[Event]:
        """Take the next samples (n, C), in the units of the recording; give what is certain."""
        normal = normalize(samples, self.detector.normalization)
        self._held = np.concatenate([self._held, normal]) if len(self._held) else normal
        self.n_samples += len(samples)
        layout = self.detector.layout
        n_ready = layout.complete(self.n_samples) - self._n_windows
        step, length = layout.step_samples, layout.window_samples
        for first in range(0, n_ready, BATCH):
            windows = range(first, min(first + BATCH, n_ready))
            self._add(np.stack([self._held[k * step : k * step + length] for k in windows]))
        self._n_windows += n_ready
        self._held = self._held[n_ready * step :]
        return self.selection.advance(self._picker.certain_before)

    def finish(self) -> list[Event]:
        """Give the events that are left, knowing that no sample will come any more."""
        if not self.n_samples:
            return []
        n_spans = len(self.detector.layout.spans(self.n_samples))
        if n_spans > self._n_windows:
            self._add(self._held[None])
        self._select(self._picker.push(self._blend.finish()))
        self._select(self._picker.finish())
        return self.selection.finish()

    def _add(self, windows: NDArray[np.float32]) -> None:
        if self.detector.normalization.mode == "per_window":
            windows = np.stack([standardize(window) for window in windows])
        for frames in self.detector.score(windows):
            self._select(self._picker.push(self._blend.add(frames)))

    def _select(self, peaks: Peaks) -> None:
        time = np.clip(peaks.time, 0, self.n_samples - 1)
        self.selection.push_many(peaks.type, time, peaks.score)
