"""The transformer: attention, positions and blocks."""

import math

import pytest
import torch
from torch import nn

from seqbench.errors import UserError
from seqbench.models.attention import MultiHeadAttention
from seqbench.models.transformer import TransformerEncoder, sinusoids

T, C = 24, 3
LENGTHS = torch.tensor([24, 9, 17, 1])


def encoder(**options) -> TransformerEncoder:
    torch.manual_seed(0)
    return TransformerEncoder(C, **{"hidden_size": 8, "n_heads": 2} | options).eval()


def windows(lengths: torch.Tensor = LENGTHS) -> torch.Tensor:
    x = torch.randn(len(lengths), T, C, generator=torch.Generator().manual_seed(1))
    return x * (torch.arange(T) < lengths[:, None])[..., None]


# Positions.


def test_sinusoids_are_those_of_the_paper():
    # PE(f, 2i) = sin(f / 10000^(2i / D)) and PE(f, 2i + 1) = cos of the same; here D is 4.
    expected = [
        [0.0, 1.0, 0.0, 1.0],
        [math.sin(1), math.cos(1), math.sin(0.01), math.cos(0.01)],
        [math.sin(2), math.cos(2), math.sin(0.02), math.cos(0.02)],
    ]

    found = sinusoids(3, 4, torch.device("cpu"))

    torch.testing.assert_close(found, torch.tensor(expected))


def test_an_odd_number_of_features_ends_with_a_sine():
    # The last frequency is 10000^(-2 / 3).
    found = sinusoids(2, 3, torch.device("cpu"))

    expected = torch.tensor([math.sin(1), math.cos(1), math.sin(10_000 ** (-2 / 3))])
    torch.testing.assert_close(found[1], expected)


def test_order_matters_through_positions_alone():
    network = encoder(positions="learned", max_frames=T)
    x, order = windows()[:1], torch.randperm(T, generator=torch.Generator().manual_seed(2))

    with_positions = network(x)[:, order], network(x[:, order])
    nn.init.zeros_(network.positions)
    without = network(x)[:, order], network(x[:, order])

    assert (with_positions[0] - with_positions[1]).abs().max() > 0.01
    torch.testing.assert_close(without[0], without[1], rtol=1e-4, atol=1e-5)


def test_learned_positions_refuse_a_window_that_is_too_long():
    network = encoder(positions="learned", max_frames=5, stride=4)

    network(torch.randn(1, 20, C))
    with pytest.raises(UserError, match=r"6 frames .* the 5 .*set max_frames to 6 or more"):
        network(torch.randn(1, 21, C))


def test_padding_beyond_the_learned_positions_is_no_window():
    network = encoder(positions="learned", max_frames=9)
    x, lengths = windows(torch.tensor([9, 4])), torch.tensor([9, 4])

    frames = network(x, lengths)

    torch.testing.assert_close(frames[:, :9], network(x[:, :9], lengths), rtol=1e-4, atol=1e-5)
    assert frames.shape == (2, T, 8)
    with pytest.raises(UserError, match="10 frames"):
        network(x, torch.tensor([10, 4]))


# Attention.


@pytest.mark.parametrize("lengths", [None, LENGTHS])
@pytest.mark.parametrize("stride", [1, 4])
def test_a_causal_frame_does_not_see_later_samples(stride, lengths):
    network = encoder(causal=True, stride=stride)
    x, changed = windows(), windows()
    changed[:, 13:] += 5 * (changed[:, 13:] != 0)

    before, after = network(x, lengths), network(changed, lengths)

    # Sample 13 is the first to differ. A convolution of stride 4 reaches 4 samples ahead of its
    # frame: frame 2, at sample 8, up to sample 12; frame 3 already has it.
    n_same = 13 if stride == 1 else 3
    torch.testing.assert_close(before[:, :n_same], after[:, :n_same], rtol=0, atol=0)
    assert (before[0, n_same:] - after[0, n_same:]).abs().amax(dim=1).min() > 1e-3


def test_filters_of_the_front_reach_half_their_length_beyond_a_causal_frame():
    network = encoder(causal=True, front_width=3, front_size=5)
    x, changed = windows(), windows()
    changed[:, 13:] += 5 * (changed[:, 13:] != 0)

    before, after = network(x), network(changed)

    torch.testing.assert_close(before[:, :11], after[:, :11], rtol=0, atol=0)
    assert (before[0, 11] - after[0, 11]).abs().max() > 1e-3


def test_filters_of_the_front_that_are_not_centred_are_refused():
    with pytest.raises(UserError, match="front_size must be odd, got 4"):
        encoder(front_width=3, front_size=4)


@pytest.mark.parametrize("front_width", [0, 3])
@pytest.mark.parametrize("stride", [1, 4])
@pytest.mark.parametrize("positions", ["sinusoidal", "learned"])
@pytest.mark.parametrize("causal", [False, True])
def test_a_window_is_encoded_as_if_it_were_alone(causal, positions, stride, front_width):
    network = encoder(
        causal=causal, positions=positions, stride=stride, front_width=front_width, front_size=5
    )
    x = windows()

    frames = network(x, LENGTHS)

    for row, length in enumerate(LENGTHS.tolist()):
        alone = network(x[row : row + 1, :length])[0]
        assert len(alone) == -(-length // stride)
        torch.testing.assert_close(frames[row, : len(alone)], alone, rtol=1e-4, atol=1e-5)
        assert (frames[row, len(alone) :] == 0).all()


@pytest.mark.parametrize("causal", [False, True])
def test_attention_is_the_weighted_mean_of_the_formula(causal):
    torch.manual_seed(0)
    attention = MultiHeadAttention(6, 2, causal=causal)
    frames, lengths = torch.randn(2, 5, 6), torch.tensor([5, 3])

    found = attention(frames, lengths)

    for row, length in enumerate(lengths.tolist()):
        query, key, value = attention.projection(frames[row, :length]).split(6, dim=1)
        heads = []
        for head in (slice(0, 3), slice(3, 6)):
            scores = query[:, head] @ key[:, head].T / math.sqrt(3)
            if causal:
                scores = scores.masked_fill(torch.ones(length, length).triu(1) > 0, -torch.inf)
            heads.append(scores.softmax(dim=1) @ value[:, head])
        expected = attention.output(torch.cat(heads, dim=1))
        torch.testing.assert_close(found[row, :length], expected, rtol=1e-4, atol=1e-5)


# The blocks and the options.


def test_a_block_adds_to_its_input():
    network = encoder(n_layers=1)
    block = network.blocks[0]
    for layer in (block.attention.output, block.mlp[2]):
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)
    x = windows()[:1]

    embedded = network.embedding(x) + sinusoids(T, 8, x.device)

    torch.testing.assert_close(network(x), nn.functional.layer_norm(embedded, (8,)))


@pytest.mark.parametrize("silent", ["attention.output", "mlp.2"])
def test_the_outputs_of_a_block_do_not_depend_on_the_scale_of_its_input(silent):
    # Norms precede both: with either zero, the other adds the same to 10 x as to x.
    block = encoder(n_layers=1).blocks[0]
    nn.init.zeros_(block.get_submodule(silent).weight)
    nn.init.zeros_(block.get_submodule(silent).bias)
    x = torch.randn(2, T, 8)

    torch.testing.assert_close(block(10 * x) - 10 * x, block(x) - x, rtol=1e-3, atol=1e-4)


def test_heads_that_cannot_share_the_features_are_refused():
    with pytest.raises(UserError, match="3 heads cannot share 8 features evenly; change n_heads"):
        encoder(n_heads=3)
