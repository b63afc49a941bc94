"""The causal detector: what a frame sees, and the state that a stream carries."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seqbench.config.messages import option_problems
from seqbench.config.registry import ARCHITECTURES
from seqbench.errors import UserError
from seqbench.models.event_rnn import EventRnnEncoder

T, C, RATE_HZ, STRIDE = 403, 2, 1000.0, 5
LOOK_AHEADS_MS = [0, 2, 3, 4, 12, 20, 41]  # convolutions reach 3 samples, the mean 10


def encoder(look_ahead_ms: float | None = 12, **options) -> EventRnnEncoder:
    torch.manual_seed(0)
    made = EventRnnEncoder(
        C, RATE_HZ, widths=(4, 6), kernel_sizes=(5, 3), strides=(1, STRIDE), hidden_size=4,
        detrend_samples=20, bidirectional=False, look_ahead_ms=look_ahead_ms, **options,
    )  # fmt: skip
    for name, tensor in made.state_dict().items():  # away from zeros and ones, which hide a leak
        if tensor.is_floating_point():
            tensor.add_(
                0.3 * torch.rand_like(tensor) if "var" in name else torch.randn_like(tensor) / 3
            )
    return made.eval()


def recording(n_samples: int = T, seed: int = 1) -> torch.Tensor:
    return torch.randn(1, n_samples, C, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def changed_frames(network: EventRnnEncoder, first: int) -> list[int]:
    """Return the frames of a recording that change when its samples from `first` on do."""
    x = recording()
    other = x.clone()
    other[:, first:] = recording(seed=2)[:, first:]
    return (network(x) != network(other)).any(dim=2)[0].nonzero()[:, 0].tolist()


# What a frame sees.


@pytest.mark.parametrize("look_ahead_ms", LOOK_AHEADS_MS)
@pytest.mark.parametrize("n_layers", [1, 2])
def test_a_frame_sees_no_sample_beyond_its_look_ahead(look_ahead_ms, n_layers):
    network = encoder(look_ahead_ms, n_layers=n_layers)

    for first in range(200, 200 + STRIDE):
        changed = changed_frames(network, first)

        assert min(changed) * STRIDE + look_ahead_ms >= first
        assert (min(changed) - 1) * STRIDE + network.look_ahead_samples < first
        assert changed == list(range(min(changed), len(network(recording())[0])))


@pytest.mark.parametrize("look_ahead_ms", LOOK_AHEADS_MS)
def test_the_look_ahead_is_used_but_for_less_than_a_frame(look_ahead_ms):
    network = encoder(look_ahead_ms)

    assert look_ahead_ms - STRIDE < network.look_ahead_samples <= look_ahead_ms
    first = 40 * STRIDE + network.look_ahead_samples
    assert min(changed_frames(network, first)) == 40


def test_a_bidirectional_model_sees_the_whole_window():
    network = EventRnnEncoder(C, widths=(4,), kernel_sizes=(5,), strides=(STRIDE,)).eval()

    assert network.look_ahead_samples is None
    assert min(changed_frames(network, T - 1)) == 0
    with pytest.raises(UserError, match="reads whole windows"):
        network.stream()


@pytest.mark.parametrize("look_ahead_ms", [3, 12, 41])
def test_padding_reaches_no_frame(look_ahead_ms):
    network, n = encoder(look_ahead_ms), 211
    x = torch.cat([recording(), recording(seed=3)])
    x[1, n:] = 0

    together = network(x, torch.tensor([T, n]))

    torch.testing.assert_close(together[1, : -(-n // STRIDE)], network(x[1:, :n])[0])
    assert not together[1, -(-n // STRIDE) :].any()


def test_a_look_ahead_is_for_causal_models():
    with pytest.raises(UserError, match="set bidirectional: false"):
        EventRnnEncoder(C, RATE_HZ, look_ahead_ms=10)
    for options in ({"look_ahead_ms": 10}, {"look_ahead_ms": 10, "bidirectional": True}):
        assert list(option_problems("architectures.x", ARCHITECTURES, "event_rnn", options)) == [
            "architectures.x.look_ahead_ms: goes with bidirectional: false alone;"
            " set that, or leave it out"
        ]
    causal = {"look_ahead_ms": 10, "bidirectional": False}
    assert not list(option_problems("architectures.x", ARCHITECTURES, "event_rnn", causal))


def test_without_a_sampling_rate_no_look_ahead_is_known():
    with pytest.raises(UserError, match="needs the sampling rate"):
        EventRnnEncoder(C, bidirectional=False)


def test_without_a_look_ahead_it_is_50_ms():
    assert EventRnnEncoder(C, 2000.0, bidirectional=False).look_ahead_samples == 100


# The state.


@given(
    st.sampled_from(LOOK_AHEADS_MS),
    st.lists(st.integers(0, T), max_size=12).map(sorted),
    st.integers(1, T),
)
@torch.no_grad()
def test_pieces_of_any_size_give_the_frames_of_the_whole(look_ahead_ms, cuts, n_samples):
    network, x = encoder(look_ahead_ms, n_layers=2), recording()[:, :n_samples]
    stream = network.stream()
    bounds = [0, *(cut for cut in cuts if cut < n_samples), n_samples]

    pieces = [stream.push(x[:, i:j]) for i, j in pairwise(bounds)]
    pieces.append(stream.finish())

    torch.testing.assert_close(torch.cat(pieces, dim=1), network(x), rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_a_frame_comes_with_the_last_sample_that_it_sees():
    network, stream, n_frames = encoder(41), encoder(41).stream(), 0

    for n, sample in enumerate(recording()[0], start=1):
        n_frames += stream.push(sample[None, None]).shape[1]

        assert n_frames == max(0, (n - 1 - network.look_ahead_samples) // STRIDE + 1)


@torch.no_grad()
def test_what_is_carried_does_not_grow():
    stream = encoder(41).stream()

    def n_held() -> int:
        """Return the numbers in all tensors that the stream can reach."""
        seen, n, todo = set(), 0, list(vars(stream).values())
        while todo:
            one = todo.pop()
            if id(one) in seen or isinstance(one, torch.nn.Module):
                continue
            seen.add(id(one))
            if isinstance(one, torch.Tensor):
                n += one.numel()
                assert one.untyped_storage().nbytes() < 1 << 14  # no view of all that was read
            elif isinstance(one, list | tuple):
                todo += one
            elif hasattr(one, "__dict__"):
                todo += vars(one).values()
        return n

    held = []
    for _ in range(300):
        stream.push(recording(20))
        held.append(n_held())

    assert max(held[10:]) == held[10] > 0
