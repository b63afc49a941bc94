"""The classifiers of timed events: timing heads, times between frames, and events."""

import math

import pytest
import torch

from seqbench.library.models import (
    EventSpecificClassifier,
    EventSpecificTimingHeads,
    LSTMEventClassifier,
)
from seqbench.library.models.events import event_times

B, T, C, K = 3, 60, 4, 3
LENGTHS = torch.tensor([60, 33, 7])


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def padded_windows() -> torch.Tensor:
    x = torch.randn(len(LENGTHS), T, C)
    return x * (torch.arange(T) < LENGTHS[:, None])[..., None]


def test_timing_logits_of_absent_types_are_zero_and_of_present_ones_as_without_them():
    heads = EventSpecificTimingHeads(K, 16).eval()
    frames = torch.randn(B, 20, 16)
    mask = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0], [0.0, 1.0, 0.0]])

    some, every = heads(frames, mask), heads(frames)

    assert some.shape == every.shape == (B, 20, K)
    present = mask.bool()[:, None].expand(B, 20, K)
    assert (some[~present] == 0).all()
    torch.testing.assert_close(some[present], every[present])


def test_types_have_timing_weights_of_their_own():
    heads = EventSpecificTimingHeads(K, 16).eval()
    frames = torch.randn(B, 20, 16)
    before = heads(frames)
    with torch.no_grad():
        for parameter in heads.parameters():
            parameter[1] += 1

    changed = (heads(frames) - before).abs().amax(dim=(0, 1)) > 1e-3

    assert changed.tolist() == [False, True, False]


def test_the_attention_of_a_type_is_that_of_its_equations():
    heads = EventSpecificTimingHeads(K, 16, num_heads=2, head_size=3).eval()
    frames = torch.randn(1, 9, 16)
    kind = 2

    x = frames[0]
    qkv = (x @ heads.project.weight[kind] + heads.project.bias[kind]).view(9, 3, 2, 3)
    mixed = []
    for head in range(2):
        query, key, value = qkv[:, :, head].unbind(dim=1)
        weights = (query @ key.T / math.sqrt(3)).softmax(dim=1)
        mixed.append(weights @ value)
    x = x + torch.cat(mixed, dim=1) @ heads.attend.weight[kind] + heads.attend.bias[kind]
    x = (x @ heads.halve.weight[kind] + heads.halve.bias[kind]).relu()
    expected = x @ heads.output.weight[kind] + heads.output.bias[kind]

    torch.testing.assert_close(heads(frames)[0, :, kind], expected[:, 0])


def test_the_time_of_a_bell_is_interpolated_between_frames():
    at = torch.tensor([[10.0, 7.3, 20.49]])
    logits = -0.5 * ((torch.arange(30)[None, :, None] - at[:, None]) / 0.7) ** 2

    torch.testing.assert_close(event_times(logits), at, rtol=0, atol=1e-4)


def test_a_peak_at_an_end_is_that_frame_and_padding_has_none():
    logits = torch.zeros(2, 12, 1)
    logits[0, 0] = logits[1, 4] = 1.0
    logits[1, 5:] = 100.0

    assert event_times(logits, torch.tensor([12, 5])).flatten().tolist() == [0.0, 4.0]


def classifier(kind: type, **options: object) -> torch.nn.Module:
    return kind(C, hidden_size=4, num_layers=1, num_events=K, dropout=0.0, **options).eval()


@pytest.mark.parametrize("stride", [1, 10])
@pytest.mark.parametrize("kind", [LSTMEventClassifier, EventSpecificClassifier])
def test_logits_have_the_shapes_of_windows_and_frames(kind, stride):
    event_logits, timing_logits, *scores = classifier(kind, stride=stride)(torch.randn(B, 57, C))

    assert event_logits.shape == (B, K)
    assert timing_logits.shape == (B, math.ceil(57 / stride), K)
    assert [score.shape for score in scores] == [(B, 57, K)] * (kind is EventSpecificClassifier)


@pytest.mark.parametrize("stride", [1, 10])
@pytest.mark.parametrize("kind", [LSTMEventClassifier, EventSpecificClassifier])
def test_logits_do_not_depend_on_padding_or_on_other_windows(kind, stride):
    model = classifier(kind, stride=stride)
    x = padded_windows()
    noisy = x + 3 * (torch.arange(T) >= LENGTHS[:, None])[..., None]  # not zero past the end

    together = model(noisy, LENGTHS)

    for row, length in enumerate(LENGTHS.tolist()):
        alone = model(x[row : row + 1, :length])
        torch.testing.assert_close(together[0][row], alone[0][0], rtol=1e-4, atol=1e-5)
        n_frames = alone[1].shape[1]
        probabilities = together[1][row].softmax(dim=0)
        torch.testing.assert_close(
            probabilities[:n_frames], alone[1][0].softmax(dim=0), rtol=1e-4, atol=1e-5
        )
        assert (probabilities[n_frames:] == 0).all()


@pytest.mark.parametrize("kind", [LSTMEventClassifier, EventSpecificClassifier])
def test_predicted_times_are_in_samples_and_of_detected_events_only(kind):
    model = classifier(kind, stride=10).train()
    x = padded_windows()

    middle = model.predict_events(x, lengths=LENGTHS)["event_probs"].median().item()
    found = model.predict_events(x, threshold=middle, lengths=LENGTHS)

    assert {name: values.shape for name, values in found.items()} == {
        "detected_events": (B, K),
        "event_timings": (B, K),
        "event_probs": (B, K),
    }
    detected = found["detected_events"] == 1
    torch.testing.assert_close(detected, found["event_probs"] >= middle)
    assert detected.sum() == 5
    assert (found["event_timings"][~detected] == 0).all()
    assert (found["event_timings"] < LENGTHS[:, None]).all()
    assert model.training, "the mode is not changed"


class FixedLogits(LSTMEventClassifier):
    """Returns given logits."""

    def __init__(self, event_logits, timing_logits, **options):
        super().__init__(
            C, hidden_size=4, num_layers=1, num_events=event_logits.shape[1], **options
        )
        self.logits = event_logits, timing_logits

    def forward(self, x, lengths=None):
        return self.logits


def test_the_predicted_time_is_the_mode_refined_over_the_resolution():
    bell = -0.5 * ((torch.arange(100)[None, :, None] - 61.7) / 5) ** 2
    bell[0, 20] = -0.5  # another, lower peak that a mean would be pulled to
    model = FixedLogits(torch.ones(1, 1), bell, timing_resolution_samples=10)

    time = model.predict_events(torch.zeros(1, 100, C))["event_timings"]

    assert time.item() == pytest.approx(61.7, abs=1e-3)


def test_the_refractory_period_holds_across_the_windows_of_a_recording():
    timing = torch.full((4, 30, 2), -20.0)
    timing[:, 10] = 0.0
    event = torch.tensor([[1.0, 3.0], [2.0, 2.0], [1.5, -1.0], [0.5, 1.0]])
    model = FixedLogits(event, timing, refractory_period_samples=50)
    x, starts = torch.zeros(4, 30, C), torch.tensor([0, 30, 60, 90])

    held = model.predict_events(x, starts=starts)
    free = model.predict_events(x, starts=starts, apply_refractory=False)
    apart = model.predict_events(x)

    # Type 0: window 1 is the most probable and drops 0 and 2. Type 1: window 0 drops 1;
    # window 2 has none; window 3 is 90 samples after 0, so it stays.
    assert held["detected_events"].tolist() == [[0, 1], [1, 0], [0, 0], [1, 1]]
    assert free["detected_events"].tolist() == [[1, 1], [1, 1], [1, 0], [1, 1]]
    assert torch.equal(apart["detected_events"], free["detected_events"])
    assert (held["event_timings"][held["detected_events"] == 0] == 0).all()


@pytest.mark.parametrize("lengths", [None, LENGTHS])
@pytest.mark.parametrize("kind", [LSTMEventClassifier, EventSpecificClassifier])
def test_every_parameter_of_a_classifier_learns(kind, lengths):
    model = kind(C, hidden_size=4, num_layers=2, num_events=K, stride=5)

    outputs = model(padded_windows(), lengths)
    sum((part * torch.randn_like(part)).sum() for part in outputs).backward()

    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize(
    ("stride", "expected"), [(1, (11, 21, 41)), (5, (11, 5, 9)), (10, (11, 3, 5)), (20, (21, 1, 3))]
)
def test_filters_of_a_classifier_span_the_same_time_at_any_stride(stride, expected):
    cnn = EventSpecificClassifier(hidden_size=4, num_layers=1, stride=stride).encoder.event_cnn

    assert tuple(convolution.kernel_size[0] for convolution in cnn.convolutions) == expected
    assert cnn.strides == (stride, 1, 1)
