"""Frames of several networks as one: averaged before peaks are picked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from seqbench.errors import UserError
from seqbench.storage.detections import Pace
from seqbench.storage.windows import WindowSet
from seqbench.tasks.detection.scoring import FrameStream, Scoring, Signal
from seqbench.tasks.detection.stitching import Frames

Pieces = Iterator[Frames]


def averaged(scorings: Sequence[Scoring]) -> Scoring:
    """Return the mean of how several networks turn samples into frames; of one it is its own.

    Raises
    ------
    UserError
        If their frames lie apart.
    """
    if len(scorings) == 1:
        return scorings[0]
    if any(one.pace != scorings[0].pace for one in scorings):
        raise UserError(
            "the frames of these models lie apart, so they cannot be averaged; name models of one"
            " architecture"
        )
    return AveragedScoring(tuple(scorings))


@dataclass(frozen=True)
class AveragedScoring(Scoring):
    """Mean frames of several networks with the same pace."""

    members: tuple[Scoring, ...]

    @property
    def pace(self) -> Pace:  # type: ignore[override]
        """When frames are, and when they are final."""
        return self.members[0].pace

    def stream(self, *, per_window: bool = False) -> FrameStream:
        """Return the state before the first sample; see `Scoring.stream`."""
        return _AveragedStream([one.stream(per_window=per_window) for one in self.members])

    def recordings(self, windows: WindowSet) -> Iterator[Pieces]:
        """Yield the frames of each recording; see `Scoring.recordings`."""
        for each in zip(*(one.recordings(windows) for one in self.members), strict=True):
            yield _means(each)


class _AveragedStream(FrameStream):
    def __init__(self, members: Sequence[FrameStream]) -> None:
        self._members = members

    def push(self, signal: Signal) -> Pieces:
        """Take the next samples; see `FrameStream.push`."""
        return _means([one.push(signal) for one in self._members])

    def finish(self) -> Pieces:
        """Yield the frames that are left; see `FrameStream.finish`."""
        return _means([one.finish() for one in self._members])


def _means(each: Sequence[Pieces]) -> Pieces:
    for pieces in zip(*each, strict=True):  # of one pace, so of equal lengths
        yield mean_frames(np.stack(pieces))


def mean_frames(frames: Frames) -> Frames:
    """Return the mean (F, 2 or 3, K) of frames of several networks (M, F, 2 or 3, K).

    Presence is the mean of the networks. Offset and duration are their means weighted by
    presence, as a network that finds nothing in a frame knows no time in it.
    """
    presence, times = frames[:, :, :1], frames[:, :, 1:]
    total = presence.sum(axis=0)
    weighted = (presence * times).sum(axis=0) / np.where(total > 0, total, 1)
    time = np.where(total > 0, weighted, times.mean(axis=0))
    return np.concatenate([presence.mean(axis=0), time], axis=1).astype(np.float32)
