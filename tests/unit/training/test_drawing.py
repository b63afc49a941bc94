"""Draws of windows, and of few labels, keep their promises."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from fixtures.windows import labelled_samples
from seqbench.tasks.detection.task import DetectionTask
from seqbench.training.batches import labelled_subset, shuffled

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


# Few labels.

LABEL = np.array([0] * 40 + [1] * 10 + [-1] * 20 + [2] * 3)
FRACTIONS = (0.01, 0.05, 0.1, 0.5, 1.0)


@pytest.fixture
def labelled(make_windows):
    """Windows with the labels of `LABEL`."""
    windows = make_windows(n_windows=len(LABEL))["train"]
    rows = np.arange(len(LABEL)) % len(windows)
    columns = {name: getattr(windows, name)[rows] for name in ("start", "length", "recording")}
    return replace(windows, label=LABEL, **columns)


@pytest.mark.parametrize(
    ("fraction", "counts"),
    [(0.01, [1, 1, 1]), (0.1, [4, 1, 1]), (0.5, [20, 5, 2]), (1.0, [40, 10, 3])],
)
def test_a_fraction_of_each_class_is_drawn_and_at_least_one(labelled, fraction, counts):
    drawn = labelled_subset(labelled, fraction, seed=0)

    assert np.bincount(LABEL[drawn]).tolist() == counts


@pytest.mark.parametrize("seed", range(5))
def test_draws_are_nested_and_ascending(labelled, make_event_windows, seed):
    for windows in (labelled, make_event_windows(n_samples=(2000,), n_types=5)["train"]):
        draws = [labelled_subset(windows, fraction, seed) for fraction in FRACTIONS]

        for smaller, larger in pairwise(draws):
            assert set(smaller) <= set(larger)
        assert all((np.diff(drawn) > 0).all() for drawn in draws)


def test_the_seed_decides_the_draw(labelled):
    draws = [labelled_subset(labelled, 0.1, seed).tolist() for seed in (1, 1, 2)]

    assert draws[0] == draws[1] != draws[2]


@pytest.mark.parametrize("seed", range(5))
def test_every_type_of_event_is_in_a_window_that_is_drawn(make_event_windows, seed):
    windows = make_event_windows(n_samples=(4000,), window_samples=400, n_types=4)["train"]
    # All windows begin with the same type, so that the draw by class alone would miss others.
    windows = replace(windows, label=np.zeros_like(windows.label))
    _, first, last = DetectionTask().labels_inside(windows)

    drawn = labelled_subset(windows, 0.01, seed)

    held = np.concatenate([windows.timeline.type[first[i] : last[i]] for i in drawn])
    assert set(held.tolist()) == {0, 1, 2, 3}


@pytest.mark.parametrize("seed", range(5))
def test_few_labels_hold_a_window_of_every_class_of_samples(seed):
    few, more = (labelled_subset(labelled_samples(), part, seed) for part in (0.1, 0.5))

    assert 9 in few
    assert len(few) <= 3
    assert set(few) <= set(more)
