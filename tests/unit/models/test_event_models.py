"""The encoders of timed events: templates, filters and frames."""

import math

import pytest
import torch
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from seqbench.errors import UserError
from seqbench.models.event_rnn import EventRnnEncoder
from seqbench.models.event_specific import (
    EventSpecificCNN,
    EventSpecificEncoder,
    EventTemplateBank,
)
from seqbench.models.event_unet import EventUnetEncoder
from seqbench.models.lstm_event import LstmEventEncoder

B, T, C, K = 3, 60, 4, 3
LENGTHS = torch.tensor([60, 33, 7])


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def padded_windows(lengths: torch.Tensor = LENGTHS, channels: int = C) -> torch.Tensor:
    x = torch.randn(len(lengths), T, channels)
    return x * (torch.arange(T) < lengths[:, None])[..., None]


def bump(time: torch.Tensor) -> torch.Tensor:
    """A smooth pulse, whose shifts by parts of a sample are known."""
    return torch.exp(-0.5 * (time / 3) ** 2)


# The template bank.


def test_an_event_matches_at_its_onset_whatever_its_size():
    bank = EventTemplateBank(K, C, template_length=12)
    x = torch.zeros(2, T, C)
    x[0, 20:32] = 0.03 * bank.templates[1].T.detach()
    x[1, 40:52] = 500 * bank.templates[1].T.detach()

    scores = bank(x)

    assert scores.shape == (2, T, K)
    assert scores[..., 1].argmax(dim=1).tolist() == [20, 40]
    torch.testing.assert_close(scores[[0, 1], [20, 40], 1], torch.ones(2), rtol=0, atol=1e-3)


def test_match_scores_are_within_one_and_zero_without_signal():
    bank = EventTemplateBank(K, C, template_length=12)
    torch.nn.init.normal_(bank.onset_delays, std=5)
    x = torch.randn(B, T, C) * 10 ** torch.linspace(-4, 4, T)[:, None]
    x[0] = 0
    x.requires_grad_()

    scores = bank(x)
    scores.square().sum().backward()

    assert (scores[0] == 0).all()
    assert scores.abs().max() <= 1 + 1e-4
    for gradient in (x.grad, bank.templates.grad, bank.onset_delays.grad):
        assert gradient.isfinite().all()


def test_a_delay_of_whole_samples_moves_the_template():
    bank = EventTemplateBank(1, 2, template_length=12, max_delay_samples=6)
    with torch.no_grad():
        bank.onset_delays.copy_(6 * torch.tensor([[3 / 6, -2 / 6]]).atanh())

    delayed = bank.delayed()

    assert delayed.shape == (1, 2, 24)
    torch.testing.assert_close(bank.delays(), torch.tensor([[3.0, -2.0]]))
    for channel, delay in enumerate((3, -2)):
        expected = torch.zeros(24)
        expected[6 + delay : 18 + delay] = bank.templates[0, channel]
        torch.testing.assert_close(delayed[0, channel], expected, rtol=0, atol=1e-5)


def test_delays_are_learned_from_the_onset_of_a_match():
    bank = EventTemplateBank(1, 2, template_length=40)
    time = torch.arange(T) - 30.0
    with torch.no_grad():
        bank.templates.copy_(bump(torch.arange(40) - 20.0).expand(1, 2, 40))
    bank.templates.requires_grad_(False)
    x = torch.stack([bump(time + 1.4), bump(time - 2.3)], dim=1)[None]  # the channels' skew
    optimizer = torch.optim.Adam(bank.parameters(), lr=0.1)

    for _ in range(150):
        optimizer.zero_grad()
        (-bank(x)[0, 10, 0]).backward()  # an onset at 10 has the middle of its bump at 30
        optimizer.step()

    assert bank.delays()[0].tolist() == pytest.approx([-1.4, 2.3], abs=0.05)


# The filters.


@pytest.mark.parametrize("strides", [(1, 1, 1), (1, 1, 5)])
def test_grouped_filters_are_a_stack_for_each_type_and_one_for_all(strides):
    cnn = EventSpecificCNN(K, C, output_channels=5, strides=strides)
    x = torch.randn(B, T, C)

    event_features, shared_features = cnn(x)

    for stack in range(K + 1):
        hidden = x.transpose(1, 2)
        for convolution, step in zip(cnn.convolutions, strides, strict=True):
            rows = slice(5 * stack, 5 * stack + 5)
            weight, bias = convolution.weight[rows, ..., 0], convolution.bias[rows]
            padding = weight.shape[2] // 2
            hidden = functional.conv1d(hidden, weight, bias, step, padding).relu()
        found = shared_features if stack == K else event_features[:, :, stack]
        torch.testing.assert_close(found, hidden.transpose(1, 2), rtol=1e-4, atol=1e-5)


def test_filters_need_no_shared_stack():
    event_features, shared_features = EventSpecificCNN(K, C, 5, use_shared=False)(
        torch.randn(B, T, C)
    )

    assert event_features.shape == (B, T, K, 5)
    assert shared_features is None


# Encoders.


def test_the_first_features_of_event_specific_are_the_highest_scores_around_each_frame():
    encoder = EventSpecificEncoder(C, n_templates=K, template_samples=6).eval()
    x = torch.randn(B, T, C)

    frames, scores = encoder.matched(x)

    assert (encoder.stride, encoder.n_template_scores) == (10, K)
    assert scores.shape == (B, T, K)
    for frame in range(T // 10):
        around = scores[:, max(0, 10 * frame - 5) : 10 * frame + 6]
        torch.testing.assert_close(frames[:, frame, :K], around.amax(dim=1))


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_event_rnn_is_small_and_has_5_ms_frames_at_2000_hz(cell):
    encoder = EventRnnEncoder(6, cell=cell)

    assert encoder.stride == 10
    assert 100_000 < sum(p.numel() for p in encoder.parameters()) < 200_000
    assert encoder(torch.randn(2, 95, 6)).shape == (2, 10, encoder.n_features)


@pytest.mark.parametrize("stride", [1, 4, 16, 64, 256])
@pytest.mark.parametrize("n_samples", [1, 65, 257])
def test_the_unet_has_the_requested_rate(stride, n_samples):
    encoder = EventUnetEncoder(C, stride=stride).eval()

    frames = encoder(torch.randn(2, n_samples, C))

    assert frames.shape == (2, math.ceil(n_samples / stride), encoder.n_features)
    assert encoder.n_features == {1: 8, 4: 16, 16: 32, 64: 64, 256: 128}[stride]


def test_the_unet_keeps_a_sample_in_its_place_and_sees_far():
    encoder = EventUnetEncoder(1, widths=(4, 4, 4, 4)).eval()
    x = torch.zeros(1, 301, 1, requires_grad=True)

    encoder(x + torch.randn(1, 301, 1))[0, 150].sum().backward()

    reached = x.grad[0, :, 0].nonzero().flatten()
    assert reached.min() < 50
    assert reached.max() > 250
    assert x.grad[0, :, 0].abs().argmax().item() == pytest.approx(150, abs=10)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stride": 8}, "stride 8 is no rate of this network; choose one of 1, 4, 16, 64, 256"),
        ({"kernel_size": 3}, "leaves gaps between samples 4 apart"),
    ],
)
def test_an_impossible_unet_is_refused(options, message):
    with pytest.raises(UserError, match=message):
        EventUnetEncoder(C, **options)


class LargestTensor(TorchDispatchMode):
    """Watches the largest tensor of numbers that any operation returns."""

    numel = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for value in out if isinstance(out, tuple | list) else (out,):
            if isinstance(value, torch.Tensor) and value.is_floating_point():
                self.numel = max(self.numel, value.numel())
        return out


@pytest.mark.parametrize("lengths", [None, torch.tensor([600, 400])])
def test_attention_never_holds_a_square_of_the_steps(lengths):
    n_steps = 600
    encoder = LstmEventEncoder(2, hidden_size=4, n_layers=1, n_heads=2, stride=1)
    x = torch.randn(2, n_steps, 2)

    with LargestTensor() as largest:
        encoder(x, lengths).sum().backward()

    assert 0 < largest.numel < n_steps**2 / 4
