"""Logistic regression on windows side by side."""

from dataclasses import replace

import numpy as np
import pytest

from seqbench.baselines.logistic_regression import INVERSE_PENALTIES
from seqbench.config.registry import BASELINES

BASELINE = BASELINES["logistic_regression"]()


def rows_of(windows, x, y, groups=None):
    """Return windows of one sample, the rows of a table; one group each by default."""
    n = len(x)
    return replace(
        windows,
        signal=x.astype(np.float32),
        start=np.arange(n),
        length=np.ones(n, dtype=np.int64),
        label=np.asarray(y, dtype=np.int64),
        recording=np.arange(n),
        names=[f"r{i}" for i in range(n)],
        groups=[f"g{g}" for g in (range(n) if groups is None else groups)],
    )


@pytest.fixture
def table(make_windows):
    """Make the two splits to learn from, and test, of a line with known slope in two channels."""

    def make(n=400, slope=2.0, seed=0):
        generator = np.random.default_rng(seed)
        splits = make_windows()
        for split, windows in splits.items():
            x = generator.normal(size=(n, 2))
            y = generator.random(n) < 1 / (1 + np.exp(-slope * x[:, 0]))
            splits[split] = rows_of(windows, x, y)
        return [splits["train"], splits["val"]], splits["test"]

    return make


def test_the_line_is_found(table):
    splits, _ = table(n=2000)

    arrays = BASELINE.fit(splits, seed=0)

    slopes = np.diff(arrays["coefficients"], axis=0)[0] / arrays["scale"]
    np.testing.assert_allclose(slopes, [2.0, 0.0], atol=0.2)


def test_the_unit_of_a_channel_changes_nothing(table):
    splits, test = table()
    unit = np.array([1000.0, 0.01], dtype=np.float32)
    others = [replace(split, signal=split.signal * unit + 5) for split in (*splits, test)]

    predicted = BASELINE.predict(BASELINE.fit(splits, seed=0), test)
    of_others = BASELINE.predict(BASELINE.fit(others[:2], seed=0), others[2])

    np.testing.assert_allclose(of_others, predicted, atol=1e-3)


def test_noise_is_met_with_a_strong_penalty_and_order_with_a_weak_one(table):
    noise, _ = table(n=30, slope=0.0)
    order, _ = table(n=400, slope=50.0)

    penalties = [BASELINE.fit(splits, seed=0)["inverse_penalty"][0] for splits in (noise, order)]

    assert penalties[0] < 1 < 10 < penalties[1]


def test_repeated_groups_do_not_vouch_for_each_other(make_windows):
    # Every group is a random point three times over: whoever splits it can learn it by heart.
    generator = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 3)
    x = generator.normal(size=(40, 30))[groups]
    y = generator.integers(0, 2, 40)[groups]
    train = make_windows(n_channels=30)["train"]

    penalties = [
        BASELINE.fit([rows_of(train, x, y, of)], seed=0)["inverse_penalty"][0]
        for of in (groups, None)
    ]

    assert penalties[0] < penalties[1]


def test_with_one_group_in_a_class_the_penalty_is_the_middle_one(make_windows):
    splits = make_windows()
    x = np.random.default_rng(0).normal(size=(10, 2))
    split = rows_of(splits["train"], x, [0] * 5 + [1] * 5, groups=[0] * 5 + [1] * 5)

    arrays = BASELINE.fit([split], seed=0)

    assert arrays["inverse_penalty"][0] == np.median(INVERSE_PENALTIES)


def test_windows_of_unequal_length_are_padded_or_cut_to_the_longest_of_training(make_windows):
    splits = make_windows(lengths=(8, 5))
    longer = make_windows(lengths=(12,))["test"]
    arrays = BASELINE.fit([splits["train"], splits["val"]], seed=0)

    assert arrays["coefficients"].shape == (2, 2 * 8)
    cut = replace(longer, length=np.full(len(longer), 8))
    np.testing.assert_array_equal(BASELINE.predict(arrays, longer), BASELINE.predict(arrays, cut))
