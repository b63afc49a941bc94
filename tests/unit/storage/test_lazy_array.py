"""A lazy array is sliced, changed and joined as the array in memory that it stands for."""

import numpy as np
import pytest

from seqbench.storage.lazy_array import LazyArray, any_known, blocks, changed, joined, span

VALUES = np.arange(40, dtype=np.float32).reshape(20, 2)


@pytest.fixture
def lazy():
    """A lazy array of `VALUES`, and the spans that were read."""
    found = []

    def read(start, stop):
        found.append((start, stop))
        return VALUES[start:stop]

    return LazyArray(VALUES.shape, read), found


@pytest.mark.parametrize("rows", [slice(3, 7), slice(None), slice(15, 99), slice(-3, None)])
def test_a_slice_reads_its_rows_and_no_others(lazy, rows):
    array, found = lazy

    assert np.array_equal(array[rows], VALUES[rows])
    assert found == [rows.indices(20)[:2]]


def test_nothing_is_read_of_an_empty_slice_or_a_span(lazy):
    array, found = lazy

    assert array[7:3].shape == (0, 2)
    part = array.span(5, 30)
    assert (part.shape, part.ndim, part.nbytes, len(part)) == ((15, 2), 2, 120, 15)
    assert found == []
    assert np.array_equal(part[1:3], VALUES[6:8])


def test_slices_with_a_step_are_refused(lazy):
    with pytest.raises(ValueError, match="without a step"):
        lazy[0][::2]


@pytest.mark.parametrize("index", [[[3, 3], [0, 19]], [-1, 4], np.zeros((0, 2), int)])
def test_single_rows_are_those_of_the_array(lazy, index):
    index = np.array(index, dtype=np.int64)

    assert np.array_equal(lazy[0][index], VALUES[index])


def test_a_row_outside_is_refused(lazy):
    with pytest.raises(IndexError, match="outside of the 20 rows"):
        lazy[0][np.array([20])]


def test_single_rows_far_apart_are_read_apart(monkeypatch, lazy):
    monkeypatch.setattr("seqbench.storage.lazy_array.GAP_ROWS", 4)
    array, found = lazy

    assert np.array_equal(array[np.array([19, 1, 3])], VALUES[[19, 1, 3]])
    assert found == [(1, 4), (19, 20)]


def test_blocks_have_so_many_bytes_and_are_all_of_it(lazy):
    made = list(blocks(lazy[0], 24))

    assert [len(block) for block in made] == [3] * 6 + [2]
    assert np.array_equal(np.concatenate(made), VALUES)


def test_a_change_may_look_ahead_and_knows_where_it_is(lazy):
    def steps(rows, first):
        return rows[2:] - rows[:-2] + first + np.arange(len(rows) - 2)[:, None]

    whole, later = changed(VALUES, steps), changed(lazy[0], steps, n_ahead=2)

    assert later.shape == whole.shape == (18, 2)
    assert np.array_equal(later[:], whole)
    assert np.array_equal(later[4:9], whole[4:9])


def test_arrays_of_both_kinds_are_joined(lazy):
    parts = [VALUES[:3], lazy[0], VALUES[:0], span(lazy[0], 4, 6), VALUES[-1:]]
    expected = np.concatenate([VALUES[:3], VALUES, VALUES[4:6], VALUES[-1:]])

    made = joined(parts, (2,))

    assert isinstance(made, LazyArray)
    assert np.array_equal(made[:], expected)
    assert all(np.array_equal(made[a : a + 4], expected[a : a + 4]) for a in range(26))
    assert isinstance(joined([VALUES, VALUES], (2,)), np.ndarray)


def test_known_values_are_found_in_any_block():
    values = np.full((5000, 1000), np.nan, dtype=np.float32)
    assert not any_known(values)
    values[-1, -1] = 0
    assert any_known(values)


def test_checksums_are_those_of_the_rows_of_a_span():
    array = LazyArray(VALUES.shape, lambda a, b: VALUES[a:b], lambda a, b: f"{a}-{b}".encode())

    assert array.checksums == b"0-20"
    assert array.span(5, 15).span(2, 4).checksums == b"7-9"
    assert LazyArray(VALUES.shape, lambda a, b: VALUES[a:b]).span(0, 5).checksums is None
