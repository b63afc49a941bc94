"""Reconstruction of hidden channels."""

import pytest
import torch

from seqbench.errors import UserError
from seqbench.pretraining.cross_channel import CrossChannelObjective, whitened

T, C = 24, 2


@pytest.fixture
def make(copy_encoder):
    def make(n_channels: int = C, *, whiten: bool = True) -> CrossChannelObjective:
        encoder = copy_encoder(n_channels)
        return CrossChannelObjective(encoder, n_channels, whiten=whiten).eval()

    return make


def test_some_channels_are_hidden_and_some_are_seen(make, noise):
    objective = make(4)

    objective.loss(noise(500, 3, 4), None)

    is_seen = (objective.encoder.seen != 0).float()
    assert torch.equal(is_seen.amin(dim=1), is_seen.amax(dim=1)), "at all samples alike"
    assert set(is_seen[:, 0].sum(dim=1).tolist()) == {1.0, 2.0, 3.0}
    torch.testing.assert_close(is_seen.mean(dim=(0, 1)), torch.full((4,), 0.5), atol=0.06, rtol=0)


@pytest.mark.parametrize("whiten", [True, False])
def test_a_prediction_of_zero_has_a_loss_of_one(
    make, whiten, noise, windows, any_lengths, make_constant
):
    objective = make(whiten=whiten)
    make_constant(objective.decoder.to_samples)
    x = noise(6, T, C) if any_lengths is None else windows

    assert objective.loss(x, any_lengths).item() == pytest.approx(1)
    watched = objective.train().eval().watch(x, any_lengths)
    assert watched["error_over_mean"].item() == pytest.approx(1)


def test_the_loss_of_a_constant_prediction_is_that_by_hand(make, make_constant):
    objective = make(whiten=False)
    make_constant(objective.decoder.to_samples, [1.0, 1.0])
    x = torch.tensor([[[2.0, 3.0], [1.0, 1.0], [0.0, 0.0]]])

    loss = objective.loss(x, torch.tensor([2]))

    # Of two channels one is hidden: (2, 1) or (3, 1), predicted as 1.
    first, second = (1 + 0) / (4 + 1), (4 + 0) / (9 + 1)
    hidden = int((objective.encoder.seen[0, 0] == 0).nonzero())
    assert loss.item() == pytest.approx([first, second][hidden])


def test_whitening_subtracts_the_prediction_from_the_sample_before():
    slow = torch.tensor([1.0, 2.0, 4.0, 8.0])
    x = torch.zeros(2, 6, 2)
    x[0, :4, 0] = slow  # every sample is twice the one before
    x[1, :2, 0] = slow[:2]
    x[:, 0, 1] = 5.0  # a first sample has no prediction

    white = whitened(x, torch.tensor([4, 2]))

    assert torch.equal(white, torch.zeros(2, 6, 2))


def test_a_single_channel_is_refused(make):
    with pytest.raises(UserError, match=r"'cross_channel' .* a single one; leave its arms out"):
        make(1)
