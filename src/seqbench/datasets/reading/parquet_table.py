"""Recordings in Parquet files."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.datasets.base import fault
from seqbench.datasets.csv_text import plain
from seqbench.datasets.reading.columns import Columns, table_columns, table_source
from seqbench.datasets.reading.source import Source, block_samples

BUFFER_BYTES = 1 << 18  # of a column


@contextmanager
def open_parquet(path: Path, requested: Sequence[str] | None, bounded: bool) -> Iterator[Source]:
    """Open a data frame of numbers; a named index is a column, too: it may be the time."""
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    # Pages come through a small buffer: a row group may be as long as the file.
    with pq.ParquetFile(path, buffer_size=BUFFER_BYTES, pre_buffer=False) as file:
        n_samples = file.metadata.num_rows
        index = _counting_index(file.schema_arrow.pandas_metadata, n_samples)
        empty = _index_as_columns(_indexed(file.schema_arrow.empty_table().to_pandas(), index, 0))
        columns = _frame_columns(path, empty, requested)
        longest = block_samples(len(empty.columns) if bounded else 1)

        def blocks() -> Generator[NDArray[np.float64], None, None]:
            n_done = 0
            for batch in file.iter_batches(longest):
                frame = _index_as_columns(_indexed(batch.to_pandas(), index, n_done))
                n_done += len(frame)
                yield frame.iloc[:, columns.positions].to_numpy(np.float64, na_value=np.nan)

        yield table_source(path, columns, blocks(), lambda sample: sample + 1, n_samples)


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
    named = any(name is not None for name in frame.index.names)
    return frame.reset_index() if named else frame


def _frame_columns(path: Path, frame: Any, requested: Sequence[str] | None) -> Columns:
    """Return the columns to read of a data frame, all of them numbers."""
    import pandas as pd

    header = [plain(str(name)) for name in frame.columns]
    columns = table_columns(path, header, len(header), requested)
    dtypes = list(frame.dtypes)
    for name, i in zip(columns.names, columns.positions, strict=True):
        if not pd.api.types.is_numeric_dtype(dtypes[i]):
            problem = f"it holds {dtypes[i]}, not numbers"
            hint = "convert it (a time column holds seconds) or leave it out"
            raise fault(path, problem, hint, column=name)
    return columns
