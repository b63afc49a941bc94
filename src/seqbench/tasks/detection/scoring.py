"""Frames of recordings from a model: of windows that are stitched, or along a recording.

A model that reads whole windows scores those that overlap, and `Blend` joins them. A
causal model carries its state from the start of a recording to its end. Files and
streams go the same way, so they give the same events.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from seqbench.errors import UserError
from seqbench.storage.detections import Candidates, Pace
from seqbench.storage.windows import WindowSet
from seqbench.tasks.detection.peaks import PeakPicker
from seqbench.tasks.detection.stitching import Blend, Frames, Layout
from seqbench.windowing.normalize import standardize

Signal = NDArray[np.float32]
Score = Callable[[Signal], Frames]
BATCH = 32  # windows scored at a time
PIECE_SAMPLES = 1 << 15  # that a causal model reads at a time


class FrameStream(ABC):
    """Frames (F, 2, K) of one recording, once they are final: presence, and offset in samples.

    Of a model that predicts ends they are (F, 3, K), with the duration in samples; 0: none.
    """

    @abstractmethod
    def push(self, signal: Signal) -> Iterator[Frames]:
        """Take the next normalised samples (n, C); yield the frames that are now final."""

    @abstractmethod
    def finish(self) -> Iterator[Frames]:
        """Yield the frames that are left, after at least one sample."""


class Scoring(ABC):
    """How a model turns the samples of recordings into frames.

    Attributes
    ----------
    pace
        When frames are, and when they are final.
    """

    pace: Pace

    @abstractmethod
    def stream(self, *, per_window: bool = False) -> FrameStream:
        """Return the state before the first sample of a recording.

        Parameters
        ----------
        per_window
            Every window is centred and scaled by itself.
        """

    @abstractmethod
    def recordings(self, windows: WindowSet) -> Iterator[Iterator[Frames]]:
        """Yield for each recording of a split its frames in pieces; each is used up in turn."""


@dataclass(frozen=True)
class WindowScoring(Scoring):
    """Scores of overlapping windows, stitched.

    Parameters
    ----------
    score
        From normalised windows (B, T, C) to presence, offset and perhaps duration, (B, F, 2, K)
        or (B, F, 3, K).
    layout
        How windows and frames lie in a recording.
    """

    score: Score
    layout: Layout

    @property
    def pace(self) -> Pace:  # type: ignore[override]
        """When frames are, and when they are final."""
        return self.layout.pace

    def stream(self, *, per_window: bool = False) -> FrameStream:
        """Return the state before the first sample; see `Scoring.stream`."""
        return _WindowStream(self, per_window)

    def recordings(self, windows: WindowSet) -> Iterator[Iterator[Frames]]:
        """Yield the frames of each recording; see `Scoring.recordings`."""
        bounds = _bounds(windows)
        spans = [self.layout.spans(stop - start) for start, stop in bounds]
        places = [
            (start + first, start + last)
            for (start, _), own in zip(bounds, spans, strict=True)
            for first, last in own
        ]
        scored = self._scored(windows, places)
        for own in spans:
            yield self._stitched(scored, len(own))

    def _stitched(self, scored: Iterator[Frames], n_windows: int) -> Iterator[Frames]:
        blend = Blend(self.layout)
        for _ in range(n_windows):
            yield blend.add(next(scored))
        yield blend.finish()

    def _scored(self, windows: WindowSet, spans: list[tuple[int, int]]) -> Iterator[Frames]:
        """Yield the frames of each span in turn; neighbours of one length share a batch."""
        per_window = windows.normalization.mode == "per_window"
        for _, of_one_length in groupby(spans, key=lambda span: span[1] - span[0]):
            alike = list(of_one_length)
            for first in range(0, len(alike), BATCH):
                cut = [windows.signal[start:stop] for start, stop in alike[first : first + BATCH]]
                yield from self.score(
                    np.stack([standardize(x) for x in cut] if per_window else cut)
                )


class _WindowStream(FrameStream):
    """Stitched windows; memory holds about one window, or the samples of one piece."""

    def __init__(self, scoring: WindowScoring, per_window: bool) -> None:
        self._scoring = scoring
        self._per_window = per_window
        self._n_samples = self._n_windows = 0
        self._held = np.zeros((0, 0), dtype=np.float32)  # from the start of the next window on
        self._blend = Blend(scoring.layout)

    def push(self, signal: Signal) -> Iterator[Frames]:
        """Take the next samples; see `FrameStream.push`."""
        self._held = np.concatenate([self._held, signal]) if len(self._held) else signal
        self._n_samples += len(signal)
        layout = self._scoring.layout
        n_ready = layout.complete(self._n_samples) - self._n_windows
        step, length = layout.step_samples, layout.window_samples
        for first in range(0, n_ready, BATCH):
            windows = range(first, min(first + BATCH, n_ready))
            yield from self._scored([self._held[k * step : k * step + length] for k in windows])
        self._n_windows += n_ready
        self._held = self._held[n_ready * step :]

    def finish(self) -> Iterator[Frames]:
        """Yield the frames that are left; see `FrameStream.finish`."""
        if len(self._scoring.layout.spans(self._n_samples)) > self._n_windows:
            yield from self._scored([self._held])
        yield self._blend.finish()

    def _scored(self, windows: list[Signal]) -> Iterator[Frames]:
        if self._per_window:
            windows = [standardize(window) for window in windows]
        for frames in self._scoring.score(np.stack(windows)):
            yield self._blend.add(frames)


class CausalStream(FrameStream):
    """State of a causal model along a recording; its size does not depend on what was read.

    Samples wait until one more frame is complete, so the cost of a sample does not
    depend on how they come.

    Parameters
    ----------
    push, finish
        From the next samples (n, C), and from their end, to frames (F, 2, K).
    pace
        When frames are complete.
    """

    def __init__(self, push: Score, finish: Callable[[], Frames], pace: Pace) -> None:
        self._push, self._finish = push, finish
        self._pace = pace
        self._missing = pace.first_samples  # samples until the next frames are complete
        self._held: list[Signal] = []

    def push(self, signal: Signal) -> Iterator[Frames]:
        """Take the next samples; see `FrameStream.push`."""
        self._held.append(signal)
        self._missing -= len(signal)
        if self._missing <= 0:
            step_samples = self._pace.n_together * self._pace.hop_samples
            n_past = -self._missing % step_samples  # belong to later frames
            self._missing = step_samples - n_past
            yield from self._read()

    def finish(self) -> Iterator[Frames]:
        """Yield the frames that are left; see `FrameStream.finish`."""
        yield from self._read()
        yield self._finish()

    def _read(self) -> Iterator[Frames]:
        signal = np.concatenate(self._held) if self._held else np.zeros((0, 0), dtype=np.float32)
        self._held = []
        for first in range(0, len(signal), PIECE_SAMPLES):
            yield self._push(signal[first : first + PIECE_SAMPLES])


@dataclass(frozen=True)
class CausalScoring(Scoring):
    """Scores of a causal model.

    Parameters
    ----------
    begin
        Returns the state before a recording.
    pace
        When frames are, and when they are complete.
    """

    begin: Callable[[], FrameStream]
    pace: Pace

    def stream(self, *, per_window: bool = False) -> FrameStream:
        """Return the state before the first sample; see `Scoring.stream`."""
        if per_window:
            raise UserError(
                "normalization per_window needs whole windows, but a causal model reads a recording"
                " as it comes; set another normalization, or train a model that is not causal"
            )
        return self.begin()

    def recordings(self, windows: WindowSet) -> Iterator[Iterator[Frames]]:
        """Yield the frames of each recording; see `Scoring.recordings`."""
        for start, stop in _bounds(windows):
            stream = self.stream(per_window=windows.normalization.mode == "per_window")
            yield self._along(stream, windows, start, stop)

    def _along(
        self, stream: FrameStream, windows: WindowSet, start: int, stop: int
    ) -> Iterator[Frames]:
        for first in range(start, stop, PIECE_SAMPLES):
            yield from stream.push(windows.signal[first : min(first + PIECE_SAMPLES, stop)])
        yield from stream.finish()


def find_candidates(scoring: Scoring, windows: WindowSet) -> Candidates:
    """Search every recording of a split, one with a timeline, for peaks of presence.

    Raises
    ------
    UserError
        If the model gives scores that are no numbers.
    """
    found = []
    streams = zip(_bounds(windows), scoring.recordings(windows), strict=True)
    for place, ((start, stop), pieces) in enumerate(streams):
        picker = PeakPicker(scoring.pace, len(windows.classes))
        peaks = [picker.push(_finite(frames)) for frames in pieces]
        peaks.append(picker.finish())
        found += [
            one.candidates(scoring.pace, place=place, n_samples=stop - start) for one in peaks
        ]
    return Candidates.joined(found)


def _finite(frames: Frames) -> Frames:
    if not np.isfinite(frames).all():  # among them no peak would be found, in silence
        raise UserError("the weights of the model give scores that are no numbers; train it again")
    return frames


def _bounds(windows: WindowSet) -> list[tuple[int, int]]:
    timeline = windows.events
    return list(zip(timeline.start.tolist(), timeline.stop.tolist(), strict=True))
