"""The contract of every registered pretraining objective, for every kind of encoder."""

import pytest
import torch
from torch import Tensor, nn

from fixtures import encoders
from seqbench.config.registry import ARCHITECTURES, OBJECTIVES
from seqbench.pretraining.base import Objective
from seqbench.training.pretrain import Pretraining

# Small legal options of each name; a name without an entry fails.
TINY = {
    "autoencoder": {"latent_size": 4, "compression_samples": 5, "decoder_size": 8},
    "contrastive": {"projection_size": 8},
    "cross_channel": {"decoder_size": 8},
    "masked": {"mask_fraction": 0.5, "span_samples": 3, "decoder_size": 8},
    "timestamp_contrastive": {"projection_size": 8, "n_frames": 5},
    "vae": {"latent_size": 4, "compression_samples": 5, "decoder_size": 8, "warmup_steps": 0},
}
CHANGES = {
    "cnn1d": {"widths": (8, 6), "strides": (2, 1)},
    "event_rnn": {},
    "event_specific": {"n_templates": 2, "strides": (2, 1)},
    "event_unet": {"widths": (6, 6, 8)},
    "lstm": {"n_layers": 1},
    "lstm_event": {},
    "transformer": {"stride": 1},
}
ENCODERS = {name: encoders.TINY[name] | changes for name, changes in CHANGES.items()}
T, C = 24, 2
LENGTHS = torch.tensor([24, 9, 17, 1, 24, 12])


def padded_windows(n_samples: int = T) -> Tensor:
    """Sines of several frequencies, zero after each end."""
    x = torch.zeros(len(LENGTHS), n_samples, C)
    for row, length in enumerate(LENGTHS.tolist()):
        phase = torch.arange(length) * (0.3 + 0.1 * row)
        x[row, :length] = torch.stack([phase.sin(), phase.cos()], dim=1)
    return x


def build(name: str, architecture: str) -> Objective:
    torch.manual_seed(0)
    encoder = ARCHITECTURES[architecture](C, **ENCODERS[architecture])
    return OBJECTIVES[name](encoder, C, **TINY[name])


def loss_of(objective: Objective, x: Tensor, lengths: Tensor | None) -> Tensor:
    """Return the loss with fixed random numbers in encoder and objective."""
    torch.manual_seed(7)
    objective.generator(x).manual_seed(7)
    return objective.loss(objective.prepare(x, lengths), lengths)


@pytest.fixture(params=list(OBJECTIVES))
def name(request):
    return request.param


@pytest.fixture(params=list(ENCODERS))
def objective(name, request):
    return build(name, request.param)


@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_loss_is_finite_and_its_gradient_reaches_every_parameter_of_the_encoder(objective, lengths):
    x = padded_windows()
    before = x.clone()

    loss = loss_of(objective.train(), x, lengths)
    loss.backward()

    assert loss.shape == ()
    assert loss.isfinite()
    assert torch.equal(x, before), "the input is not changed"
    for name, parameter in objective.encoder.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().sum() > 0, name


def test_loss_falls_when_one_batch_is_trained_on(objective):
    x = padded_windows()
    optimizer = torch.optim.Adam(objective.train().parameters(), lr=0.01)
    before = float(loss_of(objective, x, LENGTHS).detach())

    loss, n_steps = loss_of(objective, x, LENGTHS), 0
    while loss >= 0.8 * before and n_steps < 40:
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(objective.parameters(), 1.0)
        optimizer.step()
        loss, n_steps = loss_of(objective, x, LENGTHS), n_steps + 1

    assert loss < 0.8 * before


@pytest.mark.parametrize("training", [False, True])
def test_more_padding_does_not_change_the_loss(objective, training):
    objective.train(training)

    short = loss_of(objective, padded_windows(), LENGTHS)
    long = loss_of(objective, padded_windows(T + 13), LENGTHS)

    torch.testing.assert_close(short, long, rtol=1e-5, atol=1e-6)


def test_full_lengths_do_not_change_the_loss(objective):
    x = torch.randn(4, T, C, generator=torch.Generator().manual_seed(3))

    without = loss_of(objective.train(), x, None)
    stated = loss_of(objective, x, torch.full((4,), T))

    torch.testing.assert_close(without, stated, rtol=1e-4, atol=1e-5)


def test_an_interrupted_training_resumes_as_if_never_interrupted(
    name, assert_an_interruption_leaves_no_trace
):
    options = TINY[name] | ({"warmup_steps": 6} if name == "vae" else {})

    def build() -> Pretraining:
        encoder = ARCHITECTURES["event_rnn"](
            C, **ENCODERS["event_rnn"] | {"dropout": 0.2, "jitter": 0.1}
        )
        return Pretraining(OBJECTIVES[name](encoder, C, **options))

    assert_an_interruption_leaves_no_trace(build, loss_name="monitor_loss")
