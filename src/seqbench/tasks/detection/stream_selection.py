"""Choosing events while candidates are still coming, with the same outcome as afterwards."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqbench.tasks.detection.refractory import Choice, check, choice


class Event(NamedTuple):
    """An event of a stream: time in samples from its start, index of the class, score."""

    time: float
    type: int
    score: float


class OnlineSelection:
    """Chooses among the candidates of one recording as they come.

    All events it gives are together those of
    `seqbench.tasks.detection.refractory.select` on all candidates, and none is
    ever taken back.

    Parameters
    ----------
    n_types
        Event types K.
    thresholds
        Least score of an event of each type, (K,).
    refractory_samples
        Shortest time between two events of one type.
    decoder
        One of `seqbench.tasks.detection.refractory.DECODERS`.

    Raises
    ------
    ValueError
        If there is not one threshold for each type, or the decoder or the
        period is none.

    Notes
    -----
    A run is a series of candidates of one type above the threshold, each
    closer than the period to the one before. Latency: the ``threshold``
    decoder gives an event with the next `advance`; the others give it at the
    latest when `advance` reaches the last candidate of its run plus the
    period, so a candidate alone comes out one period after its time. Often it
    is sooner: ``greedy`` waits only while a likelier neighbour is undecided or
    may come, ``optimal`` only while a later candidate could change the choice.
    With a period of 0 all decoders are as fast as ``threshold``. Memory holds
    the undecided candidates of the run of each type, nothing older.
    """

    def __init__(
        self,
        n_types: int,
        thresholds: NDArray[np.float64],
        refractory_samples: float,
        decoder: str,
    ) -> None:
        check(decoder, refractory_samples)
        self._thresholds: list[float] = np.asarray(thresholds, dtype=np.float64).tolist()
        if len(self._thresholds) != n_types:
            raise ValueError(f"{len(self._thresholds)} thresholds for {n_types} types")
        self._refractory_samples = refractory_samples
        self._decoder = decoder
        self._begin()

    def _begin(self) -> None:
        self._open: list[Choice[Event]] = [
            choice(self._decoder, self._refractory_samples, threshold)
            for threshold in self._thresholds
        ]
        self._now = [-math.inf] * len(self._thresholds)

    @property
    def n_undecided(self) -> int:
        """Candidates above their threshold that are neither kept nor dropped yet."""
        return sum(len(one) for one in self._open)

    def push(self, type: int, time: float, score: float) -> None:
        """Take a candidate: type, time in samples from the start of the stream, score.

        Raises
        ------
        ValueError
            If there is no such type, or the time is not a number or before the
            last candidate of the type or the last `advance`.
        """
        if not 0 <= type < len(self._open):
            raise ValueError(f"no type {type}; there are {len(self._open)}")
        if not self._now[type] <= time < math.inf:
            raise ValueError(
                f"a candidate of type {type} at {time}, but none before {self._now[type]}"
                " was to come any more"
            )
        self._now[type] = time
        if score >= self._thresholds[type]:
            self._open[type].add(time, score, Event(time, type, score))

    def push_many(self, type: ArrayLike, time: ArrayLike, score: ArrayLike) -> None:
        """Take candidates, (M,) each, those of one type in order of time."""
        columns = (np.asarray(column).tolist() for column in (type, time, score))
        for one in zip(*columns, strict=True):
            self.push(*one)

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
