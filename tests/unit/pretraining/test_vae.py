"""Reconstruction from random latent vectors."""

import pytest
import torch
from torch import Tensor

from seqbench.pretraining.autoencoder import VaeObjective, kl_divergence, mean_squared

C = 2
ZEROS = torch.zeros(2, 10, C)  # two latent vectors in each window
UNEQUAL = torch.tensor([10, 3])  # three latent vectors, and 13 samples of two channels


@pytest.fixture
def make(copy_encoder):
    """Make an objective with two latent numbers for every 5 samples."""

    def make(**options) -> VaeObjective:
        defaults = {"latent_size": 2, "compression_samples": 5, "decoder_size": 6}
        return VaeObjective(copy_encoder(), C, **defaults | options)

    return make


@pytest.fixture
def constant(make, make_constant):
    """Make one with equal means and log-variances everywhere that predicts zero."""

    def constant(mean: float = 0.0, log_variance: float = 0.0, **options) -> VaeObjective:
        objective = make(**{"kl_weight": 0.5, "warmup_steps": 0, "free_nats": 0.0} | options)
        make_constant(objective.to_latent, [mean, mean, log_variance, log_variance])
        make_constant(objective.to_samples)
        return objective

    return constant


def test_the_divergence_is_that_of_torch(noise):
    mean, log_variance = noise(20, seed=1), noise(20, seed=2)
    normal = torch.distributions.Normal(mean, (0.5 * log_variance).exp())

    expected = torch.distributions.kl_divergence(normal, torch.distributions.Normal(0.0, 1.0))
    torch.testing.assert_close(kl_divergence(mean, log_variance), expected)


@pytest.mark.parametrize(
    ("bottleneck", "lengths", "expected"),
    [
        # Two latent numbers of 0.5 nats for each of two vectors; ten samples of two channels.
        ("temporal", None, 2 * 2 * 0.5 / (10 * 2)),
        ("temporal", UNEQUAL, 3 / 26),
        ("window", UNEQUAL, 2 / 26),
    ],
)
def test_the_divergence_is_a_mean_over_the_samples_inside_windows(
    constant, bottleneck, lengths, expected
):
    loss = constant(mean=1.0, bottleneck=bottleneck).eval().loss(ZEROS, lengths)

    assert loss.item() == pytest.approx(0.5 * expected)


def test_without_weight_the_loss_is_half_the_squared_error(make, windows, any_lengths):
    objective = make(kl_weight=0.0).eval()

    loss = objective.loss(windows, any_lengths)

    rebuilt = objective.reconstruct(windows, any_lengths)
    torch.testing.assert_close(loss, 0.5 * mean_squared(rebuilt, windows, any_lengths))


def test_the_weight_rises_over_the_first_training_steps_and_not_in_evaluation(constant):
    objective = constant(mean=1.0, warmup_steps=4)
    full = 0.5 * 2 / 20

    def losses(n: int) -> list[float]:
        return [objective.loss(ZEROS, None).item() for _ in range(n)]

    objective.eval()
    assert losses(3) == pytest.approx([full] * 3)
    objective.train()
    expected = [full / 4, full / 2, 3 * full / 4, full, full, full]
    assert losses(6) == pytest.approx(expected)


def test_free_nats_have_no_gradient_in_training_alone(constant):
    objective = constant(mean=1.0, free_nats=0.6)  # more than the 0.5 of each number

    def gradient() -> Tensor:
        objective.zero_grad()
        objective.loss(ZEROS, None).backward()
        return objective.to_latent.bias.grad

    objective.train()
    assert (gradient() == 0).all()
    objective.eval()
    # d/dm of 0.5 * (m^2 / 2) * 2 / 20 at m = 1, per latent number; none by the variance at 1
    assert gradient().tolist() == pytest.approx([0.05, 0.05, 0, 0])


def test_latent_vectors_are_drawn_in_training_alone(make, windows, lengths):
    objective = make(warmup_steps=0, free_nats=0.0)

    trained = [objective.train().loss(windows, lengths) for _ in range(2)]
    evaluated = [objective.eval().loss(windows, lengths) for _ in range(2)]

    assert not torch.equal(*trained)
    assert torch.equal(*evaluated)


@pytest.mark.parametrize("lengths", [None, UNEQUAL])
def test_units_with_divergence_are_active(constant, make_constant, lengths):
    objective = constant(free_nats=9.0)
    make_constant(objective.to_latent, [1.0, 0.0, 0.0, 0.0])

    watched = objective.eval().watch(ZEROS, lengths)

    assert watched["active_units"].item() == pytest.approx(0.5)
    assert watched["kl_per_unit"].item() == pytest.approx((0.5 + 0) / 2)


def test_extreme_variances_have_a_finite_loss(constant):
    assert constant(log_variance=200.0).train().loss(ZEROS, None).isfinite()
