"""Autoencoders: latent vectors, reconstruction, padding and noise."""

import pytest
import torch

from seqbench.pretraining.autoencoder import AutoencoderObjective, VaeObjective
from seqbench.pretraining.base import Objective

C = 2
KINDS = pytest.mark.parametrize("kind", [AutoencoderObjective, VaeObjective])
BOTTLENECKS = pytest.mark.parametrize("bottleneck", ["temporal", "window"])
STRIDES = pytest.mark.parametrize("stride", [1, 3])


@pytest.fixture
def make(copy_encoder):
    def make(kind: type = AutoencoderObjective, stride: int = 1, **options) -> Objective:
        defaults = {"latent_size": 2, "compression_samples": 5, "decoder_size": 6}
        return kind(copy_encoder(stride=stride), C, **defaults | options).eval()

    return make


@pytest.mark.parametrize("n_samples", [1, 4, 5, 6, 24])
@BOTTLENECKS
@STRIDES
@KINDS
def test_windows_of_any_length_are_reconstructed(make, noise, kind, stride, bottleneck, n_samples):
    objective = make(kind, stride, bottleneck=bottleneck)
    x = noise(3, n_samples, C)

    n_latent = 1 if bottleneck == "window" else -(-n_samples // objective.samples_per_latent)
    assert objective.latent(x).shape == (3, n_latent, 2)
    assert objective.reconstruct(x).shape == x.shape


@STRIDES
def test_a_latent_vector_is_that_of_the_mean_of_its_frames(make, windows, lengths, stride):
    objective = make(stride=stride)
    step = objective.frames_per_latent
    frames = objective.encoder.encode(windows, lengths)

    latent = objective.latent(windows, lengths)

    for row, n_frames in enumerate(objective.encoder.frame_lengths(lengths).tolist()):
        means = [part.mean(dim=0) for part in frames[row, :n_frames].split(step)]
        expected = objective.to_latent(torch.stack(means))
        torch.testing.assert_close(latent[row, : len(means)], expected, rtol=1e-4, atol=1e-5)
        assert (latent[row, len(means) :] == 0).all()


def test_the_latent_vector_of_a_window_is_that_of_the_mean_of_its_frames(make, windows, lengths):
    objective = make(bottleneck="window")

    latent = objective.latent(windows, lengths)

    mean = windows.sum(dim=1) / lengths[:, None]
    torch.testing.assert_close(latent[:, 0], objective.to_latent(mean))


@BOTTLENECKS
def test_a_window_has_the_same_latent_vectors_alone_and_in_a_batch(
    make, windows, lengths, bottleneck
):
    objective = make(bottleneck=bottleneck)

    latent = objective.latent(windows, lengths)
    rebuilt = objective.reconstruct(windows, lengths)

    for row, length in enumerate(lengths.tolist()):
        alone = windows[row : row + 1, :length]
        of_alone = objective.latent(alone)[0]
        torch.testing.assert_close(latent[row, : len(of_alone)], of_alone, rtol=1e-4, atol=1e-5)
        if bottleneck == "window":  # with the other, neighbours past an end are not zero
            expected = objective.reconstruct(alone)[0]
            torch.testing.assert_close(rebuilt[row, :length], expected, rtol=1e-4, atol=1e-5)


@BOTTLENECKS
@KINDS
def test_gradient_reaches_every_parameter_of_either_bottleneck(
    make, windows, lengths, kind, bottleneck
):
    objective = make(kind, bottleneck=bottleneck).train()

    objective.loss(windows, lengths).backward()

    for name, parameter in objective.named_parameters():
        if name != "unfold.bias_hh_l0":  # twin of another bias
            assert parameter.grad is not None, name
            assert parameter.grad.abs().sum() > 0, name


def test_the_loss_is_the_mean_over_samples_inside_windows_and_channels(make, make_constant):
    objective = make()
    make_constant(objective.to_samples, 2.0)
    x = torch.zeros(2, 4, C)
    x[0, :1] = 5.0  # errors: 3 once, then -2 at all samples up to the end

    loss = objective.loss(x, torch.tensor([4, 2]))

    assert loss.item() == pytest.approx((1 * 9 + 3 * 4 + 2 * 4) / 6)


def test_noise_is_added_to_the_input_in_training_but_not_to_the_target(
    make, windows, lengths, inside, make_constant
):
    objective = make(noise=0.5).train()
    make_constant(objective.to_samples)

    loss = objective.loss(windows, lengths)

    torch.testing.assert_close(loss, windows[inside].square().mean())
    added = objective.encoder.seen - windows
    assert added[inside].std().item() == pytest.approx(0.5, rel=0.2)
    assert (added[~inside] == 0).all()


@pytest.mark.parametrize(("noise_level", "training"), [(0.5, False), (0.0, True)])
def test_no_noise_is_added_in_evaluation_or_at_level_0(
    make, windows, lengths, noise_level, training
):
    objective = make(noise=noise_level).train(training)

    objective.loss(windows, lengths)

    assert torch.equal(objective.encoder.seen, windows)


@KINDS
def test_the_mean_of_the_batch_has_an_error_over_mean_of_one(
    make, windows, any_lengths, inside, make_constant, kind
):
    objective = make(kind, compression_samples=1)
    samples = windows.flatten(0, 1) if any_lengths is None else windows[inside]
    make_constant(objective.to_samples, samples.mean(dim=0).tolist())

    watched = objective.watch(windows, any_lengths)

    assert watched["error_over_mean"].item() == pytest.approx(1, rel=1e-5)
