"""Dropout by bits: how many numbers it drops, what it keeps, and when it does nothing."""

import pytest
import torch
from torch import nn

from seqbench.models.dropout import BitDropout


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.93])
def test_numbers_are_dropped_with_the_probability_and_the_mean_stays(probability):
    torch.manual_seed(0)

    dropped = BitDropout(probability)(torch.ones(200, 500))

    assert (dropped == 0).double().mean() == pytest.approx(probability, abs=0.005)
    assert dropped[dropped > 0].unique().tolist() == pytest.approx([1 / (1 - probability)], 1e-3)
    assert (dropped == 0).double().mean(dim=0).std() < 0.05  # no column more than others


def test_what_is_dropped_has_no_gradient():
    x = torch.randn(3, 5, 7).transpose(1, 2).requires_grad_()

    kept = BitDropout(0.5)(x)
    kept.sum().backward()

    assert torch.equal(kept, x * x.grad)
    assert set(x.grad.unique().tolist()) == {0.0, 2.0}


@pytest.mark.parametrize("shape", [(4, 1, 6), (4, 5, 6)])
def test_a_view_with_gaps_in_memory_can_be_dropped_from(shape):
    x = torch.ones(4, 10, 6)[:, :1].expand(shape)

    assert set(BitDropout(0.5)(x).unique().tolist()) <= {0.0, 2.0}


def test_nothing_is_dropped_in_evaluation_or_at_probability_0():
    x = torch.randn(4, 5)

    assert BitDropout(0.5).eval()(x) is x
    torch.testing.assert_close(BitDropout(0.0)(x), x)


@pytest.mark.parametrize("probability", [1e-6, 1 - 1e-6])
def test_a_probability_too_near_to_0_or_1_to_be_rounded_is_left_to_torch(probability):
    torch.manual_seed(3)
    found = BitDropout(probability)(torch.ones(64))
    torch.manual_seed(3)

    assert torch.equal(found, nn.Dropout(probability)(torch.ones(64)))


def test_the_same_seed_drops_the_same():
    layer, x = BitDropout(0.5), torch.ones(64)

    torch.manual_seed(3)
    first = layer(x)
    torch.manual_seed(3)

    assert torch.equal(layer(x), first)
    assert not torch.equal(layer(x), first)
