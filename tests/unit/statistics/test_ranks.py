"""Ranks are those of scipy, which takes a second to import."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from seqbench.statistics.ranks import mean_ranks


def test_equal_values_share_the_mean_of_their_ranks():
    assert mean_ranks([3.0, 1.0, 3.0, 2.0]).tolist() == [3.5, 1.0, 3.5, 2.0]
    assert mean_ranks([]).tolist() == []


@given(st.lists(st.sampled_from([-1.5, 0.0, 0.25, 2.0, np.inf]), max_size=12))
def test_ranks_are_those_of_scipy(values):
    assert mean_ranks(values).tolist() == pytest.approx(rankdata(values).tolist(), abs=0)


def test_there_are_no_ranks_beside_a_value_that_is_no_number():
    assert np.isnan(mean_ranks([1.0, np.nan, 0.0])).all()
