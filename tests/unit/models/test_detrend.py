"""Removal of a slow trend from windows of unequal lengths."""

import pytest
import torch

from seqbench.models.event_rnn import Detrend

T, C = 400, 2


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def detrended(x: torch.Tensor, span: int, lengths: torch.Tensor | None = None) -> torch.Tensor:
    """Without the scale: new batch norm in evaluation changes nothing but for its epsilon."""
    with torch.no_grad():
        return Detrend(x.shape[2], span).eval()(x, lengths)


def by_hand(x: torch.Tensor, span: int) -> torch.Tensor:
    """One window of one channel (T,), each sample less the mean of those around it."""
    reach = span // 2
    rows = [x[t] - x[max(t - reach, 0) : t + reach + 1].mean() for t in range(len(x))]
    return torch.stack(rows)


@pytest.mark.parametrize("span", [2, 10, 51, 200, 254, 255, 1000])
def test_each_sample_loses_the_mean_of_those_around_it(span):
    x = torch.randn(2, 120, C)

    left = detrended(x, span)

    for b in range(2):
        for c in range(C):
            torch.testing.assert_close(
                left[b, :, c], by_hand(x[b, :, c], span), rtol=1e-4, atol=1e-5
            )


def test_without_a_span_only_the_scale_changes():
    x = torch.randn(4, T, C) * torch.tensor([3.0, 0.1]) + 5
    layer = Detrend(C, 0)

    scaled = layer(x)

    torch.testing.assert_close(scaled.mean(dim=(0, 1)), torch.zeros(C), atol=1e-4, rtol=0)
    torch.testing.assert_close(scaled.std(dim=(0, 1)), torch.ones(C), atol=2e-3, rtol=0)


def test_a_large_offset_costs_no_precision():
    quiet = 0.01 * torch.randn(1, T, 1, dtype=torch.float64)

    left = detrended((quiet + 100).float(), 100).double()

    assert (left[0, :, 0] - by_hand(quiet[0, :, 0], 100)).abs().max() < 1e-4
