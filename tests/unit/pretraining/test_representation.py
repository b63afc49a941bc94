"""Signs of collapse against values by hand."""

import math

import pytest
import torch
from torch import Tensor

from seqbench.pretraining.representation import (
    MOST_VECTORS,
    alignment,
    effective_rank,
    pooled,
    uniformity,
)
from seqbench.training.pretrain import collapse


def axes(n_directions: int, n_features: int, size: float = 1.0) -> Tensor:
    """Return both ends of the first axes, (2 n_directions, n_features); their mean is zero."""
    half = size * torch.eye(n_directions, n_features)
    return torch.cat([half, -half])


@pytest.mark.parametrize("n_features", [5, 40])  # fewer and more than vectors
@pytest.mark.parametrize("n_directions", [1, 2, 5])
def test_equal_directions_count_one_each(n_directions, n_features):
    rank = effective_rank(axes(n_directions, n_features))

    assert rank.shape == ()
    assert float(rank) == pytest.approx(n_directions, rel=1e-4)


def test_unequal_directions_count_by_the_entropy_of_their_singular_values():
    vectors = axes(2, 3)
    vectors[:, 1] /= 3  # singular values 1 : 1/3, so shares 3/4 and 1/4

    expected = math.exp(-0.75 * math.log(0.75) - 0.25 * math.log(0.25))
    assert float(effective_rank(vectors)) == pytest.approx(expected, rel=1e-4)


def test_rank_depends_neither_on_size_nor_on_rotation_nor_on_the_mean():
    turn = torch.linalg.qr(torch.randn(6, 6, generator=torch.Generator().manual_seed(0)))[0]

    for vectors in (1e-3 * axes(3, 6) @ turn, axes(3, 6) + torch.linspace(-2, 2, 6)):
        assert float(effective_rank(vectors)) == pytest.approx(3, rel=1e-3)


@pytest.mark.parametrize("n_vectors", [1, 50])
@pytest.mark.parametrize("value", [0.0, 1e-6, 1.0, 1e4])
def test_equal_vectors_have_rank_one(value, n_vectors):
    assert float(effective_rank(torch.full((n_vectors, 8), value))) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("shape", [(500, 8), (8, 500)])
def test_vectors_that_differ_by_rounding_alone_have_rank_one(shape):
    generator = torch.Generator().manual_seed(0)
    vectors = 3 * torch.rand(shape[1], generator=generator).expand(shape)
    rounded = vectors * (1 + 1e-6 * torch.randn(shape, generator=generator))

    assert float(effective_rank(rounded)) == pytest.approx(1, abs=1e-4)


def test_of_many_vectors_those_of_the_full_range_are_used():
    vectors = torch.zeros(3 * MOST_VECTORS, 4)
    vectors[: MOST_VECTORS // 2, 0] = 1
    vectors[-MOST_VECTORS // 2 :, 1] = 1

    # A first and a last sixth that differ from the rest, by symmetry along two directions:
    # (1, -1) with the sum of squares N / 6, and (1, 1) with N / 6 - N / 18 = N / 9.
    shares = [math.sqrt(1 / 6), math.sqrt(1 / 9)]
    shares = [share / sum(shares) for share in shares]
    expected = math.exp(-sum(share * math.log(share) for share in shares))
    assert float(effective_rank(vectors)) == pytest.approx(expected, rel=1e-3)


def test_alignment_is_the_mean_squared_distance_of_pairs():
    first = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    second = torch.tensor([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]])

    # 0 of the same, 1 + 1 at a right angle, 2 squared of opposites
    assert float(alignment(first, second)) == pytest.approx((0 + 2 + 4) / 3)


@pytest.mark.parametrize("n_vectors", [1, 5])
def test_uniformity_of_equal_vectors_is_zero(n_vectors):
    equal = torch.tensor([[0.6, 0.8]]).expand(n_vectors, 2)

    assert float(uniformity(equal)) == pytest.approx(0)


def test_uniformity_is_that_of_the_distances_of_all_pairs():
    vectors = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])

    # squared distances 2, 2 and 4
    expected = math.log((2 * math.exp(-4) + math.exp(-8)) / 3)
    assert float(uniformity(vectors)) == pytest.approx(expected)


def test_pooled_is_the_mean_of_the_frames_that_exist():
    frames = torch.tensor([[[1.0], [3.0], [8.0]], [[5.0], [7.0], [0.0]]])

    assert pooled(frames, None).tolist() == [[4.0], [4.0]]
    assert pooled(frames, torch.tensor([2, 2])).tolist() == [[2.0], [6.0]]
    assert pooled(frames, torch.tensor([3, 1])).tolist() == [[4.0], [5.0]]


HEALTHY = {"effective_rank": 6.0, "active_units": 0.5, "error_over_mean": 0.4}


@pytest.mark.parametrize(
    "watched", [HEALTHY, {"effective_rank": 6.0}, HEALTHY | {"effective_rank": 2.0}]
)
def test_an_encoder_without_a_sign_of_collapse_has_none(watched):
    assert collapse(watched) is None


@pytest.mark.parametrize(
    ("sign", "reason"),
    [
        ({"effective_rank": 1.2}, "frames differ in 1.2 directions"),
        ({"active_units": 0.0}, "no unit"),
        ({"error_over_mean": 1.0}, "no better than the mean"),
        ({"error_over_mean": 1.5}, "no better than the mean"),
    ],
)
def test_each_sign_of_collapse_is_named(sign, reason):
    why = collapse(HEALTHY | sign)

    assert why is not None
    assert reason in why


def test_vectors_that_are_not_finite_have_no_rank():
    vectors = torch.eye(5)
    vectors[2, 1] = float("nan")

    assert not effective_rank(vectors).isfinite()
