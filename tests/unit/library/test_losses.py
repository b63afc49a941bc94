"""Losses of the event classifiers against values by hand."""

import math

import pytest
import torch

from seqbench.library.training import EventSpecificLoss, EventTimingLoss
from seqbench.library.training.losses import (
    gaussian_target,
    timing_ambiguity,
    timing_divergence,
)

B, F, K = 3, 40, 2


def test_a_bell_is_one_at_its_event_and_zero_for_an_absent_type():
    time = torch.tensor([[4.0, math.nan]])
    present = torch.tensor([[1.0, 0.0]])

    bell = gaussian_target(time, present, 10, sigma=2.0)

    expected = [math.exp(-0.5 * ((step - 4) / 2) ** 2) for step in range(10)]
    torch.testing.assert_close(bell[0, :, 0], torch.tensor(expected))
    assert (bell[0, :, 1] == 0).all()


def test_a_softmax_equal_to_the_bell_has_loss_zero():
    time, sigma = torch.tensor([[17.3]]), 1.5
    logits = -0.5 * ((torch.arange(F)[None, :, None] - time[:, None]) / sigma) ** 2

    loss = timing_divergence(logits, time, torch.ones(1, 1), sigma=sigma)

    assert loss.item() == pytest.approx(0, abs=1e-6)


def test_divergence_at_chance_is_as_stated():
    sigma, steps = 3.0, 400

    loss = timing_divergence(
        torch.zeros(1, steps, 1), torch.full((1, 1), 200.0), torch.ones(1, 1), sigma=sigma
    )

    expected = math.log(steps) - math.log(sigma * math.sqrt(2 * math.pi * math.e))
    assert loss.item() == pytest.approx(expected, abs=1e-4)


def test_windows_without_events_have_timing_loss_zero():
    logits = torch.randn(B, F, K, requires_grad=True)
    time, present = torch.full((B, K), math.nan), torch.zeros(B, K)

    cost = timing_divergence(logits, time, present, sigma=1.0)
    cost.backward()

    assert cost.item() == 0
    assert (logits.grad == 0).all()


def test_a_bell_narrower_than_a_frame_still_has_a_divergence():
    loss = timing_divergence(
        torch.zeros(1, F, 1), torch.tensor([[7.0]]), torch.ones(1, 1), sigma=0.01
    )

    assert loss.item() == pytest.approx(math.log(F))


def test_a_softmax_with_two_peaks_too_close_is_ambiguous():
    timing = torch.full((1, F, 1), -1e4)
    timing[0, [3, 20], 0] = 0
    sure = torch.full((1, 1), 1e4)

    assert timing_ambiguity(sure, timing, 30, peak_frames=2).item() == pytest.approx(0.5)
    assert timing_ambiguity(sure, timing, 17, peak_frames=2).item() == 0
    assert timing_ambiguity(-sure, timing, 30, peak_frames=2).item() == 0


def test_ambiguity_at_chance_is_as_stated():
    found = timing_ambiguity(torch.zeros(B, K), torch.zeros(B, F, K), 1000, peak_frames=4)

    assert found.item() == pytest.approx(0.5 * (1 - 4 / F) * (1 - 5 / F), rel=1e-5)


@pytest.fixture
def batch():
    torch.manual_seed(0)
    return {
        "event_logits": torch.randn(B, K, requires_grad=True),
        "timing_logits": torch.randn(B, F, K, requires_grad=True),
        "template_scores": torch.rand(B, F, K, requires_grad=True),
        "event_labels": torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]),
        "event_timings": torch.tensor([[5.0, math.nan], [11.0, 30.0], [0.0, -1.0]]),
    }


def test_the_total_is_the_weighted_sum_of_the_terms(batch):
    criterion = EventSpecificLoss(
        event_weight=2.0, timing_weight=0.5, template_weight=3.0, refractory_weight=0.25
    )

    terms = criterion(**batch)

    expected = (
        2.0 * terms["event"]
        + 0.5 * terms["timing"]
        + 3.0 * terms["template"]
        + 0.25 * terms["refractory"]
    )
    assert list(terms) == ["total", "event", "timing", "refractory", "template"]
    assert all(term.shape == () and term.isfinite() for term in terms.values())
    torch.testing.assert_close(terms["total"], expected)


def test_every_output_of_the_model_has_a_gradient(batch):
    EventSpecificLoss()(**batch)["total"].backward()

    for name in ("event_logits", "timing_logits", "template_scores"):
        assert batch[name].grad.isfinite().all()
        assert batch[name].grad.abs().sum() > 0


def test_times_are_in_samples_whatever_the_stride():
    logits = torch.full((1, 20, 1), -50.0)
    logits[0, 7] = 0.0
    label, time = torch.ones(1, 1), torch.tensor([[70.0]])
    event = torch.zeros(1, 1)

    right = EventTimingLoss(stride=10, timing_sigma_samples=0.1)(event, logits, label, time)
    wrong = EventTimingLoss(stride=1, timing_sigma_samples=0.1)(event, logits, label, time)

    assert right["timing"].item() == pytest.approx(0, abs=1e-6)
    assert wrong["timing"].item() == pytest.approx(50, rel=1e-3)


def test_a_bell_without_width_is_refused():
    with pytest.raises(ValueError, match="timing_sigma_samples must be above 0, got 0"):
        EventTimingLoss(timing_sigma_samples=0)


def test_half_precision_outputs_give_losses_in_single(batch):
    for name in ("event_logits", "timing_logits", "template_scores"):
        batch[name] = batch[name].detach().bfloat16()

    assert {term.dtype for term in EventSpecificLoss()(**batch).values()} == {torch.float32}
