"""Rows of a signal in memory or elsewhere: arrays that are read or computed span by span.

Most signals are plain arrays. One that is larger than memory is a `LazyArray`,
which is sliced as an array is; the functions here take either.
"""

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Read = Callable[[int, int], NDArray[np.float32]]
Checksums = Callable[[int, int], bytes]
Change = Callable[[NDArray[np.float32], int], NDArray[np.float32]]

BLOCK_BYTES = 1 << 23  # of rows that are handled at a time
GAP_ROWS = 64  # rows that are read and left out rather than read around


class LazyArray:
    """An array whose rows are read or computed when they are sliced.

    Parameters
    ----------
    shape
        (n_samples, ...).
    read
        Returns the rows [start, stop) as float32.
    checksums
        Returns bytes that other values of the rows [start, stop) would change, as a file holds
        them; None: nothing does.
    """

    def __init__(
        self, shape: tuple[int, ...], read: Read, checksums: Checksums | None = None
    ) -> None:
        self.shape = tuple(int(size) for size in shape)
        self._read, self._checksums = read, checksums

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice | NDArray[np.int64]) -> NDArray[np.float32]:
        """Return rows: those of a slice without a step, or of an array of row numbers."""
        if isinstance(rows, slice):
            start, stop, step = rows.indices(len(self))
            if step != 1:
                raise ValueError("rows of a lazy array are taken without a step")
            if start >= stop:
                return np.zeros((0, *self.shape[1:]), dtype=np.float32)
            return self._read(start, stop)
        return self._gathered(np.asarray(rows))

    @property
    def nbytes(self) -> int:
        """Bytes that it takes once it is read."""
        return 4 * math.prod(self.shape)

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def checksums(self) -> bytes | None:
        """Bytes that any other value would change, found without reading; None: there are none."""
        return None if self._checksums is None else self._checksums(0, len(self))

    def span(self, start: int, stop: int) -> "LazyArray":
        """Return the rows [start, stop), unread."""
        start, stop, _ = slice(start, stop).indices(len(self))
        read, checksums = self._read, self._checksums
        return LazyArray(
            (max(0, stop - start), *self.shape[1:]),
            lambda a, b: read(start + a, start + b),
            checksums and (lambda a, b: checksums(start + a, start + b)),
        )

    def _gathered(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return single rows, (*rows.shape, ...); neighbours are read together."""
        if len(rows) and not (-len(self) <= rows.min() and rows.max() < len(self)):
            raise IndexError(f"a row is outside of the {len(self)} rows of the array")
        distinct, place = np.unique(rows % max(len(self), 1), return_inverse=True)
        found = np.empty((len(distinct), *self.shape[1:]), dtype=np.float32)
        cuts = np.flatnonzero(np.diff(distinct) > GAP_ROWS) + 1
        for run in np.split(np.arange(len(distinct)), cuts) if len(distinct) else []:
            first = int(distinct[run[0]])
            longest = block_rows(self)
            for some in np.split(
                run, np.flatnonzero(np.diff((distinct[run] - first) // longest)) + 1
            ):
                low, high = int(distinct[some[0]]), int(distinct[some[-1]]) + 1
                found[some] = self._read(low, high)[distinct[some] - low]
        return found[place.reshape(rows.shape)]


AnyArray = NDArray[np.float32] | LazyArray


def span(array: AnyArray, start: int, stop: int) -> AnyArray:
    """Return the rows [start, stop) of an array, a view or unread."""
    return array.span(start, stop) if isinstance(array, LazyArray) else array[start:stop]


def block_rows(array: AnyArray, n_bytes: int = BLOCK_BYTES) -> int:
    """Return how many rows of an array take about so many bytes, at least one."""
    return max(1, n_bytes // max(1, 4 * math.prod(array.shape[1:])))


def blocks(array: AnyArray, n_bytes: int = BLOCK_BYTES) -> Iterator[NDArray[np.float32]]:
    """Yield an array in consecutive blocks of at most so many bytes, or of one row."""
    n_rows = block_rows(array, n_bytes)
    for start in range(0, len(array), n_rows):
        yield array[start : start + n_rows]


def any_known(array: AnyArray) -> bool:
    """Return whether a value is finite."""
    return any(bool(np.isfinite(block).any()) for block in blocks(array))


def changed(
    array: AnyArray, change: Change, *, row: tuple[int, ...] | None = None, n_ahead: int = 0
) -> AnyArray:
    """Return an array with each of its rows changed, now or, of a lazy one, when it is read.

    Parameters
    ----------
    array
        (n_samples, ...).
    change
        Function of rows and the number of the first one, whose row i depends on the rows
        i to i + `n_ahead` alone.
    row
        Shape of a changed row; None: that of `array`.
    n_ahead
        How many rows fewer than it takes the function returns.
    """
    if not isinstance(array, LazyArray):
        return change(array, 0)
    shape = (max(0, len(array) - n_ahead), *(array.shape[1:] if row is None else row))
    return LazyArray(shape, lambda start, stop: change(array[start : stop + n_ahead], start))


def joined(arrays: Sequence[AnyArray], row: tuple[int, ...]) -> AnyArray:
    """Return arrays end to end, rows of the shape `row`; lazy if one of them is."""
    if not any(isinstance(array, LazyArray) for array in arrays):
        none = np.zeros((0, *row), dtype=np.float32)
        return np.concatenate([none, *arrays]).astype(np.float32, copy=False)
    ends = np.cumsum([len(array) for array in arrays])

    def read(start: int, stop: int) -> NDArray[np.float32]:
        found = np.empty((stop - start, *row), dtype=np.float32)
        at, place = start, int(np.searchsorted(ends, start, side="right"))
        while at < stop:
            begin = int(ends[place]) - len(arrays[place])
            end = min(stop, int(ends[place]))
            found[at - start : end - start] = arrays[place][at - begin : end - begin]
            at, place = end, place + 1
        return found

    return LazyArray((int(ends[-1]), *row), read)
