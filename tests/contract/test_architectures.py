"""The contract of every registered architecture, with each kind of sample that it accepts.

An image is a video of one frame.
"""

import math
from dataclasses import replace
from typing import TypeVar

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from fixtures.encoders import TINY, give_templates
from fixtures.trainings import network_header
from seqbench.config.registry import ARCHITECTURES, TASKS
from seqbench.models.base import Encoder
from seqbench.models.embedding import build_encoder
from seqbench.tasks.classification.head import ClassificationHead
from seqbench.tasks.detection.target import EventTarget
from seqbench.training.model import Model
from seqbench.training.state import state_arrays
from seqbench.training.supervised import Finetuning

CASES = [
    (name, sample) for name in ARCHITECTURES for sample in ARCHITECTURES.entry(name).tags["accepts"]
]
B, T, C, K = 4, 23, 3, 3
N_TOKENS = 6
FRAME = (2, 9, 6)
LENGTHS = torch.tensor([23, 7, 16, 1])
LONG, LONG_LENGTHS = 64, torch.tensor([64, 21, 50, 33])
# Onset and type of the events of each long window, -1 where there are fewer, and what is known.
EVENTS = EventTarget(
    onset=torch.tensor([[9.0, 31.5, 60.0], [4, 20, 0], [25, 0, 0], [0, 0, 0]]),
    type=torch.tensor([[0, 1, 0], [2, 1, -1], [2, -1, -1], [-1, -1, -1]]),
    known=torch.tensor([[0, 64], [0, 21], [0, 40], [5, 33]]),
    duration=torch.tensor([[8.0, 50, torch.nan], [3, 20, 0], [torch.nan] * 3, [0, 0, 0]]),
)
M = TypeVar("M", bound=nn.Module)
of_series = pytest.mark.parametrize("case", [c for c in CASES if c[1] == "series"], ids="-".join)
both_modes = pytest.mark.parametrize("training", [False, True])


def build(case: tuple[str, str], seed: int = 0, **options: object) -> Encoder:
    name, sample = case
    torch.manual_seed(seed)
    if sample == "series":
        encoder = build_encoder(name, TINY[name] | options, C, sampling_rate_hz=100.0, n_types=K)
        give_templates(encoder)
        return encoder
    sizes = {
        "tokens": {"n_channels": N_TOKENS, "embedding_size": C},
        "video": {"n_channels": FRAME[0], "frame_size": FRAME[1:]},
    }[sample]
    return build_encoder(name, TINY[name] | options, sample=sample, **sizes)


@torch.no_grad()
def shaken(encoder: M) -> M:
    """Move weights and statistics away from zeros and ones, which could hide a leak."""
    for name, tensor in encoder.state_dict().items():
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 2)
        elif tensor.is_floating_point():
            tensor.add_(0.3 * torch.randn_like(tensor))
    give_templates(encoder)
    return encoder


def chance(name: str, **options: float) -> dict[str, float]:
    """Return those of the options that an architecture has."""
    known = ARCHITECTURES.entry(name).options.model_fields
    return {key: value for key, value in options.items() if key in known}


def classifier(encoder: Encoder) -> Model:
    return Model(encoder, ClassificationHead(encoder, K, dropout=0.0))


def detector(encoder: Encoder) -> Model:
    """Return the encoder with the head of detection, every term of its loss in use."""
    header = network_header(
        task="detection",
        classes=("a", "b", "c"),
        refractory_s=0.6,
        duration_samples=(12.0, 30.0, None),
    )
    model = Model(encoder, TASKS["detection"](durations=True).head(encoder, header))
    shaken(model.head)
    return model


def padded_windows(
    n_samples: int = T, lengths: torch.Tensor = LENGTHS, sample: str = "series"
) -> torch.Tensor:
    """Noise, or ids of tokens, zero after each end; the same whatever `n_samples` is."""
    generator = torch.Generator().manual_seed(5)
    shape = {"series": (C,), "tokens": (1,), "video": FRAME}[sample]
    x = torch.zeros(len(lengths), n_samples, *shape)
    for row, length in enumerate(lengths.tolist()):
        if sample == "tokens":  # those of id 0, as padding, are unknown
            x[row, :length] = torch.randint(N_TOKENS, (length, 1), generator=generator).float()
        else:
            x[row, :length] = torch.randn(length, *shape, generator=generator)
    return x


def trained(
    model: Model,
    x: torch.Tensor,
    lengths: torch.Tensor,
    target: torch.Tensor | EventTarget,
    *,
    enough: float,
    n_steps: int,
) -> list[float]:
    """Train on one batch until the loss is small enough; return the losses."""
    optimizer = torch.optim.Adam(model.train().parameters(), lr=0.03)
    losses: list[float] = []
    while len(losses) < n_steps and (not losses or losses[-1] >= enough):
        optimizer.zero_grad()
        loss = model.head.loss(model(x, lengths), target)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    return losses


def assert_gradient_reaches_all(module: nn.Module) -> None:
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().sum() > 0, name


def assert_alike_alone(model: nn.Module, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Hold each window of a batch against the window alone, and return the outputs of all."""
    together = model.eval()(x, lengths)
    for row, length in enumerate(lengths.tolist()):
        alone = model(x[row : row + 1, :length])[0]
        torch.testing.assert_close(together[row, : len(alone)], alone, rtol=1e-4, atol=1e-5)
    return together


@pytest.fixture(params=CASES, ids="-".join)
def case(request):
    return request.param


@pytest.fixture
def encoder(case):
    return shaken(build(case))


@pytest.fixture
def x(case):
    return padded_windows(sample=case[1])


def test_defaults_as_they_come_from_json_build_it(case):
    name, sample = case
    options = ARCHITECTURES.entry(name).options().model_dump(mode="json")
    size = {"frame_size": [28, 28]} if sample == "video" else {}
    size |= {"embedding_size": C} if sample == "tokens" else {}
    x = torch.ones(2, 16, *((1, 28, 28) if sample == "video" else (1,)))

    size |= {"sampling_rate_hz": 2000.0, "n_types": K} if sample == "series" else {}

    encoder = build_encoder(name, options, 2 if sample == "tokens" else 1, sample=sample, **size)

    assert encoder(x).isfinite().all()


def test_evaluation_is_deterministic(case, x):
    encoder = shaken(build(case, **chance(case[0], dropout=0.5, jitter=0.5))).eval()

    assert torch.equal(encoder(x, LENGTHS), encoder(x, LENGTHS))


@pytest.mark.parametrize("n_samples", [1, 2, 22, 23, 24])
def test_frames_have_the_promised_shape(case, encoder, n_samples):
    x = padded_windows(n_samples, torch.tensor([n_samples] * B), case[1])

    frames = encoder.eval()(x)

    assert frames.shape == (B, math.ceil(n_samples / encoder.stride), encoder.n_features)


def test_frames_are_counted_as_the_encoder_states(encoder, x):
    expected = [math.ceil(length / encoder.stride) for length in LENGTHS.tolist()]
    assert encoder.frame_lengths(LENGTHS).tolist() == expected
    assert encoder.frame_lengths(None) is None
    assert encoder.eval()(x, LENGTHS).shape[1] == max(expected)


@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_gradient_reaches_every_parameter(encoder, x, lengths):
    head = nn.Linear(encoder.n_features, K)  # else one of no parameters had nothing to descend
    outputs = head(encoder.train()(x, lengths))
    torch.manual_seed(1)

    (outputs * torch.randn_like(outputs)).sum().backward()

    assert_gradient_reaches_all(encoder)


def test_windows_of_a_batch_do_not_mix_at_evaluation(encoder, x):
    assert_alike_alone(encoder, x, LENGTHS)


@both_modes
def test_frames_past_the_end_of_a_window_are_zero(encoder, x, training):
    frames = encoder.train(training)(x, LENGTHS)

    for row, n_frames in enumerate(encoder.frame_lengths(LENGTHS).tolist()):
        assert (frames[row, n_frames:] == 0).all()


@both_modes
def test_more_padding_changes_nothing(case, training):
    found = []
    for n_samples in (T, T + 19):
        encoder = shaken(build(case)).train(training)
        frames = encoder(padded_windows(n_samples, sample=case[1]), LENGTHS)
        found.append((frames[:, : math.ceil(T / encoder.stride)], encoder.state_dict()))

    torch.testing.assert_close(found[0], found[1], rtol=1e-5, atol=1e-6)


@both_modes
def test_stating_that_all_lengths_are_full_changes_nothing(case, training):
    full = torch.full((B,), T)
    found = []
    for lengths in (None, full):
        encoder = shaken(build(case)).train(training)
        found.append((encoder(padded_windows(T, full, case[1]), lengths), encoder.state_dict()))

    torch.testing.assert_close(found[0], found[1], rtol=1e-4, atol=1e-5)


def test_in_training_a_part_of_a_batch_is_encoded_as_in_the_whole(case):
    # The processes of one training rely on it; they share the statistics of batch norms.
    encoder = shaken(build(case, **chance(case[0], dropout=0.0, jitter=0.0))).train()
    for module in encoder.modules():
        if isinstance(module, _BatchNorm):
            module.eval()
    x = padded_windows(sample=case[1])

    whole = encoder(x, LENGTHS)

    torch.testing.assert_close(encoder(x[1:3], LENGTHS[1:3]), whole[1:3], rtol=1e-4, atol=1e-5)


def test_padding_does_not_reach_the_statistics_of_training(case):
    # Twice the same short window, once beside much longer padding: what training
    # keeps of it must be what it keeps of the windows without any padding.
    lengths = torch.tensor([9, 9])
    found = []
    for n_samples, stated in ((9, None), (40, lengths)):
        encoder = shaken(build(case)).train()
        encoder(padded_windows(n_samples, lengths, case[1]), stated)
        found.append(dict(encoder.named_buffers()))

    torch.testing.assert_close(found[0], found[1], rtol=1e-4, atol=1e-5)


@of_series
def test_statistics_of_training_are_as_precise_with_lengths_as_without_under_autocast(case):
    # Half precision is for products: counts and means of hundreds of frames need more than 8 bits.
    n_samples = 301
    x = padded_windows(n_samples, torch.tensor([n_samples] * 2)) + 3
    found = []
    for lengths in (None, torch.full((2,), n_samples)):
        encoder = shaken(build(case)).train()
        for norm in encoder.modules():
            if hasattr(norm, "momentum"):
                norm.momentum = 1.0  # the statistics become those of this batch alone
        # Without oneDNN, which has no LSTM of half precision on every CPU.
        with torch.backends.mkldnn.flags(enabled=False), torch.autocast("cpu", torch.bfloat16):
            encoder(x, lengths)
        found.append(dict(encoder.named_buffers()))

    torch.testing.assert_close(found[0], found[1], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_the_input_is_not_changed(encoder, x, lengths):
    before, lengths_before = x.clone(), LENGTHS.clone()

    encoder.train()(x, lengths)
    encoder.eval()(x, lengths)

    assert torch.equal(x, before)
    assert torch.equal(LENGTHS, lengths_before)


def test_weights_survive_a_file(encoder, case, x, through_a_file):
    encoder.train()(x, LENGTHS)  # statistics become more than their start

    arrays = through_a_file(state_arrays(encoder))

    state = encoder.state_dict()
    again = build(case)
    again.load_state_dict({key: torch.from_numpy(array) for key, array in arrays.items()})
    for key, tensor in again.state_dict().items():
        assert arrays[key].shape == tuple(state[key].shape)
        assert torch.equal(tensor, state[key])
    assert torch.equal(again.eval()(x, LENGTHS), encoder.eval()(x, LENGTHS))


@pytest.mark.parametrize("pooling", ["last", "mean", "attention"])
def test_every_pooling_is_blind_to_padding_and_to_other_windows(case, x, pooling):
    model = classifier(shaken(build(case, **chance(case[0], pooling=pooling))))

    assert assert_alike_alone(model, x, LENGTHS).shape == (B, K)


def test_one_batch_can_be_overfitted(case):
    if "classification" not in ARCHITECTURES.entry(case[0]).tags.get("tasks", ["classification"]):
        pytest.skip("made for other tasks; its maps in time are overfitted in test_linear.py")
    model = classifier(build(case))
    lengths = torch.tensor([23, 12, 16, 20, 9, 23])
    x, target = padded_windows(T, lengths, case[1]), torch.tensor([0, 1, 2, 2, 1, 0])

    losses = trained(model, x, lengths, target, enough=0.1, n_steps=120)

    assert losses[-1] < 0.1 < math.log(K)


@pytest.mark.parametrize("case", [case for case in CASES if case[1] != "tokens"], ids="-".join)
def test_an_interrupted_training_resumes_as_if_never_interrupted(
    case, make_windows, assert_an_interruption_leaves_no_trace
):
    windows = make_windows(lengths=(20, 26), noise=0.5, n_channels=C)
    if case[1] == "video":
        brightness = np.random.default_rng(0).random(FRAME[1:], dtype=np.float32)
        windows = {
            split: replace(
                one, sample="video", signal=one.signal[:, : FRAME[0], None, None] * brightness
            )
            for split, one in make_windows(lengths=(4, 6), noise=0.5).items()
        }

    def model() -> Finetuning:
        encoder = build(case, 3, **chance(case[0], dropout=0.2, jitter=0.1))
        head = ClassificationHead(encoder, 2, dropout=0.2)
        return Finetuning(Model(encoder, head), frozen=False, weight=None)

    assert_an_interruption_leaves_no_trace(model, loss_name="val_loss", windows=windows)


# With the head of detection.


@of_series
def test_frames_of_detection_are_at_least_eight_samples_apart_and_cover_the_window(encoder):
    model = detector(encoder).eval()
    hop = model.head.hop

    logits = model(padded_windows(LONG, LONG_LENGTHS), LONG_LENGTHS)

    assert hop >= 8
    assert hop % encoder.stride == 0
    assert logits.shape[:2] == (B, math.ceil(LONG / hop))
    assert logits.shape[3] == K
    scores = model.head.scores(logits)
    assert scores.shape == (B, logits.shape[1], 3, K)
    assert ((scores[:, :, 0] > 0) & (scores[:, :, 0] < 1)).all()
    assert (scores[:, :, 1].abs() <= 1.5 * hop).all()


@of_series
@pytest.mark.parametrize("lengths", [None, LONG_LENGTHS])
def test_the_loss_of_detection_is_finite_and_reaches_every_parameter(encoder, lengths):
    model = detector(encoder).train()

    loss = model.head.loss(model(padded_windows(LONG, LONG_LENGTHS), lengths), EVENTS)
    loss.backward()

    assert loss.shape == ()
    assert loss.isfinite()
    assert_gradient_reaches_all(model)
