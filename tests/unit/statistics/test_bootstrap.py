"""Resampled means over runs, held against what follows by counting."""

import numpy as np
import pytest

from seqbench.statistics.bootstrap import mean_over_runs


def test_one_run_is_its_own_mean():
    values = np.array([0.1, 0.7, np.nan])

    np.testing.assert_array_equal(mean_over_runs([values], np.random.default_rng(0)), values)


def test_runs_are_drawn_with_replacement_in_every_resample():
    never, always = np.zeros(20_000), np.ones(20_000)

    means = mean_over_runs([never, always], np.random.default_rng(0))
    found, counts = np.unique(means, return_counts=True)

    # Of two draws both are the first in a quarter, both the second in a quarter.
    assert found.tolist() == [0, 0.5, 1]
    np.testing.assert_allclose(counts / 20_000, [0.25, 0.5, 0.25], atol=0.02)


def test_runs_that_agree_leave_the_chance_of_test_alone():
    values = np.linspace(0, 1, 11)

    means = mean_over_runs([values] * 3, np.random.default_rng(0))

    assert means == pytest.approx(values)


def test_a_resample_in_which_a_run_has_no_value_has_no_mean():
    means = mean_over_runs([np.array([np.nan, 0.5])] * 2, np.random.default_rng(0))

    assert np.isnan(means[0])
    assert means[1] == 0.5
