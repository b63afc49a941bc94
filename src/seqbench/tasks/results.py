"""Predictions of new recordings: arrays, and tables of rows for people and other programs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqbench.datasets.reading.clock import SampleTimes
from seqbench.errors import UserError
from seqbench.storage.model_header import PredictorHeader
from seqbench.storage.windows import WindowSet
from seqbench.windowing.segment import Window

if TYPE_CHECKING:
    import pandas as pd

Table = dict[str, "list[Any] | NDArray[Any]"]
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Predicted:
    """What a model gave for new recordings.

    Parameters
    ----------
    header
        Of the model.
    windows, places
        The windows of the recordings, and where each lies in its recording.
    names, lengths
        Name and number of samples of each recording; the segments between gaps share a name.
    times
        When the samples of each recording were taken; None where nothing says so.
    values
        Outputs for windows (N, ...), samples (S, ...), or candidates of events.
    are_probabilities
        Whether scores are probabilities.
    """

    header: PredictorHeader
    windows: WindowSet
    places: list[Window]
    names: list[str]
    lengths: list[int]
    times: Sequence[SampleTimes | None]
    values: Any
    are_probabilities: bool


class Results(ABC):
    """Predictions of one task for new recordings.

    Attributes
    ----------
    rows
        What a row of `table` may stand for, the default first.
    """

    rows: ClassVar[tuple[str, ...]]

    def __init__(self, predicted: Predicted) -> None:
        self.header = predicted.header
        self.classes = list(predicted.header.classes)
        self.names = predicted.names
        self.are_probabilities = predicted.are_probabilities
        self.lengths = predicted.lengths
        self.times = list(predicted.times)
        self._has_times = all(one is not None for one in self.times)

    @classmethod
    def check(cls, header: PredictorHeader) -> None:
        """Raise a ValueError if the header of a model lacks what predictions need."""
        if not header.classes and header.targets is None:
            raise ValueError("neither classes nor targets")

    @abstractmethod
    def _table(self, rows: str) -> Table:
        """Return columns of equal length by name; `rows` is one of `self.rows`."""

    def table(self, rows: str | None = None) -> Table:
        """Return columns of equal length by name.

        Parameters
        ----------
        rows
            What a row stands for, one of `rows`; None: the first of them.

        Raises
        ------
        UserError
            If the task has no such rows.
        """
        self.check_rows(rows)
        return self._table(rows or self.rows[0])

    def check_rows(self, rows: str | None) -> None:
        """Refuse what no row of the task stands for; see `table`."""
        if rows is not None and rows not in self.rows:
            raise UserError(f"rows of {self.header.task} stand for {' or '.join(self.rows)}")

    def arrays(self, rows: str | None = None) -> Mapping[str, NDArray[Any]]:
        """Return arrays by name, for a .npz file: the columns of `table`, where that holds all."""
        return {name: np.asarray(column) for name, column in self.table(rows).items()}

    def to_frame(self, rows: str | None = None) -> pd.DataFrame:
        """Return `table` as a DataFrame."""
        import pandas as pd

        return pd.DataFrame(self.table(rows))

    def _moments(self, name: str, recording: ArrayLike, sample: ArrayLike) -> Table:
        """Return a column of times `name`_s on the clocks of recordings, or of sample numbers."""
        samples = np.asarray(sample)
        if not self._has_times:
            return {name: samples}
        times = np.zeros(len(samples))
        indices = np.asarray(recording)
        for i in np.unique(indices):
            clock, own = self.times[i], indices == i
            if clock is not None:
                times[own] = [clock.time_s_at(one) for one in samples[own].tolist()]
        return {f"{name}_s": times}

    def _chosen(self, scores: Floats) -> Table:
        """Return the columns of a choice between classes by scores (R, K)."""
        best = scores.argmax(axis=1)
        word = "probability" if self.are_probabilities else "score"
        return {
            "label": [self.classes[i] for i in best],
            word: scores[np.arange(len(scores)), best],
            **{f"{word} of {name}": scores[:, i] for i, name in enumerate(self.classes)},
        }


def by_sample(predicted: Predicted) -> Iterator[Floats]:
    """Yield the outputs of all samples of each recording, (n_samples, D), NaN outside of windows.

    Where windows overlap they are averaged; padding is left out.
    """
    windows, values = predicted.windows, np.asarray(predicted.values, dtype=np.float64)
    begin = np.cumsum(windows.length) - windows.length
    of_recording: dict[int, list[int]] = {}
    for i, place in enumerate(predicted.places):
        of_recording.setdefault(place.recording, []).append(i)
    for recording, n_samples in enumerate(predicted.lengths):
        total, n = np.zeros((n_samples, values.shape[1])), np.zeros((n_samples, 1))
        for i in of_recording.get(recording, []):
            place = predicted.places[i]
            inside = min(place.stop - place.start, int(windows.length[i]))
            total[place.start : place.start + inside] += values[begin[i] : begin[i] + inside]
            n[place.start : place.start + inside] += 1
        yield np.where(n > 0, total / np.maximum(n, 1), np.nan)


def column_names(header: PredictorHeader) -> list[str]:
    """Return names of the values that a model predicts; an unusual zero is part of the name."""
    targets = header.targets
    if targets is None:
        raise ValueError(f"{header.task} predicts no values")
    pairs = zip(targets.names, [*targets.units, *[""] * len(targets.names)], strict=False)
    return [f"{name} ({unit})" if "less " in unit else name for name, unit in pairs]
