"""Recordings in Parquet files."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.datasets.base import fault
from seqbench.datasets.csv_text import plain
from seqbench.datasets.reading.column_names import UNNAMED_INDEX
from seqbench.datasets.reading.columns import Columns, dates_s, table_columns, table_source
from seqbench.datasets.reading.source import (
    ReadOptions,
    Source,
    block_samples,
    refuse_wide_integers,
)

BUFFER_BYTES = 1 << 18  # of a column


@contextmanager
def open_parquet(path: Path, options: ReadOptions) -> Iterator[Source]:
    """Open a data frame of numbers; an index that is stored is a column: it may be the time."""
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    # Pages come through a small buffer: a row group may be as long as the file.
    with pq.ParquetFile(path, buffer_size=BUFFER_BYTES, pre_buffer=False) as file:
        n_samples = file.metadata.num_rows
        index = _counting_index(file.schema_arrow.pandas_metadata, n_samples)
        empty = _index_as_columns(_indexed(file.schema_arrow.empty_table().to_pandas(), index, 0))
        columns = _frame_columns(path, empty, options)
        longest = block_samples(len(empty.columns) if options.bounded else 1)

        def blocks() -> Generator[NDArray[np.float64], None, None]:
            n_done = 0
            for batch in file.iter_batches(longest):
                frame = _index_as_columns(_indexed(batch.to_pandas(), index, n_done))
                if columns.are_dates:
                    at = columns.positions[0]
                    frame.isetitem(at, _seconds(path, columns.names[0], frame.iloc[:, at], n_done))
                _refuse_wide(
                    path, frame.iloc[:, columns.positions[int(columns.has_time) :]], n_done
                )
                n_done += len(frame)
                yield frame.iloc[:, columns.positions].to_numpy(np.float64, na_value=np.nan)

        yield table_source(path, columns, blocks(), lambda row: row + 1, options, n_samples)


def _counting_index(metadata: dict[str, Any] | None, n_samples: int) -> dict[str, Any] | None:
    """Return the index of pandas if it counts rows, so that the file holds it as three numbers."""
    for index in (metadata or {}).get("index_columns", []):
        if isinstance(index, dict):
            counted_rows = len(range(index["start"], index["stop"], index["step"]))
            return index if counted_rows == n_samples else index | {"name": None}
    return None


def _indexed(frame: Any, index: dict[str, Any] | None, n_before: int) -> Any:
    """Return some rows of a table with the counting index that belongs to them."""
    import pandas as pd

    if index is not None:
        start = index["start"] + n_before * index["step"]
        stop = start + len(frame) * index["step"]
        frame.index = pd.RangeIndex(start, stop, index["step"], name=index["name"])
    return frame


def _index_as_columns(frame: Any) -> Any:
    """Return a table whose index is its first columns, unless it only counts the rows."""
    import pandas as pd

    index = frame.index
    if isinstance(index, pd.RangeIndex) and index.name is None:
        return frame
    is_date = isinstance(index, pd.DatetimeIndex | pd.TimedeltaIndex)
    if index.nlevels == 1 and index.name is None:
        index.name = "time" if is_date else UNNAMED_INDEX
    return frame.reset_index()


def _frame_columns(path: Path, frame: Any, options: ReadOptions) -> Columns:
    """Return the columns to read of a data frame: numbers, and dates as the time."""
    import pandas as pd

    header = [plain(str(name)) for name in frame.columns]
    columns = table_columns(path, header, len(header), options)
    kinds = pd.api.types
    for i, (name, at) in enumerate(zip(columns.names, columns.positions, strict=True)):
        dtype = frame.dtypes.iloc[at]
        is_date = kinds.is_datetime64_any_dtype(dtype) or kinds.is_timedelta64_dtype(dtype)
        if i == 0 and columns.has_time and (is_date or kinds.is_string_dtype(dtype)):
            columns = replace(columns, are_dates=True)
        elif not kinds.is_numeric_dtype(dtype):
            hint = "convert it to numbers or leave it out"
            raise fault(path, f"it holds {dtype}, not numbers", hint, column=name)
    return columns


def _refuse_wide(path: Path, frame: Any, n_before: int) -> None:
    """Refuse integers that double precision cannot hold."""
    for name, column in frame.items():
        if column.dtype.kind in "iu" and column.dtype.itemsize == 8:
            refuse_wide_integers(path, column.to_numpy(na_value=0)[:, None], [str(name)], n_before)


def _seconds(path: Path, column: str, times: Any, n_before: int) -> Any:
    """Return dates, or their text, as seconds from 1970; durations as seconds."""
    import pandas as pd

    try:
        if pd.api.types.is_timedelta64_dtype(times.dtype):
            return times.dt.total_seconds()
        return dates_s(times)
    except ValueError as error:
        hint = "write all times in one way, as 2024-05-01T12:00:00.5Z"
        problem = f"a text is no date ({error})"
        raise fault(path, problem, hint, row=n_before + 1, column=column) from None
