"""Losses of detection against values by hand."""

import math

import pytest
import torch

from seqbench.tasks.detection.losses import (
    presence_loss,
    refractory_penalty,
    template_alignment,
)

B, F, K = 3, 40, 2


def logit(probability: float) -> float:
    return math.log(probability / (1 - probability))


def column(values: list[float]) -> torch.Tensor:
    """One window of one type, (1, F, 1)."""
    return torch.tensor(values)[None, :, None]


# Presence.


@pytest.mark.parametrize("shape", [(B, F, K), (B, K)])
def test_cross_entropy_of_presence_is_log_2_at_chance(shape):
    target = torch.rand(shape)

    assert presence_loss(torch.zeros(shape), target).item() == pytest.approx(math.log(2))


def test_focal_presence_at_chance_counts_every_entry_by_its_target():
    target = column([0.0, 0.5, 1.0, 0.0, 1.0])

    loss = presence_loss(torch.zeros(1, 5, 1), target, kind="focal")

    quarter = math.log(2) / 4
    assert loss.item() == pytest.approx(quarter * (2 * 1 + 2 * 1 + 0.5**4) / 2)


def test_focal_presence_is_what_its_equation_gives():
    target = column([1.0, 0.2])
    logits = column([logit(0.9), logit(0.3)])

    loss = presence_loss(logits, target, kind="focal")

    event = 0.1**2 * math.log(0.9)
    other = 0.8**4 * 0.3**2 * math.log(0.7)
    assert loss.item() == pytest.approx(-(event + other), rel=1e-5)


@pytest.mark.parametrize("kind", ["bce", "focal"])
def test_presence_counts_what_the_mask_lets_through(kind):
    torch.manual_seed(0)
    logits, target = torch.randn(B, F, K), torch.rand(B, F, K).round()
    mask = (torch.arange(F) < 25)[None, :, None].expand(B, F, 1)

    masked = presence_loss(logits, target, mask, kind=kind)

    cut = presence_loss(logits[:, :25], target[:, :25], kind=kind)
    torch.testing.assert_close(masked, cut)


@pytest.mark.parametrize("kind", ["bce", "focal"])
def test_presence_of_a_type_without_weight_does_not_count(kind):
    torch.manual_seed(0)
    logits, target = torch.randn(B, F, K), torch.rand(B, F, K).round()

    weighted = presence_loss(logits, target, kind=kind, weight=torch.tensor([1.0, 0.0]))

    alone = presence_loss(logits[..., :1], target[..., :1], kind=kind)
    torch.testing.assert_close(weighted, alone)


def test_mean_presence_is_taken_over_weights():
    logits, target = torch.tensor([[logit(0.8), logit(0.4)]]), torch.tensor([[1.0, 1.0]])

    loss = presence_loss(logits, target, weight=torch.tensor([3.0, 1.0]))

    assert loss.item() == pytest.approx(-(3 * math.log(0.8) + math.log(0.4)) / 4, rel=1e-5)


def test_an_unknown_kind_of_presence_is_named():
    with pytest.raises(ValueError, match="'hinge'; known are bce, focal"):
        presence_loss(torch.zeros(1, 1), torch.zeros(1, 1), kind="hinge")


@pytest.mark.parametrize("kind", ["bce", "focal"])
def test_presence_is_finite_for_certain_wrong_logits_and_empty_masks(kind):
    logits = column([1e4, -1e4]).requires_grad_()
    target = column([0.0, 1.0])

    loss = presence_loss(logits, target, kind=kind) + presence_loss(
        logits, target, torch.zeros(1, 2, 1), kind=kind
    )
    loss.backward()

    assert loss.isfinite()
    assert logits.grad.isfinite().all()


# Templates.


def test_alignment_is_the_mean_square_of_what_is_counted():
    scores, target = column([0.5, -0.5, 1.0]), column([1.0, 0.0, 0.0])

    assert template_alignment(scores, target).item() == pytest.approx((0.25 + 0.25 + 1) / 3)
    mask = torch.tensor([True, True, False])[None, :, None]
    assert template_alignment(scores, target, mask).item() == pytest.approx(0.25)


# The refractory period.


def penalty_by_hand(probabilities: torch.Tensor, period: int, peak: int) -> float:
    p = probabilities.double()
    pairs = [
        (p[:, i] * p[:, j]).square()
        for j in range(p.shape[1])
        for i in range(j)
        if peak < j - i < period
    ]
    return float(torch.stack(pairs).sum(dim=0).mean())


@pytest.mark.parametrize(("period", "peak"), [(12, 2), (5, 0), (100, 3)])
def test_penalty_is_the_sum_over_all_pairs_too_close(period, peak):
    torch.manual_seed(0)
    p = torch.rand(B, F, K)

    penalty = refractory_penalty(p, period, peak_frames=peak)

    assert penalty.item() == pytest.approx(penalty_by_hand(p, period, peak), rel=1e-5)


def test_a_long_period_over_many_frames_costs_no_more_than_the_frames():
    p = torch.full((1, 200_000, 1), 0.1)  # the 1e10 pairs would take minutes and 40 GB

    assert refractory_penalty(p, 100_000).item() > 0
