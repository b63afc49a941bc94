"""Every kind of pooling against values by hand."""

import math

import pytest
import torch

from seqbench.models.pooling import Pool

# Two windows of three frames with two features; the second window ends after two frames.
FRAMES = torch.tensor([[[1.0, 10.0], [2.0, 20.0], [6.0, 60.0]], [[3.0, 5.0], [5.0, 9.0], [0, 0]]])
LENGTHS = torch.tensor([3, 2])


@pytest.mark.parametrize(
    ("pooling", "n_backward", "with_lengths", "without"),
    [
        ("mean", 0, [[3.0, 30.0], [4.0, 7.0]], [[3.0, 30.0], [8 / 3, 14 / 3]]),
        ("last", 0, [[6.0, 60.0], [5.0, 9.0]], [[6.0, 60.0], [0.0, 0.0]]),
        # The last feature ends at frame 0.
        ("last", 1, [[6.0, 10.0], [5.0, 5.0]], [[6.0, 10.0], [0.0, 5.0]]),
    ],
)
def test_mean_and_last_are_those_of_the_frames_of_each_window(
    pooling, n_backward, with_lengths, without
):
    pool = Pool(2, pooling, n_backward)

    torch.testing.assert_close(pool(FRAMES, LENGTHS), torch.tensor(with_lengths))
    torch.testing.assert_close(pool(FRAMES), torch.tensor(without))


def attention(weight: list[float], bias: float = 0.0) -> Pool:
    pool = Pool(2, "attention")
    with torch.no_grad():
        pool.score.weight.copy_(torch.tensor([weight]))
        pool.score.bias.fill_(bias)
    return pool


def test_attention_weighs_frames_by_the_softmax_of_their_scores():
    # Scores ln 1, ln 2, ln 6 of the first feature's frames 1, 2, 6 give the weights 1/9, 2/9, 6/9.
    frames = torch.tensor([[[math.log(1.0), 1.0], [math.log(2.0), 2.0], [math.log(6.0), 6.0]]])

    pooled = attention([1.0, 0.0])(frames)

    assert pooled[0, 1].item() == pytest.approx((1 * 1 + 2 * 2 + 6 * 6) / 9)


def test_an_unknown_pooling_is_refused_by_name():
    with pytest.raises(ValueError, match="unknown pooling 'max'; known are last, mean, attention"):
        Pool(3, "max")
