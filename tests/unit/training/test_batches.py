"""Batches hold what slicing by hand gives, and draws keep their promises."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from seqbench.training.batches import WindowTable, labelled_subset, shuffled
from seqbench.windowing.normalize import standardize

CPU = torch.device("cpu")
LENGTHS = {"equal": (20,), "unequal": (20, 26, 14)}
INDEX = torch.tensor([5, 0, 11, 5])


@pytest.fixture(params=list(LENGTHS))
def lengths(request):
    return LENGTHS[request.param]


def test_a_batch_equals_slices_of_the_signal(make_windows, lengths):
    windows = make_windows(lengths=lengths)["train"]

    batch = WindowTable(windows, CPU).batch(INDEX)

    assert len(batch) == 4
    assert batch.x.shape[1] == max(windows.length[i] for i in INDEX.tolist())
    for row, i in enumerate(INDEX.tolist()):
        begin, n = int(windows.start[i]), int(windows.length[i])
        np.testing.assert_array_equal(batch.x[row, :n].numpy(), windows.signal[begin : begin + n])
        assert (batch.x[row, n:] == 0).all()
    assert batch.target.tolist() == [int(windows.label[i]) for i in INDEX.tolist()]


def test_lengths_are_stated_only_where_they_differ_in_the_batch(make_windows):
    table = WindowTable(make_windows(lengths=(20, 26))["train"], CPU)

    mixed, same = table.batch(torch.tensor([0, 2])), table.batch(torch.tensor([2, 3]))

    assert mixed.lengths.tolist() == [20, 26]
    assert mixed.lengths.device == CPU
    assert same.lengths is None
    assert WindowTable(make_windows()["train"], CPU).batch(INDEX).lengths is None


def test_overlapping_windows_share_the_signal(make_windows):
    windows = make_windows(n_windows=2)["train"]
    overlapping = replace(
        windows,
        start=np.array([0, 3, 20]),
        length=np.array([20, 20, 20]),
        label=np.array([0, 1, 0]),
        recording=np.array([0, 0, 1]),
    )

    x = WindowTable(overlapping, CPU).batch(torch.arange(3)).x

    np.testing.assert_array_equal(x[1].numpy(), windows.signal[3:23])
    np.testing.assert_array_equal(x[2].numpy(), windows.signal[20:40])  # ends with the signal


def test_a_batch_can_be_changed_without_changing_the_signal(make_windows, lengths):
    windows = make_windows(lengths=lengths)["train"]
    before = windows.signal.copy()

    WindowTable(windows, CPU).batch(INDEX).x.fill_(9.0)

    np.testing.assert_array_equal(windows.signal, before)


def test_windows_are_standardised_one_by_one_as_in_numpy(make_windows, lengths):
    windows = make_windows(lengths=lengths, mode="per_window")["train"]
    windows = replace(windows, signal=windows.signal * np.float32(3) + np.float32(5))

    batch = WindowTable(windows, CPU).batch(INDEX)

    for row, i in enumerate(INDEX.tolist()):
        n = int(windows.length[i])
        expected = standardize(windows.window(i))
        np.testing.assert_allclose(batch.x[row, :n].numpy(), expected, rtol=1e-4, atol=1e-5)
        assert (batch.x[row, n:] == 0).all()


@pytest.mark.parametrize("value", [0.0, 0.1, 1234.567, -3e5])
@pytest.mark.parametrize("lengths", [(700,), (700, 613, 411)])
def test_a_constant_channel_becomes_zero(make_windows, lengths, value):
    # Not the rounding of its mean, blown up to unit size.
    windows = make_windows(lengths=lengths, mode="per_window")["train"]
    signal = windows.signal.copy()
    signal[:, 1] = value

    batch = WindowTable(replace(windows, signal=signal), CPU).batch(INDEX)

    torch.testing.assert_close(batch.x[..., 1], torch.zeros_like(batch.x[..., 1]))


def test_batches_yield_every_window_once_in_order(make_windows, lengths):
    windows = make_windows(lengths=lengths)["train"]
    table = WindowTable(windows, CPU)

    parts = list(table.batches(5))
    some = list(table.batches(2, torch.tensor([4, 1, 3])))

    assert [len(part) for part in parts] == [5, 5, 2]
    assert torch.cat([part.target for part in parts]).tolist() == windows.label.tolist()
    assert [len(part) for part in some] == [2, 1]
    assert torch.cat([part.target for part in some]).tolist() == windows.label[[4, 1, 3]].tolist()


# The order of training.


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize(("n", "size"), [(1, 4), (2, 4), (4, 4), (5, 4), (9, 4), (33, 32), (7, 3)])
def test_a_pass_covers_each_window_once(n, size):
    n_batches = -(-n // size)

    parts = list(shuffled(n, n_batches, size, generator()))

    assert len(parts) == n_batches
    assert sorted(torch.cat(parts).tolist()) == list(range(n))
    assert max(len(part) for part in parts) <= size


@pytest.mark.parametrize("size", [3, 4, 32])
def test_no_batch_holds_a_single_window(size):
    for n in range(2, 70):
        parts = shuffled(n, -(-n // size), size, generator())
        assert min(len(part) for part in parts) > 1, n


def test_small_sets_are_passed_over_in_new_orders_until_there_are_enough_batches():
    parts = list(shuffled(8, 5, 4, generator()))

    assert [len(part) for part in parts] == [4] * 5
    first, second = torch.cat(parts[:2]).tolist(), torch.cat(parts[2:4]).tolist()
    assert sorted(first) == sorted(second) == list(range(8))
    assert first != second


def test_the_generator_decides_the_order():
    first, second = (torch.cat(list(shuffled(30, 1, 30, generator()))) for _ in range(2))

    assert torch.equal(first, second)
    assert first.tolist() != list(range(30))


# Few labels.

LABEL = np.array([0] * 40 + [1] * 10 + [-1] * 20 + [2] * 3)
FRACTIONS = (0.01, 0.05, 0.1, 0.5, 1.0)


@pytest.mark.parametrize(
    ("fraction", "counts"),
    [(0.01, [1, 1, 1]), (0.1, [4, 1, 1]), (0.5, [20, 5, 2]), (1.0, [40, 10, 3])],
)
def test_a_fraction_of_each_class_is_drawn_and_at_least_one(fraction, counts):
    drawn = labelled_subset(LABEL, fraction, seed=0)

    assert np.bincount(LABEL[drawn]).tolist() == counts


@pytest.mark.parametrize("seed", range(5))
def test_draws_are_nested_and_ascending(seed):
    draws = [labelled_subset(LABEL, fraction, seed) for fraction in FRACTIONS]

    for smaller, larger in pairwise(draws):
        assert set(smaller) <= set(larger)
    assert all((np.diff(drawn) > 0).all() for drawn in draws)


def test_windows_without_a_label_are_never_drawn():
    assert labelled_subset(LABEL, 1.0, seed=0).tolist() == np.flatnonzero(LABEL >= 0).tolist()


def test_the_seed_decides_the_draw():
    draws = [labelled_subset(LABEL, 0.1, seed).tolist() for seed in (1, 1, 2)]

    assert draws[0] == draws[1] != draws[2]
