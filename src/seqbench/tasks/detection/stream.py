"""Events of one recording while its samples are still coming, the same as those afterwards."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqbench.storage.normalization import Normalization
from seqbench.tasks.detection.peaks import PeakPicker, Peaks
from seqbench.tasks.detection.refractory import Choice, check, choice
from seqbench.tasks.detection.scoring import Scoring
from seqbench.tasks.detection.stitching import Frames
from seqbench.windowing.normalize import normalize


class Event(NamedTuple):
    """An event of a stream: time in samples from its start, index of the class, score.

    Where the model predicts ends, also its duration in samples; NaN: none is known.
    """

    time: float
    type: int
    score: float
    duration: float = math.nan


class OnlineSelection:
    """Chooses among the candidates of one recording as they come.

    All events it gives are together those of
    `seqbench.tasks.detection.refractory.select` on all candidates, and none is
    ever taken back.

    Parameters
    ----------
    thresholds
        Least score of an event of each type, (K,).
    refractory_samples
        Shortest time between two events of one type.
    decoder
        One of `seqbench.tasks.detection.refractory.DECODERS`.
    wait_samples
        How long ``bounded`` waits for a likelier candidate.

    Raises
    ------
    ValueError
        If the decoder or the period is none.

    Notes
    -----
    A run is a series of candidates of one type above the threshold, each
    closer than the period to the one before. Latency: the ``threshold``
    decoder gives an event with the next `advance`; the others give it at the
    latest when `advance` reaches the last candidate of its run plus the
    period, so a candidate alone comes out one period after its time. Often it
    is sooner: ``greedy`` waits only while a likelier neighbour is undecided or
    may come, ``optimal`` only while a later candidate could change the choice.
    ``bounded`` gives an event when `advance` reaches its time plus the wait, or before.
    With a period of 0 all decoders are as fast as ``threshold``. Memory holds
    the undecided candidates of the run of each type, nothing older.
    """

    def __init__(
        self,
        thresholds: NDArray[np.float64],
        refractory_samples: float,
        decoder: str,
        wait_samples: float = 0.0,
    ) -> None:
        check(decoder, refractory_samples)
        self._thresholds: list[float] = np.asarray(thresholds, dtype=np.float64).tolist()
        self._refractory_samples = refractory_samples
        self._decoder = decoder
        self._wait_samples = wait_samples
        self._begin()

    def _begin(self) -> None:
        self._open: list[Choice[Event]] = [
            choice(self._decoder, self._refractory_samples, threshold, self._wait_samples)
            for threshold in self._thresholds
        ]
        self._now = [-math.inf] * len(self._thresholds)

    def push(self, type: int, time: float, score: float, duration: float = math.nan) -> None:
        """Take a candidate: type, time in samples from the start of the stream, score, duration.

        Raises
        ------
        ValueError
            If the time is not a number, or before the last candidate of the
            type or the last `advance`.
        """
        if not self._now[type] <= time < math.inf:
            raise ValueError(
                f"a candidate of type {type} at {time}, but none before {self._now[type]}"
                " was to come any more"
            )
        self._now[type] = time
        if score >= self._thresholds[type]:
            self._open[type].add(time, score, Event(time, type, score, duration))

    def advance(self, now: float) -> list[Event]:
        """Give the events that have become certain, in order of time.

        Parameters
        ----------
        now
            Time in samples: no candidate before it will come any more. It may
            be earlier than before, which has no effect.
        """
        self._now = [max(last, now) for last in self._now]
        return sorted(
            event
            for one, last in zip(self._open, self._now, strict=True)
            for event in one.settled(last)
        )

    def finish(self) -> list[Event]:
        """Give the remaining events, in order of time, and be ready for another stream."""
        rest = self.advance(math.inf)
        self._begin()
        return rest


@dataclass(frozen=True)
class Detector:
    """All that turns samples into candidates.

    Parameters
    ----------
    scoring
        From normalised samples to frames.
    normalization
        Applied to the samples as they come.
    n_types
        Event types K.
    """

    scoring: Scoring
    normalization: Normalization
    n_types: int


class EventStream:
    """Finds the events of one recording that comes in pieces of any length.

    The frames, and so the events, are those of the whole recording read from
    a file; scores may differ in their last digits, because they are computed
    in other batches.

    Parameters
    ----------
    detector
        From samples to candidates.
    selection
        From candidates to events.

    Notes
    -----
    An event is given once it is certain: after what its frames need
    (`Pace`), a few frames more that show that it is a peak, and what
    `OnlineSelection` waits. Memory does not grow with the recording.
    """

    def __init__(self, detector: Detector, selection: OnlineSelection) -> None:
        self.detector = detector
        self.selection = selection
        self.n_samples = 0
        is_per_window = detector.normalization.mode == "per_window"
        self._frames = detector.scoring.stream(per_window=is_per_window)
        self._picker = PeakPicker(detector.scoring.pace, detector.n_types)

    def push(self, samples: NDArray[np.float32]) -> list[Event]:
        """Take the next samples (n, C), in the units of the recording; give what is certain.

        Raises
        ------
        FloatingPointError
            If the model gives scores that are no numbers.
        """
        self.n_samples += len(samples)
        for frames in self._frames.push(normalize(samples, self.detector.normalization)):
            self._add(frames)
        return self.selection.advance(self._picker.certain_before)

    def finish(self) -> list[Event]:
        """Give the events that are left, when no sample will come any more; see `push`."""
        if not self.n_samples:
            return []
        for frames in self._frames.finish():
            self._add(frames)
        self._select(self._picker.finish())
        return self.selection.finish()

    def _add(self, frames: Frames) -> None:
        if not np.isfinite(frames).all():
            raise FloatingPointError("scores that are no numbers")
        self._select(self._picker.push(frames))

    def _select(self, peaks: Peaks) -> None:
        time = np.clip(peaks.time, 0, self.n_samples - 1)
        columns = [peaks.type.tolist(), time.tolist(), peaks.score.tolist()]
        if peaks.duration is not None:
            columns.append(peaks.duration.tolist())
        for one in zip(*columns, strict=True):
            self.selection.push(*one)
