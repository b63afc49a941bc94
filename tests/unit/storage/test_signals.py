"""A signal in a file is read span by span, and no span with a changed byte is given."""

import os

import numpy as np
import pytest

from seqbench.errors import DamagedError
from seqbench.storage import signals
from seqbench.storage.hdf5 import reading, writing
from seqbench.storage.signals import CHECKED_BYTES, open_signal, write_signal

ROWS_OF_A_BLOCK = CHECKED_BYTES // 8
VALUES = np.random.default_rng(0).normal(size=(3 * ROWS_OF_A_BLOCK + 100, 2)).astype(np.float32)


@pytest.fixture
def path(tmp_path):
    """A file with a signal, written in pieces that are no multiples of a block."""
    with writing(tmp_path / "file", "recordings", 1) as file:
        write_signal(file, "signal", np.array_split(VALUES, 7), VALUES.shape)
        write_signal(file, "values/empty", [VALUES[:0]], (0, 2))
    os.utime(tmp_path / "file", ns=(0, 10**18))
    return tmp_path / "file"


def stored(path, name="signal"):
    with reading(path, "recordings", 1) as file:
        return open_signal(path, file, name)


@pytest.mark.parametrize(
    ("start", "stop"),
    [(0, 1), (0, len(VALUES)), (ROWS_OF_A_BLOCK - 1, ROWS_OF_A_BLOCK + 1), (-9, None)],
)
def test_rows_are_those_that_were_written(path, start, stop, monkeypatch):
    monkeypatch.setattr(signals, "PIECE_BLOCKS", 2)

    for _ in range(2):  # checked at first, then not again
        assert np.array_equal(stored(path)[start:stop], VALUES[start:stop])
    assert stored(path, "values/empty")[:].shape == (0, 2)


def damaged(path, row):
    """Change a byte of a row; return the opened signal, whose header still fits."""
    content = bytearray(path.read_bytes())
    content[content.index(VALUES[row].tobytes()) + 1] ^= 1
    path.write_bytes(content)
    return stored(path)


def test_a_changed_byte_is_refused_by_those_who_read_its_block_and_by_them_alone(path):
    signal = damaged(path, ROWS_OF_A_BLOCK + 5)

    assert np.array_equal(signal[:ROWS_OF_A_BLOCK], VALUES[:ROWS_OF_A_BLOCK])
    for start in (ROWS_OF_A_BLOCK - 1, ROWS_OF_A_BLOCK, 2 * ROWS_OF_A_BLOCK - 1):
        with pytest.raises(DamagedError, match="damaged or cut short"):
            signal[start : start + 1] if start >= ROWS_OF_A_BLOCK else signal[start : start + 2]


def test_a_file_cut_short_is_refused_when_it_is_opened(path):
    content = path.read_bytes()
    path.write_bytes(content[:-100])

    with pytest.raises(DamagedError):
        stored(path)


def test_a_file_that_takes_the_place_of_another_does_not_change_what_is_read(path):
    signal = stored(path)
    path.with_name("other").write_bytes(b"nothing")
    path.with_name("other").replace(path)

    assert np.array_equal(signal[:], VALUES)


@pytest.mark.parametrize("n", [len(VALUES) - 1, len(VALUES) + 1])
def test_a_signal_of_another_length_than_stated_is_refused(tmp_path, n):
    with (
        pytest.raises(ValueError, match=f"a signal of {n} samples has"),
        writing(tmp_path / "file", "recordings", 1) as file,
    ):
        write_signal(file, "signal", [VALUES], (n, 2))


def test_checksums_are_known_without_reading_and_differ_where_a_value_of_the_span_does(tmp_path):
    def checksums(values, start, stop):
        with writing(tmp_path / "file", "recordings", 1) as file:
            write_signal(file, "signal", [values], values.shape)
        return stored(tmp_path / "file").span(start, stop).checksums

    changed = VALUES.copy()
    changed[2 * ROWS_OF_A_BLOCK + 5] += 1
    first, last = (0, ROWS_OF_A_BLOCK), (2 * ROWS_OF_A_BLOCK, len(VALUES))

    assert checksums(changed, *first) == checksums(VALUES, *first)
    assert checksums(changed, *last) != checksums(VALUES, *last)
    assert checksums(VALUES, 0, 10) != checksums(VALUES, 1, 10) != checksums(VALUES, 1, 11)
    assert checksums(VALUES, 7, 3) == checksums(VALUES, 7, 7)
