"""Removal of a slow trend from windows of unequal lengths."""

import math

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


def test_a_slow_trend_is_removed_and_a_short_event_is_not():
    time = torch.arange(4000.0)
    sway = 50 * torch.sin(2 * math.pi * time / 4000)  # 0 where the event is
    event = torch.zeros(4000)
    event[1998:2003] = 1.0

    left = detrended((sway + event)[None, :, None], 200)[0, :, 0]

    assert left[1998:2003].mean() == pytest.approx(1 - 5 / 201, abs=0.01)
    away = torch.cat([left[100:1850], left[2150:3900]])
    assert away.abs().max() < 50 * 0.0042  # the mean over 201 samples is sinc(201 / 4000) of a sine


def test_a_constant_is_zero_up_to_the_edges():
    x = torch.full((1, T, C), 1000.0)

    assert detrended(x, 200).abs().max() < 0.01


def test_without_a_span_only_the_scale_changes():
    x = torch.randn(4, T, C) * torch.tensor([3.0, 0.1]) + 5
    layer = Detrend(C, 0)

    scaled = layer(x)

    torch.testing.assert_close(scaled.mean(dim=(0, 1)), torch.zeros(C), atol=1e-4, rtol=0)
    torch.testing.assert_close(scaled.std(dim=(0, 1)), torch.ones(C), atol=2e-3, rtol=0)


@pytest.mark.parametrize("training", [True, False])
def test_padding_has_no_effect(training):
    lengths = torch.tensor([T, 150, 30])
    x = torch.randn(3, T, C) * (torch.arange(T) < lengths[:, None])[..., None]
    wider = torch.cat([x, torch.zeros(3, 77, C)], dim=1)
    layer, same = (Detrend(C, 100).train(training) for _ in range(2))

    short, long = layer(x, lengths), same(wider, lengths)

    torch.testing.assert_close(long[:, :T], short)
    torch.testing.assert_close(same.norm.running_var, layer.norm.running_var)
    for window, length in zip(short, lengths, strict=True):
        assert (window[length:] == 0).all()


def test_windows_of_a_batch_are_as_if_alone():
    lengths = torch.tensor([T, 150, 30])
    x = torch.randn(3, T, C) * (torch.arange(T) < lengths[:, None])[..., None]
    layer = Detrend(C, 100)
    layer(torch.randn(2, T, C))  # statistics that are not neutral
    layer.eval()

    together = layer(x, lengths)

    for i, length in enumerate(lengths.tolist()):
        torch.testing.assert_close(together[i : i + 1, :length], layer(x[i : i + 1, :length]))


def test_a_large_offset_costs_no_precision():
    quiet = 0.01 * torch.randn(1, T, 1, dtype=torch.float64)

    left = detrended((quiet + 100).float(), 100).double()

    assert (left[0, :, 0] - by_hand(quiet[0, :, 0], 100)).abs().max() < 1e-4


def test_gradients_are_those_of_the_difference():
    layer = Detrend(1, 4).eval().double()
    x = torch.randn(2, 9, 1, dtype=torch.float64, requires_grad=True)
    lengths = torch.tensor([9, 6])

    # Sums are taken in single precision, so the steps must not be too small.
    assert torch.autograd.gradcheck(
        lambda x: layer(x, lengths), (x,), eps=1e-2, atol=1e-3, nondet_tol=0.0
    )
