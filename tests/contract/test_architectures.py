"""What every registered architecture of series promises."""

import math
from typing import TypeVar

import pytest
import torch
from torch import nn

from seqbench.config.registry import ARCHITECTURES, TASKS
from seqbench.models.base import Encoder
from seqbench.models.embedding import build_encoder
from seqbench.storage.model_header import NetworkHeader
from seqbench.tasks.classification.head import ClassificationHead
from seqbench.tasks.detection.target import EventTarget
from seqbench.training.finetune import Finetuning, Model
from seqbench.training.state import state_arrays

# Small legal options of each name; a name without an entry fails.
TINY = {
    "cnn1d": {"widths": (4, 6), "kernel_sizes": (5, 3), "strides": (2, 3)},
    "cnn_lstm": {"widths": (4,), "kernel_sizes": (3,), "strides": (2,), "hidden_size": 6},
    "event_rnn": {
        "detrend_samples": 6,
        "jitter": 0.0,
        "dropout": 0.0,
        "widths": (4, 6),
        "kernel_sizes": (5, 3),
        "strides": (2, 2),
        "hidden_size": 4,
    },
    "event_specific": {
        "n_templates": 3,
        "template_samples": 5,
        "features_per_template": 2,
        "kernel_sizes": (5, 3),
        "strides": (3, 1),
        "hidden_size": 4,
    },
    "event_unet": {"widths": (4, 6, 8), "kernel_size": 3, "step": 2},
    "gru": {"hidden_size": 6},
    "lstm": {"hidden_size": 6, "n_layers": 2},
    "lstm_event": {"hidden_size": 4, "n_layers": 1, "n_heads": 2, "stride": 3},
    "mlp": {"hidden_sizes": (12, 8)},
    "rnn": {"hidden_size": 6},
    "transformer": {
        "hidden_size": 8,
        "n_layers": 1,
        "n_heads": 2,
        "stride": 3,
        "dropout": 0.0,
    },
}
B, T, C, K = 4, 23, 3, 3
LENGTHS = torch.tensor([23, 7, 16, 1])
LONG, LONG_LENGTHS = 64, torch.tensor([64, 21, 50, 33])
# Onset and type of the events of each long window, -1 where there are fewer, and what is known.
EVENTS = EventTarget(
    onset=torch.tensor([[9.0, 31.5, 60.0], [4, 20, 0], [25, 0, 0], [0, 0, 0]]),
    type=torch.tensor([[0, 1, 0], [2, 1, -1], [2, -1, -1], [-1, -1, -1]]),
    known=torch.tensor([[0, 64], [0, 21], [0, 40], [5, 33]]),
)
M = TypeVar("M", bound=nn.Module)
POOLINGS = ("last", "mean", "attention")


def build(name: str, **options: object) -> Encoder:
    return ARCHITECTURES[name](C, **TINY[name] | options)


@torch.no_grad()
def shaken(encoder: M) -> M:
    """Move weights and statistics away from zeros and ones, behind which a leak could hide."""
    for name, tensor in encoder.state_dict().items():
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 2)
        elif tensor.is_floating_point():
            tensor.add_(0.3 * torch.randn_like(tensor))
    return encoder


def detector(encoder: Encoder) -> Model:
    """Return the encoder with the head of detection, every part of its loss in use."""
    header = NetworkHeader(
        task="detection",
        architecture="cnn1d",
        architecture_options={},
        channels=("x",),
        classes=tuple(f"type{k}" for k in range(K)),
        refractory_s=0.6,
        sampling_rate_hz=100.0,
    )
    model = Model(encoder, TASKS["detection"]().head(encoder, header))
    shaken(model.head)
    return model


def padded_windows(n_samples: int = T, lengths: torch.Tensor = LENGTHS) -> torch.Tensor:
    """Noise, zero after each end; the windows are the same whatever `n_samples` is."""
    generator = torch.Generator().manual_seed(5)
    x = torch.zeros(len(lengths), n_samples, C)
    for row, length in enumerate(lengths.tolist()):
        x[row, :length] = torch.randn(length, C, generator=generator)
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


@pytest.fixture(
    params=[name for name in ARCHITECTURES if "series" in ARCHITECTURES.entry(name).tags["accepts"]]
)
def name(request):
    return request.param


@pytest.fixture
def encoder(name):
    torch.manual_seed(0)
    return shaken(build(name))


def test_options_are_the_keyword_only_parameters(name, assert_options_are_the_signature):
    assert_options_are_the_signature(ARCHITECTURES, name)


def test_defaults_as_they_come_from_json_build_it(name):
    options = ARCHITECTURES.entry(name).options().model_dump(mode="json")

    frames = ARCHITECTURES[name](C, **options)(torch.randn(2, 16, C))

    assert frames.isfinite().all()


def test_at_evaluation_nothing_is_left_to_chance(name):
    options = TINY[name] | {
        option: 0.5
        for option in ("dropout", "jitter")
        if option in ARCHITECTURES.entry(name).options.model_fields
    }
    encoder = shaken(ARCHITECTURES[name](C, **options)).eval()

    assert torch.equal(encoder(padded_windows(), LENGTHS), encoder(padded_windows(), LENGTHS))


@pytest.mark.parametrize("n_samples", [1, 2, 22, 23, 24])
def test_frames_have_the_promised_shape(encoder, n_samples):
    frames = encoder.eval()(torch.randn(B, n_samples, C))

    assert frames.shape == (B, math.ceil(n_samples / encoder.stride), encoder.n_features)


def test_frames_are_counted_as_the_encoder_says(encoder):
    frames = encoder.eval()(padded_windows(), LENGTHS)

    expected = [math.ceil(length / encoder.stride) for length in LENGTHS.tolist()]
    assert encoder.frame_lengths(LENGTHS).tolist() == expected
    assert encoder.frame_lengths(None) is None
    assert frames.shape[1] == max(expected)


@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_gradient_reaches_every_parameter(encoder, lengths):
    frames = encoder.train()(padded_windows(), lengths)
    torch.manual_seed(1)

    (frames * torch.randn_like(frames)).sum().backward()

    for name, parameter in encoder.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().sum() > 0, name


def test_windows_of_a_batch_do_not_mix_at_evaluation(encoder):
    x = padded_windows()

    frames = encoder.eval()(x, LENGTHS)

    for row, length in enumerate(LENGTHS.tolist()):
        alone = encoder(x[row : row + 1, :length])[0]
        torch.testing.assert_close(frames[row, : len(alone)], alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("training", [False, True])
def test_frames_past_the_end_of_a_window_are_zero(encoder, training):
    frames = encoder.train(training)(padded_windows(), LENGTHS)

    for row, n_frames in enumerate(encoder.frame_lengths(LENGTHS).tolist()):
        assert (frames[row, n_frames:] == 0).all()


@pytest.mark.parametrize("training", [False, True])
def test_more_padding_changes_nothing(name, training):
    found = []
    for n_samples in (T, T + 19):
        torch.manual_seed(0)
        encoder = shaken(build(name)).train(training)
        frames = encoder(padded_windows(n_samples), LENGTHS)
        found.append((frames[:, : math.ceil(T / encoder.stride)], encoder.state_dict()))

    torch.testing.assert_close(found[0], found[1], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("training", [False, True])
def test_stating_that_all_lengths_are_full_changes_nothing(name, training):
    x = torch.randn(B, T, C, generator=torch.Generator().manual_seed(2))
    found = []
    for lengths in (None, torch.full((B,), T)):
        torch.manual_seed(0)
        encoder = shaken(build(name)).train(training)
        found.append((encoder(x, lengths), encoder.state_dict()))

    torch.testing.assert_close(found[0], found[1], rtol=1e-4, atol=1e-5)


def test_padding_does_not_reach_the_statistics_of_training(name):
    # Twice the same short window, once beside much longer padding: what training
    # keeps of it must be what it keeps of the windows without any padding.
    lengths = torch.tensor([9, 9])
    found = []
    for n_samples, stated in ((9, None), (40, lengths)):
        torch.manual_seed(0)
        encoder = shaken(build(name)).train()
        encoder(padded_windows(n_samples, lengths), stated)
        found.append(dict(encoder.named_buffers()))

    torch.testing.assert_close(found[0], found[1], rtol=1e-4, atol=1e-5)


def test_statistics_of_training_are_as_precise_with_lengths_as_without_under_autocast(name):
    # Half precision is for products: counts and means of hundreds of frames need more than 8 bits.
    n_samples = 301
    x = padded_windows(n_samples, torch.tensor([n_samples] * 2)) + 3
    found = []
    for lengths in (None, torch.full((2,), n_samples)):
        torch.manual_seed(0)
        encoder = shaken(build(name)).train()
        for norm in encoder.modules():
            if hasattr(norm, "momentum"):
                norm.momentum = 1.0  # the statistics become those of this batch alone
        with torch.autocast("cpu", dtype=torch.bfloat16):
            encoder(x, lengths)
        found.append(dict(encoder.named_buffers()))

    torch.testing.assert_close(found[0], found[1], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_the_input_is_left_as_it_was(encoder, lengths):
    x = padded_windows()
    before, lengths_before = x.clone(), LENGTHS.clone()

    encoder.train()(x, lengths)
    encoder.eval()(x, lengths)

    assert torch.equal(x, before)
    assert torch.equal(LENGTHS, lengths_before)


def test_the_same_seed_gives_the_same_weights(name):
    states = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        states.append(build(name).state_dict())

    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    assert not all(torch.equal(states[0][key], states[2][key]) for key in states[0])


def test_weights_survive_a_file(encoder, name, through_a_file):
    encoder.train()(padded_windows(), LENGTHS)  # statistics become more than their start

    arrays = through_a_file(state_arrays(encoder))

    state = encoder.state_dict()
    assert {key: tuple(array.shape) for key, array in arrays.items()} == {
        key: tuple(tensor.shape) for key, tensor in state.items()
    }
    again = build(name)
    again.load_state_dict({key: torch.from_numpy(array) for key, array in arrays.items()})
    assert all(torch.equal(tensor, state[key]) for key, tensor in again.state_dict().items())
    assert torch.equal(
        again.eval()(padded_windows(), LENGTHS), encoder.eval()(padded_windows(), LENGTHS)
    )


@pytest.mark.parametrize("pooling", POOLINGS)
def test_every_pooling_is_blind_to_padding_and_to_other_windows(name, pooling):
    torch.manual_seed(0)
    encoder = shaken(build(name, pooling=pooling))
    model = Model(encoder, ClassificationHead(encoder, K, dropout=0.0)).eval()
    x = padded_windows()

    logits = model(x, LENGTHS)

    assert logits.shape == (B, K)
    for row, length in enumerate(LENGTHS.tolist()):
        alone = model(x[row : row + 1, :length])
        torch.testing.assert_close(logits[row : row + 1], alone, rtol=1e-4, atol=1e-5)


def test_one_batch_can_be_overfitted(name):
    torch.manual_seed(0)
    encoder = build(name)
    model = Model(encoder, ClassificationHead(encoder, K, dropout=0.0))
    lengths = torch.tensor([23, 12, 16, 20, 9, 23])
    x, target = padded_windows(T, lengths), torch.tensor([0, 1, 2, 2, 1, 0])

    losses = trained(model, x, lengths, target, enough=0.1, n_steps=120)

    assert losses[-1] < 0.1 < math.log(K)


# With the head of detection.


def test_frames_of_detection_are_at_least_eight_samples_apart_and_cover_the_window(encoder):
    model = detector(encoder).eval()
    hop = model.head.hop

    logits = model(padded_windows(LONG, LONG_LENGTHS), LONG_LENGTHS)

    assert hop >= 8
    assert hop % encoder.stride == 0
    assert logits.shape[:2] == (B, math.ceil(LONG / hop))
    assert logits.shape[3] == K
    scores = model.head.scores(logits)
    assert scores.shape == (B, logits.shape[1], 2, K)
    assert ((scores[:, :, 0] > 0) & (scores[:, :, 0] < 1)).all()
    assert (scores[:, :, 1].abs() <= 1.5 * hop).all()


@pytest.mark.parametrize("lengths", [None, LONG_LENGTHS])
def test_the_loss_of_detection_is_finite_and_reaches_every_parameter(encoder, lengths):
    model = detector(encoder).train()

    loss = model.head.loss(model(padded_windows(LONG, LONG_LENGTHS), lengths), EVENTS)
    loss.backward()

    assert loss.shape == ()
    assert loss.isfinite()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().sum() > 0, name


def test_detection_is_blind_to_other_windows(encoder):
    model = detector(encoder).eval()
    x = padded_windows(LONG, LONG_LENGTHS)

    logits = model(x, LONG_LENGTHS)

    for row, length in enumerate(LONG_LENGTHS.tolist()):
        alone = model(x[row : row + 1, :length])[0]
        torch.testing.assert_close(logits[row, : len(alone)], alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("training", [False, True])
def test_more_padding_does_not_change_the_loss_of_detection(name, training):
    found = []
    for n_samples in (LONG, LONG + 56):
        torch.manual_seed(0)
        model = detector(shaken(build(name))).train(training)
        nn.init.zeros_(model.head.output.bias)  # where nothing is, presence is as likely as not
        logits = model(padded_windows(n_samples, LONG_LENGTHS), LONG_LENGTHS)
        found.append(model.head.loss(logits, EVENTS))

    torch.testing.assert_close(found[0], found[1], rtol=1e-5, atol=1e-6)


def test_the_loss_of_detection_does_not_ask_about_what_is_not_known(encoder):
    model = detector(encoder).eval()
    x = padded_windows(LONG, LONG_LENGTHS)
    # One more event where nothing is known: behind sample 40 of the third window.
    onset, kind = EVENTS.onset.clone(), EVENTS.type.clone()
    onset[2, 1], kind[2, 1] = 60.0, 1

    with_it = model.head.loss(model(x, LONG_LENGTHS), EventTarget(onset, kind, EVENTS.known))

    torch.testing.assert_close(with_it, model.head.loss(model(x, LONG_LENGTHS), EVENTS))


def test_events_of_one_batch_can_be_learned(name):
    torch.manual_seed(0)
    model = detector(build(name))
    x = padded_windows(LONG, LONG_LENGTHS)

    losses = trained(model, x, LONG_LENGTHS, EVENTS, enough=0.5, n_steps=50)

    assert losses[-1] < 0.5 < 3 < losses[0]


# With tokens.

N_TOKENS = 6


def token_encoder(name: str, **options: object) -> Encoder:
    return build_encoder(name, TINY[name] | options, N_TOKENS, sample="tokens", embedding_size=C)


def padded_tokens(n_samples: int = T, lengths: torch.Tensor = LENGTHS) -> torch.Tensor:
    """Ids of tokens, unknown ones among them; padding is 0 as unknown ones are."""
    generator = torch.Generator().manual_seed(6)
    x = torch.zeros(len(lengths), n_samples, 1)
    for row, length in enumerate(lengths.tolist()):
        x[row, :length, 0] = torch.randint(N_TOKENS, (length,), generator=generator).float()
    return x


@pytest.fixture(
    params=[n for n in ARCHITECTURES if "tokens" in ARCHITECTURES.entry(n).tags["accepts"]]
)
def reader(request):
    """Name of an architecture that takes tokens."""
    return request.param


@pytest.fixture
def of_tokens(reader):
    torch.manual_seed(0)
    # The vector of unknown tokens moves too, so that padding, which has their id, could be seen.
    return shaken(token_encoder(reader))


def test_frames_of_tokens_do_not_depend_on_padding_or_on_other_windows(of_tokens):
    x = padded_tokens()

    frames = of_tokens.eval()(x, LENGTHS)

    assert frames.shape == (B, math.ceil(T / of_tokens.stride), of_tokens.n_features)
    counts = of_tokens.frame_lengths(LENGTHS).tolist()
    for row, (length, n_frames) in enumerate(zip(LENGTHS.tolist(), counts, strict=True)):
        alone = of_tokens(x[row : row + 1, :length])[0]
        assert len(alone) == n_frames
        torch.testing.assert_close(frames[row, :n_frames], alone, rtol=1e-4, atol=1e-5)
        assert (frames[row, n_frames:] == 0).all()


@pytest.mark.parametrize("training", [False, True])
def test_more_padding_of_tokens_changes_nothing(reader, training):
    found = []
    for n_samples in (T, T + 19):
        torch.manual_seed(0)
        encoder = shaken(token_encoder(reader)).train(training)
        frames = encoder(padded_tokens(n_samples), LENGTHS)
        found.append((frames[:, : math.ceil(T / encoder.stride)], encoder.state_dict()))

    torch.testing.assert_close(found[0], found[1], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_every_pooling_of_tokens_is_blind_to_padding_and_to_other_windows(reader, pooling):
    torch.manual_seed(0)
    encoder = shaken(token_encoder(reader, pooling=pooling))
    model = Model(encoder, ClassificationHead(encoder, K, dropout=0.0)).eval()
    x = padded_tokens()

    logits = model(x, LENGTHS)

    for row, length in enumerate(LENGTHS.tolist()):
        alone = model(x[row : row + 1, :length])
        torch.testing.assert_close(logits[row : row + 1], alone, rtol=1e-4, atol=1e-5)


def test_gradient_of_tokens_reaches_every_parameter(of_tokens):
    frames = of_tokens.train()(padded_tokens(), LENGTHS)
    torch.manual_seed(1)

    (frames * torch.randn_like(frames)).sum().backward()

    for name, parameter in of_tokens.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_weights_of_a_token_encoder_survive_a_file(of_tokens, reader, through_a_file):
    arrays = through_a_file(state_arrays(of_tokens))

    again = token_encoder(reader)
    again.load_state_dict({key: torch.from_numpy(array) for key, array in arrays.items()})
    x = padded_tokens()
    assert torch.equal(again.eval()(x, LENGTHS), of_tokens.eval()(x, LENGTHS))


def test_one_batch_of_tokens_can_be_overfitted(reader):
    torch.manual_seed(0)
    encoder = token_encoder(reader)
    model = Model(encoder, ClassificationHead(encoder, K, dropout=0.0))
    lengths = torch.tensor([23, 12, 16, 20, 9, 23])
    x, target = padded_tokens(T, lengths), torch.tensor([0, 1, 2, 2, 1, 0])

    losses = trained(model, x, lengths, target, enough=0.1, n_steps=120)

    assert losses[-1] < 0.1 < math.log(K)


def test_training_goes_on_after_an_interruption_as_if_there_had_been_none(
    name, assert_an_interruption_leaves_no_trace
):
    chance = {"dropout": 0.2, "jitter": 0.1}
    known = ARCHITECTURES.entry(name).options.model_fields
    options = {key: value for key, value in chance.items() if key in known}

    def model() -> Finetuning:
        encoder = ARCHITECTURES[name](2, **TINY[name] | options)
        head = ClassificationHead(encoder, 2, dropout=0.2)
        return Finetuning(Model(encoder, head), frozen=False, weight=None)

    assert_an_interruption_leaves_no_trace(model, loss_name="val_loss")
