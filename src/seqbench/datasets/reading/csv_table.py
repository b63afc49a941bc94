"""Recordings in CSV files."""

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from seqbench.datasets.base import fault
from seqbench.datasets.csv_text import BLANKS, csv_rows, dialect
from seqbench.datasets.reading.columns import dates_s, row_numbers, table_source
from seqbench.datasets.reading.source import ReadOptions, Source, block_samples, single
from seqbench.datasets.reading.table_head import N_ROWS, table_head

MOST_FAST_COLUMNS = 1 << 14  # the fast parser takes long for a column, even of a few rows
LEAST_FAST_BYTES = 1 << 20  # importing the fast parser takes longer than files of fewer bytes


class CsvTable:
    """A CSV file of numbers: its head, and its rows block by block.

    Parameters
    ----------
    path
        UTF-8, separated by commas, semicolons or tabs; rows above the samples
        may name the columns and their units, or state start and rate.
    options
        What the user says about the file.

    Raises
    ------
    DataError
        If the file is empty, or its first rows contradict each other.
    """

    n_bytes: ClassVar[int] = 0  # of all tables that this process has read, of many small ones too

    def __init__(self, path: Path, options: ReadOptions) -> None:
        first = list(islice(csv_rows(path), N_ROWS))
        if not first:
            raise fault(path, "the file is empty", "fill it or remove it")
        self._path = path
        self._separator = dialect(path).separator
        self.head = table_head(path, first, options, self._separator)
        self.columns = self.head.columns
        # The first line that is no comment has row 0; without rows above, comments are left out.
        self._n_lines_above = self.head.line or first[0][0] - 1

    def blocks(self) -> Generator[NDArray[np.float64], None, None]:
        """Yield the columns, (n, columns), finite in single precision, n up to `block_samples`.

        What the fast parser refuses is read cell by cell from there on; that
        finds the fault, or there is none.
        """
        width = self.head.width
        n_rows = block_samples(width)
        n_done: int | None = 0
        CsvTable.n_bytes += self._path.stat().st_size
        if width <= MOST_FAST_COLUMNS and CsvTable.n_bytes >= LEAST_FAST_BYTES:
            n_done = yield from self._fast_blocks(n_rows)
        if n_done is None:
            return
        rows = islice(csv_rows(self._path), self.head.n_rows_above + n_done, None)
        while block := list(islice(rows, n_rows)):
            yield row_numbers(self._path, block, width, self.columns)

    def _fast_blocks(self, n_rows: int) -> Generator[NDArray[np.float64], None, int | None]:
        """Yield blocks of `n_rows` rows; return how many rows those are at a fault, else None."""
        import pandas as pd

        n_done = 0
        columns, width = self.columns, self.head.width
        dtype: dict[int, type] = dict.fromkeys(range(width), str)
        numbers = columns.positions[int(columns.are_dates) :]
        must_be_known = [name not in columns.may_miss for name in columns.names]
        try:
            with pd.read_csv(
                self._path,
                sep=r"\s+" if self._separator == BLANKS else self._separator,
                decimal=columns.decimal,
                header=None,
                skiprows=self._n_lines_above,
                dtype=dtype | dict.fromkeys(numbers, float),
                chunksize=n_rows,
            ) as frames:
                for frame in frames:
                    if frame.shape[1] != width:
                        return n_done
                    if columns.are_dates:
                        at = columns.positions[0]
                        frame[at] = dates_s(frame[at])
                    values = frame[columns.positions].to_numpy(np.float64)
                    if not np.isfinite(single(values[:, must_be_known])).all():
                        return n_done
                    yield values
                    n_done += len(values)
        except ValueError:  # parser errors and undecodable bytes, too
            return n_done
        return None

    def line_of(self, sample: int) -> int:
        """Return the line, from 1, of a sample."""
        return next(islice(csv_rows(self._path), self.head.n_rows_above + sample, None))[0]


@contextmanager
def open_csv(path: Path, options: ReadOptions) -> Iterator[Source]:
    """Open a CSV file of samples x channels, with or without a header and a time column."""
    table = CsvTable(path, options)
    with closing(table.blocks()) as blocks:
        source = table_source(path, table.columns, blocks, table.line_of, options)
        head = table.head
        if head.rate_hz is not None:
            source = replace(source, header_rate_hz=head.rate_hz, starts=((0, head.start_s),))
        yield source
