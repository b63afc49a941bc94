"""Recordings in CSV files."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seqbench.datasets.base import fault
from seqbench.datasets.csv_text import csv_rows, delimiter
from seqbench.datasets.reading.columns import (
    header_names,
    row_numbers,
    table_columns,
    table_source,
)
from seqbench.datasets.reading.source import Source, block_samples, single

MOST_FAST_COLUMNS = 1 << 14  # the fast parser takes long for a column, even of a few rows


class CsvTable:
    """A CSV file of numbers: its columns, and its rows block by block.

    Parameters
    ----------
    path
        UTF-8, separated by commas, semicolons or tabs; the first row may name
        the columns.
    requested
        Names of the channels to take, in this order; None takes all.

    Raises
    ------
    DataError
        If the file is empty, or its first row mixes names and numbers.
    """

    def __init__(self, path: Path, requested: Sequence[str] | None = None) -> None:
        first = next(csv_rows(path), None)
        if first is None:
            raise fault(path, "the file is empty", "fill it or remove it")
        line, cells = first
        header = header_names(path, line, cells)
        self.columns = table_columns(path, header, len(cells), requested)
        self._path = path
        self._width = len(cells)
        self._n_rows_above = 0 if header is None else 1  # above the numbers
        self._n_lines_above = 0 if header is None else line

    def blocks(self) -> Generator[NDArray[np.float64], None, None]:
        """Yield the columns, (n, columns), finite in single precision, n up to `block_samples`.

        What the fast parser refuses is read cell by cell from there on; that
        finds the fault, or there is none.
        """
        n_rows = block_samples(self._width)
        n_done = 0 if self._width > MOST_FAST_COLUMNS else (yield from self._fast_blocks(n_rows))
        if n_done is None:
            return
        rows = islice(csv_rows(self._path), self._n_rows_above + n_done, None)
        while block := list(islice(rows, n_rows)):
            yield row_numbers(self._path, block, self._width, self.columns)

    def _fast_blocks(self, n_rows: int) -> Generator[NDArray[np.float64], None, int | None]:
        """Yield blocks of `n_rows` rows; return how many rows those are at a fault, else None."""
        import pandas as pd

        n_done = 0

        positions = self.columns.positions
        dtype: dict[int, type] = dict.fromkeys(range(self._width), str)
        try:
            with pd.read_csv(
                self._path,
                sep=delimiter(self._path),
                header=None,
                skiprows=self._n_lines_above,
                dtype=dtype | dict.fromkeys(positions, float),
                chunksize=n_rows,
            ) as frames:
                for frame in frames:
                    if frame.shape[1] != self._width:
                        return n_done
                    values = frame[positions].to_numpy(np.float64)
                    if not np.isfinite(single(values)).all():
                        return n_done
                    yield values
                    n_done += len(values)
        except ValueError:  # parser errors and undecodable bytes, too
            return n_done
        return None

    def line_of(self, sample: int) -> int:
        """Return the line, from 1, of a sample."""
        return next(islice(csv_rows(self._path), self._n_rows_above + sample, None))[0]


@contextmanager
def open_csv(path: Path, requested: Sequence[str] | None, bounded: bool) -> Iterator[Source]:
    """Open a CSV file of samples x channels, with or without a header and a time column."""
    del bounded  # blocks always are
    table = CsvTable(path, requested)
    with closing(table.blocks()) as blocks:
        yield table_source(path, table.columns, blocks, table.line_of)
