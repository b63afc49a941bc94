"""Reconstruction of hidden samples."""

import pytest
import torch
from torch import Tensor

from seqbench.pretraining.augmentations import spans
from seqbench.pretraining.masked import MaskedObjective

T, C = 24, 2


@pytest.fixture
def make(copy_encoder):
    return lambda stride=1: MaskedObjective(
        copy_encoder(stride=stride), C, mask_fraction=0.4, span_samples=3
    ).eval()


@pytest.fixture
def objective(make):
    return make()


def hidden_of(objective: MaskedObjective, x: Tensor) -> Tensor:
    """Return the samples that the next loss hides, (B, T)."""
    state = objective.generator(x).get_state()
    taken = spans(x, objective.mask_fraction, objective.span_samples, objective.generator(x))
    objective.generator(x).set_state(state)
    return taken


def test_the_loss_of_a_prediction_of_zero_is_the_mean_square_of_hidden_samples(
    objective, windows, lengths, inside, make_constant
):
    make_constant(objective.decoder.to_samples)
    is_hidden = hidden_of(objective, windows) & inside

    loss = objective.loss(windows, lengths)

    assert is_hidden.any()
    torch.testing.assert_close(loss, windows[is_hidden].square().mean())


def test_only_hidden_samples_count(objective, windows, lengths, inside, make_constant):
    make_constant(objective.decoder.to_samples, 0.5)
    is_hidden = hidden_of(objective, windows)
    is_seen = (inside & ~is_hidden)[..., None]

    loss = objective.loss(windows, lengths)
    of_other_seen = objective.eval().loss(windows + 100 * is_seen, lengths)
    others = windows + 100 * (is_hidden & inside)[..., None]
    of_other_hidden = objective.eval().loss(others, lengths)

    assert is_seen.any()
    assert torch.equal(of_other_seen, loss)
    assert of_other_hidden > loss + 100


def test_the_loss_without_hidden_samples_is_zero(objective, windows, lengths):
    objective.mask_fraction = 0.0

    assert objective.loss(windows, lengths).item() == 0
    assert objective.watch(windows, lengths)["error_over_mean"] == 0


def test_the_encoder_sees_a_learned_value_where_samples_are_hidden(
    objective, windows, lengths, inside
):
    value = torch.tensor([7.0, -7.0])
    objective.hidden_value.data.copy_(value)
    is_hidden = hidden_of(objective, windows) & inside

    objective.loss(windows, lengths)

    seen = objective.encoder.seen
    assert (seen[is_hidden] == value).all()
    assert torch.equal(seen[~is_hidden], windows[~is_hidden])


def test_the_mean_of_seen_samples_has_an_error_over_mean_of_one(objective, noise, make_constant):
    x = noise(40, T, C) + 3
    mean = x[~hidden_of(objective, x)].mean(dim=0)
    make_constant(objective.decoder.to_samples, mean.tolist())

    assert objective.watch(x, None)["error_over_mean"].item() == pytest.approx(1, rel=1e-5)
