"""What every registered architecture of video promises, images being videos of one frame."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from seqbench.config.registry import ARCHITECTURES
from seqbench.models.base import Encoder
from seqbench.models.embedding import build_encoder
from seqbench.tasks.classification.head import ClassificationHead
from seqbench.training.finetune import Finetuning, Model
from seqbench.training.state import state_arrays

# Small legal options of each name; a name without an entry fails.
TINY = {
    "cnn2d": {"widths": (4, 6), "kernel_sizes": (5, 3), "hidden_size": 8, "dropout": 0.0},
    "cnn_lstm_2d": {"widths": (4,), "kernel_sizes": (3,), "hidden_size": 6, "dropout": 0.0},
    "conv_lstm": {"patch_size": 4, "widths": (3, 2)},
    "softmax": {},
}
B, T, FRAME, K = 4, 7, (2, 9, 6), 3
LENGTHS = torch.tensor([7, 2, 5, 1])
NAMES = [name for name in ARCHITECTURES if "video" in ARCHITECTURES.entry(name).tags["accepts"]]


def build(name: str, **options: object) -> Encoder:
    torch.manual_seed(0)
    return build_encoder(name, TINY[name] | options, FRAME[0], sample="video", frame_size=FRAME[1:])


def padded_videos(n_frames: int = T, lengths: Tensor = LENGTHS) -> Tensor:
    """Noise, zero after each end; the videos are the same whatever `n_frames` is."""
    generator = torch.Generator().manual_seed(5)
    x = torch.zeros(len(lengths), n_frames, *FRAME)
    for row, length in enumerate(lengths.tolist()):
        x[row, :length] = torch.randn(length, *FRAME, generator=generator)
    return x


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture
def encoder(name):
    encoder = build(name)
    encoder.train()(padded_videos(), LENGTHS)  # statistics become more than their start
    return encoder


def test_options_are_the_keyword_only_parameters(name, assert_options_are_the_signature):
    assert_options_are_the_signature(ARCHITECTURES, name)


def test_defaults_as_they_come_from_json_build_it(name):
    options = ARCHITECTURES.entry(name).options().model_dump(mode="json")
    encoder = build_encoder(name, options, 1, sample="video", frame_size=[28, 28])

    assert encoder(torch.randn(2, 1, 1, 28, 28)).isfinite().all()


@pytest.mark.parametrize("n_frames", [1, 2, 7])
def test_frames_have_the_promised_shape(encoder, n_frames):
    frames = encoder.eval()(torch.randn(B, n_frames, *FRAME))

    assert frames.shape == (B, math.ceil(n_frames / encoder.stride), encoder.n_features)


@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_gradient_reaches_every_parameter(encoder, lengths):
    head = nn.Linear(encoder.n_features, K)
    frames = head(encoder.train()(padded_videos(), lengths))
    torch.manual_seed(1)

    (frames * torch.randn_like(frames)).sum().backward()

    for name, parameter in encoder.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().sum() > 0, name


def test_videos_of_a_batch_do_not_mix_at_evaluation(encoder):
    x = padded_videos()

    frames = encoder.eval()(x, LENGTHS)

    for row, length in enumerate(LENGTHS.tolist()):
        alone = encoder(x[row : row + 1, :length])[0]
        torch.testing.assert_close(frames[row, : len(alone)], alone, rtol=1e-4, atol=1e-5)
        assert (frames[row, len(alone) :] == 0).all()


@pytest.mark.parametrize("training", [False, True])
def test_more_padding_changes_nothing(name, training):
    found = []
    for n_frames in (T, T + 3):
        encoder = build(name).train(training)
        frames = encoder(padded_videos(n_frames), LENGTHS)
        found.append((frames[:, :T], encoder.state_dict()))

    torch.testing.assert_close(found[0], found[1], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("training", [False, True])
def test_stating_that_all_lengths_are_full_changes_nothing(name, training):
    x = torch.randn(B, T, *FRAME, generator=torch.Generator().manual_seed(2))
    found = []
    for lengths in (None, torch.full((B,), T)):
        encoder = build(name).train(training)
        found.append((encoder(x, lengths), encoder.state_dict()))

    torch.testing.assert_close(found[0], found[1], rtol=1e-4, atol=1e-5)


def test_the_input_is_left_as_it_was(encoder):
    x = padded_videos()
    before = x.clone()

    encoder.train()(x, LENGTHS)
    encoder.eval()(x, LENGTHS)

    assert torch.equal(x, before)


def test_weights_survive_a_file(encoder, name, through_a_file):
    again = build(name)
    arrays = through_a_file(state_arrays(encoder))
    again.load_state_dict({key: torch.from_numpy(array) for key, array in arrays.items()})

    assert torch.equal(
        again.eval()(padded_videos(), LENGTHS), encoder.eval()(padded_videos(), LENGTHS)
    )


@pytest.mark.parametrize("pooling", ["last", "mean", "attention"])
def test_every_pooling_is_blind_to_padding_and_to_other_videos(name, pooling):
    encoder = build(name, pooling=pooling)
    model = Model(encoder, ClassificationHead(encoder, K, dropout=0.0)).eval()
    x = padded_videos()

    logits = model(x, LENGTHS)

    assert logits.shape == (B, K)
    for row, length in enumerate(LENGTHS.tolist()):
        alone = model(x[row : row + 1, :length])
        torch.testing.assert_close(logits[row : row + 1], alone, rtol=1e-4, atol=1e-5)


def test_one_batch_can_be_overfitted(name):
    encoder = build(name)
    model = Model(encoder, ClassificationHead(encoder, K, dropout=0.0)).train()
    x, target = padded_videos(), torch.tensor([0, 1, 2, 1])
    optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
    for _ in range(80):
        optimizer.zero_grad()
        loss = model.head.loss(model(x, LENGTHS), target)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    assert loss.item() < 0.1 < math.log(K)


def test_training_goes_on_after_an_interruption_as_if_there_had_been_none(
    name, make_windows, assert_an_interruption_leaves_no_trace
):
    chance = {"dropout": 0.2}
    known = ARCHITECTURES.entry(name).options.model_fields
    options = {key: value for key, value in chance.items() if key in known}
    brightness = np.random.default_rng(0).random(FRAME[1:], dtype=np.float32)
    windows = {
        part: replace(one, sample="video", signal=one.signal[:, :, None, None] * brightness)
        for part, one in make_windows(lengths=(4, 6), noise=0.5).items()
    }

    def model() -> Finetuning:
        encoder = build_encoder(
            name, TINY[name] | options, FRAME[0], sample="video", frame_size=FRAME[1:]
        )
        head = ClassificationHead(encoder, 2, dropout=0.2)
        return Finetuning(Model(encoder, head), frozen=False, weight=None)

    assert_an_interruption_leaves_no_trace(model, loss_name="val_loss", windows=windows)
