"""A figure, the numbers in it and its main values in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from numpy.typing import NDArray

from seqbench.storage.cells import plain_cell


@dataclass(frozen=True)
class Mark:
    """Drawn points whose values the page shows on hover and focus, or hides from its legend.

    Parameters
    ----------
    artist
        Line, scatter, steps or patches with a point for each row, or any of them for one.
    rows
        Those of the table that it draws; empty: its values are not shown.
    columns
        The columns that are shown, and what each is called.
    name
        What the points are of, such as a model.
    keys
        Labels of legend entries; hiding one of these hides the artist.
    """

    artist: Artist
    rows: Sequence[int] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    name: str = ""
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plot:
    """A figure and the numbers behind it.

    Parameters
    ----------
    table
        Tidy: a row for each value that is drawn, nothing that is not.
    shown
        The main values as sentences; none for curves without such values.
    left_out
        Sentence that says why the page does not show the figure, such as that it has no point;
        empty: it does. The files are written in either case.
    marks
        What the page shows the values of, all from the table.
    """

    figure: Figure
    table: pd.DataFrame
    shown: str = ""
    left_out: str = ""
    marks: Sequence[Mark] = ()

    @property
    def csv(self) -> str:
        """The table as text, numbers to the last digit; no cell is a formula."""
        safe = self.table.rename(columns=plain_cell)
        for name in safe.select_dtypes(object):
            texts = {v: plain_cell(v) for v in safe[name].unique() if isinstance(v, str)}
            safe[name] = safe[name].map(lambda value, cells=texts: cells.get(value, value))
        return safe.to_csv(index=False, lineterminator="\n")


@dataclass
class Numbers:
    """Collects what is drawn while it is drawn, so that table and figure cannot disagree."""

    _parts: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    _marks: list[Mark] = field(default_factory=list)

    def add(self, **columns: Any) -> range:
        """Add rows and return which: arrays (n,) of one length, and values that all rows share."""
        lengths = [len(values) for values in columns.values() if np.ndim(values)]
        first = sum(n for n, _ in self._parts)
        self._parts.append((lengths[0] if lengths else 1, columns))
        return range(first, first + self._parts[-1][0])

    def mark(
        self,
        artist: Artist,
        rows: Sequence[int] = (),
        columns: Mapping[str, str] | None = None,
        *,
        name: str = "",
        keys: Sequence[str] = (),
    ) -> None:
        """Let the page show the rows that an artist draws, see `Mark`."""
        self._marks.append(Mark(artist, tuple(rows), columns or {}, name, tuple(keys)))

    def plot(self, figure: Figure, shown: str = "", *, left_out: str = "") -> Plot:
        """Return the figure with its numbers, see `Plot`."""
        return Plot(figure, self.table, shown, left_out, tuple(self._marks))

    @property
    def table(self) -> pd.DataFrame:
        """All rows, in the order in which they were drawn; what a row has not is missing."""
        names = dict.fromkeys(name for _, columns in self._parts for name in columns)
        return pd.DataFrame({name: self._column(name) for name in names})

    def _column(self, name: str) -> NDArray[Any]:
        parts = [_cells(columns.get(name), n) for n, columns in self._parts]
        if any(part.dtype == object for part in parts):
            parts = [part.astype(object) for part in parts]
        return np.concatenate(parts)


def _cells(values: Any, n: int) -> NDArray[Any]:
    """Return a column of a part, (n,); numbers as numbers, a missing one as NaN."""
    if values is None:
        return np.full(n, np.nan)
    cells = np.asarray(values)
    cells = cells.astype(object) if cells.dtype.kind in "USb" else cells
    return np.broadcast_to(cells, n)
