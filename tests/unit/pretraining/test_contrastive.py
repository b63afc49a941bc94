"""Contrast of windows against values by hand."""

import math

import pytest
import torch

from seqbench.pretraining.contrastive import ContrastiveObjective, nt_xent

C = 2


@pytest.mark.parametrize("n_windows", [1, 2, 7])
@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_chance_is_the_logarithm_of_the_number_of_other_views(n_windows, temperature):
    same = torch.tensor([[0.6, 0.8]]).expand(n_windows, 2)

    loss = nt_xent(same, same, temperature)

    assert loss.shape == ()
    assert loss.item() == pytest.approx(math.log(2 * n_windows - 1), abs=1e-5)


def test_the_loss_of_two_windows_is_that_by_hand():
    first = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    second = torch.tensor([[0.0, 1.0], [0.0, 1.0]])

    loss = nt_xent(first, second, temperature=0.5)

    # The first view of the first window is at right angles to the three others, which are
    # equal. Cosines over 0.5 are 0 or 2.
    first_of_first = math.log(3)  # partner 0 among 0, 0, 0
    second_of_first = math.log(1 + 2 * math.exp(2)) - 0  # partner 0 among 0, 2, 2
    of_second = math.log(1 + 2 * math.exp(2)) - 2  # twice: partner 2 among 0, 2, 2
    assert loss.item() == pytest.approx((first_of_first + second_of_first + 2 * of_second) / 4)


def test_without_augmentation_both_views_are_the_same(copy_encoder, windows, lengths):
    objective = ContrastiveObjective(copy_encoder(), C, augmentations=(), projection_size=8)

    watched = objective.eval().watch(windows, lengths)

    assert watched["alignment"].item() == pytest.approx(0, abs=1e-10)
    assert watched["uniformity"] < 0


def test_views_are_two_different_draws_of_the_same_window(copy_encoder, windows, lengths, inside):
    objective = ContrastiveObjective(copy_encoder(), C, augmentations=("jitter",))

    objective.loss(windows, lengths)

    views = objective.encoder.seen.chunk(2)
    assert torch.equal(objective.encoder.seen_lengths, lengths.repeat(2))
    assert not torch.equal(*views)
    for view in views:
        assert (view - windows)[inside].std().item() == pytest.approx(0.2, rel=0.2)
