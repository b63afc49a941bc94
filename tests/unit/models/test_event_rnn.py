"""The plain detector of events: what is its own."""

import pytest
import torch

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
