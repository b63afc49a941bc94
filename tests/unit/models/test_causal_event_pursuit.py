"""The causal form of `event_pursuit`: what a frame sees, and the state of its stream."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seqbench.config.messages import option_problems
from seqbench.config.registry import ARCHITECTURES
from seqbench.errors import UserError
from seqbench.models.event_pursuit import EventPursuitEncoder, EventPursuitStream

T, C, K, RATE_HZ, STRIDE = 1203, 2, 3, 1000.0, 8
LOOK_AHEADS_MS = [8, 17, 30, 50]


def encoder(look_ahead_ms: float | None = 30, **options) -> EventPursuitEncoder:
    """Return an encoder with short templates, of which noise holds plenty."""
    generator = torch.Generator().manual_seed(0)
    made = EventPursuitEncoder(
        C, RATE_HZ, K, length_ms=20, before_ms=5, shapes=1, width=4,
        **{"causal": True, "look_ahead_ms": look_ahead_ms} | options,
    )  # fmt: skip
    for weight in made.parameters():
        weight.data = torch.randn(weight.shape, generator=generator) / 3
    pursuit = made.pursuit
    pursuit.filters[:, 0], pursuit.filters[:, 1] = 1, -0.5
    pursuit.mixing.copy_(torch.eye(C))
    shape = torch.randn(pursuit.templates.shape, generator=generator)
    pursuit.templates.copy_(shape / shape.flatten(1).norm(dim=1)[:, None, None])
    pursuit.mean.fill_(4)
    pursuit.gain.fill_(0.5)
    pursuit.offset.fill_(2)
    pursuit.evidence[1:] = torch.tensor([4.0, -10.0])[:, None]
    pursuit.onset.fill_(5)
    return made.eval()


def recording(n_samples: int = T, seed: int = 1) -> torch.Tensor:
    return torch.randn(1, n_samples, C, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def changed_frames(network: EventPursuitEncoder, first: int) -> list[int]:
    """Return the frames of a recording that change when its samples from `first` on do."""
    x = recording()
    other = x.clone()
    other[:, first:] = recording(seed=2)[:, first:]
    return (network(x) != network(other)).any(dim=2)[0].nonzero()[:, 0].tolist()


# What a frame sees.


@pytest.mark.parametrize("look_ahead_ms", LOOK_AHEADS_MS)
def test_a_frame_sees_no_sample_beyond_its_look_ahead(look_ahead_ms):
    network = encoder(look_ahead_ms)
    assert network.look_ahead_samples == look_ahead_ms

    for first in range(600, 600 + 4 * STRIDE, 3):
        assert min(changed_frames(network, first)) * STRIDE + look_ahead_ms >= first
    step = network.n_together * STRIDE
    first = 600 // step * step + look_ahead_ms
    assert min(changed_frames(network, first)) == (first - look_ahead_ms) // STRIDE


def test_a_window_holds_events_and_a_model_that_is_not_causal_sees_all_of_it():
    network = encoder(None, causal=False)

    assert (network.pursuit(recording()).is_event).sum() > 15
    assert network.look_ahead_samples is None
    assert min(changed_frames(network, 400)) * STRIDE < 400 - max(LOOK_AHEADS_MS)
    with pytest.raises(UserError, match="reads whole windows; set causal: true"):
        network.stream()


@torch.no_grad()
def test_far_from_the_edges_a_long_look_ahead_sees_what_whole_windows_do():
    causal, whole = encoder(300), encoder(None, causal=False)
    causal.behind_samples = 320
    causal.block_samples = 621

    found, expected = causal(recording()), whole(recording())

    inside = slice(45, 100)
    torch.testing.assert_close(found[:, inside], expected[:, inside], rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_training_reads_whole_windows():
    causal, whole = encoder(dropout=0), encoder(None, causal=False)

    assert not torch.equal(causal(recording()), whole(recording()))
    assert torch.equal(causal.train()(recording()), whole(recording()))


@torch.no_grad()
def test_padding_reaches_no_frame():
    network, n = encoder(), 611
    x = torch.cat([recording(), recording(seed=3)])
    x[1, n:] = 0

    together = network(x, torch.tensor([T, n]))

    torch.testing.assert_close(together[1, : -(-n // STRIDE)], network(x[1:, :n])[0])
    assert not together[1, -(-n // STRIDE) :].any()


def test_templates_end_with_the_look_ahead():
    assert encoder(8).start_options["length_ms"] == 13
    assert encoder(30).start_options["length_ms"] == 20


def test_a_look_ahead_is_for_causal_models_and_of_a_frame_at_least():
    with pytest.raises(UserError, match="look_ahead_ms of event_pursuit is 5 ms, but a frame has"):
        encoder(5)
    for options in ({"look_ahead_ms": 10}, {"look_ahead_ms": 10, "causal": False}):
        assert list(
            option_problems("architectures.x", ARCHITECTURES, "event_pursuit", options)
        ) == [
            "architectures.x.look_ahead_ms: goes with causal: true alone; set that, or leave it out"
        ]
    assert encoder(None).look_ahead_samples == 50


# The state.


@given(
    st.sampled_from(LOOK_AHEADS_MS),
    st.lists(st.integers(1, T), max_size=12).map(sorted),
    st.integers(1, T),
)
@torch.no_grad()
def test_pieces_of_any_size_give_the_frames_of_the_whole(look_ahead_ms, cuts, n_samples):
    network, x = encoder(look_ahead_ms), recording()[:, :n_samples]
    stream = network.stream()
    bounds = [0, *(cut for cut in cuts if cut < n_samples), n_samples]

    pieces = [stream.push(x[:, i:j]) for i, j in pairwise(bounds)]
    pieces.append(stream.finish())

    torch.testing.assert_close(torch.cat(pieces, dim=1), network(x), rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_frames_come_with_the_last_sample_that_they_see():
    network = encoder()
    stream, n_frames, step = EventPursuitStream(network), 0, network.n_together * STRIDE
    assert network.n_together == 3

    for n, sample in enumerate(recording(300)[0], start=1):
        n_frames += stream.push(sample[None, None]).shape[1]

        n_blocks = max(0, (n - 1 - network.look_ahead_samples) // step + 1)
        assert n_frames == 3 * n_blocks


@torch.no_grad()
def test_what_is_carried_does_not_grow():
    network = encoder()
    stream = network.stream()

    for _ in range(50):
        stream.push(recording(200))
        held = stream._held

        assert held.shape[1] < network.block_samples + 1
        assert held.untyped_storage().nbytes() == 4 * held.numel()


@torch.no_grad()
def test_of_no_samples_there_is_no_frame():
    assert encoder().stream().finish().shape[1] == 0
