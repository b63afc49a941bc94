"""The plain detector of events: what is its own, and the removal of a slow trend."""

import pytest
import torch

from seqbench.models.detrend import Detrend
from seqbench.models.event_rnn import EventRnnEncoder

T, C = 300, 2
LENGTHS = torch.tensor([T, 150])


def encoder(**options) -> EventRnnEncoder:
    torch.manual_seed(0)
    return EventRnnEncoder(
        C, widths=(4, 6), kernel_sizes=(5, 3), strides=(1, 5), hidden_size=4, dropout=0.0, **options
    )


@pytest.fixture
def seen(monkeypatch):
    """What the convolutions are handed."""
    handed = []
    network = encoder(jitter=0.5)
    monkeypatch.setattr(
        network.convolution,
        "forward",
        lambda x, lengths: handed.append(x) or torch.zeros(len(x), -(-x.shape[1] // 5), 6),
    )
    return network, handed


def test_noise_belongs_to_training_and_stays_inside(seen):
    network, handed = seen
    x = torch.randn(2, T, C) * (torch.arange(T) < LENGTHS[:, None])[..., None]

    network.train().encode(x, LENGTHS)
    network.eval().encode(x, LENGTHS)

    noise = handed[0] - x
    assert noise[1, 150:].abs().max() == 0
    assert noise[0].std().item() == pytest.approx(0.5, rel=0.1)
    assert torch.equal(handed[1], x)


@pytest.mark.parametrize("training", [True, False])
def test_what_is_prepared_has_no_trend_and_no_noise(training):
    network = encoder(jitter=0.5, detrend_samples=20).train(training)
    slope = torch.arange(T)[None, :, None] + torch.zeros(2, T, C)

    prepared = network.prepare(slope, None)

    middle = prepared[:, 20:-20]
    assert prepared.shape == slope.shape
    assert middle.abs().max() < 1e-3


def test_frames_are_those_of_the_prepared_signal():
    network = encoder().eval()
    x = torch.randn(2, T, C)

    assert torch.equal(network(x, LENGTHS), network.encode(network.prepare(x, LENGTHS), LENGTHS))


# The trend.


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
    torch.manual_seed(0)
    x = torch.randn(2, 120, C)

    left = detrended(x, span)

    for b in range(2):
        for c in range(C):
            torch.testing.assert_close(
                left[b, :, c], by_hand(x[b, :, c], span), rtol=1e-4, atol=1e-5
            )


def test_without_a_span_only_the_scale_changes():
    torch.manual_seed(0)
    x = torch.randn(4, T, C) * torch.tensor([3.0, 0.1]) + 5
    layer = Detrend(C, 0)

    scaled = layer(x)

    torch.testing.assert_close(scaled.mean(dim=(0, 1)), torch.zeros(C), atol=1e-4, rtol=0)
    torch.testing.assert_close(scaled.std(dim=(0, 1)), torch.ones(C), atol=2e-3, rtol=0)


def test_a_large_offset_costs_no_precision():
    torch.manual_seed(0)
    quiet = 0.01 * torch.randn(1, T, 1, dtype=torch.float64)

    left = detrended((quiet + 100).float(), 100).double()

    assert (left[0, :, 0] - by_hand(quiet[0, :, 0], 100)).abs().max() < 1e-4
