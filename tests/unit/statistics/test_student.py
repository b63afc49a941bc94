"""Student's t test of a mean, against a table of the distribution."""

import pytest

from seqbench.statistics.student import mean_interval, mean_p

T_2 = 4.302652729911275  # 97.5 % quantile with 2 degrees of freedom


def test_the_p_value_is_that_of_the_table():
    mean = T_2 / 3**0.5  # of three values whose standard deviation is 1

    assert mean_p([mean - 1, mean, mean + 1]) == pytest.approx(0.05)
    assert mean_p([-mean - 1, -mean, -mean + 1]) == pytest.approx(0.05)
    assert mean_interval([mean - 1, mean, mean + 1])[0] == pytest.approx(0, abs=1e-9)


def test_values_that_are_all_alike_and_single_ones_have_the_p_value_of_their_limit():
    assert mean_p([0.5, 0.5]) == 0
    assert mean_p([0.0, 0.0, 0.0]) == 1
    assert mean_p([0.5]) is None
