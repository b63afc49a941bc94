"""Contrast of times against a plain loop, and the views."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqbench.errors import UserError
from seqbench.pretraining.contrastive import nt_xent
from seqbench.pretraining.timestamp_contrastive import (
    MOST_CUT,
    TimestampContrastiveObjective,
    hierarchical,
)

T, C = 24, 2


@pytest.fixture
def make(copy_encoder):
    """Make the objective without augmentation, whose frames are the samples themselves."""

    def make(stride: int, n_frames: int = 64) -> TimestampContrastiveObjective:
        objective = TimestampContrastiveObjective(
            copy_encoder(stride=stride), C, augmentations=(), n_frames=n_frames, projection_size=C
        )
        nn.init.eye_(objective.projection.weight)
        nn.init.zeros_(objective.projection.bias)
        return objective

    return make


def every(*shape: int) -> Tensor:
    return torch.ones(*shape, dtype=torch.bool)


def cross_entropy_by_loop(view: list[list[Tensor]], temperature: float) -> list[float]:
    """Return the loss of each vector; view[v][i] of one view belongs to view[1 - v][i]."""
    losses = []
    for v, i in [(v, i) for v in (0, 1) for i in range(len(view[0]))]:
        others = [(w, j) for w in (0, 1) for j in range(len(view[0]))]
        others.remove((v, i))
        scores = {
            (w, j): F.cosine_similarity(view[v][i], view[w][j], dim=0).item() / temperature
            for w, j in others
        }
        total = sum(math.exp(score) for score in scores.values())
        losses.append(math.log(total) - scores[1 - v, i])
    return losses


def hierarchical_by_loop(
    first: Tensor, second: Tensor, is_there: Tensor, temperature: float
) -> float:
    """Return the value of `hierarchical`, frame by frame in double precision."""
    n_windows, n_frames = is_there.shape
    views = [
        {
            (b, p): view[b, p].double()
            for b in range(n_windows)
            for p in range(n_frames)
            if is_there[b, p]
        }
        for view in (first, second)
    ]
    levels = []
    while True:
        within, across = [], []
        for b in range(n_windows):
            keys = [(b, p) for p in range(n_frames) if (b, p) in views[0]]
            within += cross_entropy_by_loop([[v[k] for k in keys] for v in views], temperature)
        for p in range(n_frames):
            keys = [(b, p) for b in range(n_windows) if (b, p) in views[0]]
            across += cross_entropy_by_loop([[v[k] for k in keys] for v in views], temperature)
        terms = [within] * (n_frames > 1) + [across] * (n_windows > 1)
        levels.append(sum(sum(term) / len(term) for term in terms) / len(terms))
        if n_frames == 1:
            return sum(levels) / len(levels)
        pooled = []
        for view in views:
            halves: dict[tuple[int, int], Tensor] = {}
            for (b, p), frame in view.items():
                key = (b, p // 2)
                halves[key] = torch.maximum(halves[key], frame) if key in halves else frame
            pooled.append(halves)
        views, n_frames = pooled, -(-n_frames // 2)


@pytest.mark.parametrize(("counts", "n_frames"), [((3, 3), 3), ((3, 1), 3), ((7, 1, 4, 5), 7)])
@pytest.mark.parametrize("temperature", [0.2, 1.0])
def test_the_loss_is_that_of_a_plain_loop(noise, counts, n_frames, temperature):
    first, second = (noise(len(counts), n_frames, 4, seed=seed) for seed in (1, 2))
    is_there = torch.arange(n_frames) < torch.tensor(counts)[:, None]

    loss = hierarchical(first, second, is_there, temperature)

    expected = hierarchical_by_loop(first, second, is_there, temperature)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_chance_is_that_of_frames_and_windows_at_every_scale():
    same = torch.tensor([0.5, -1.0, 2.0]).expand(3, 4, 3)

    loss = hierarchical(same, same, every(3, 4), 0.2)

    of_four = (math.log(7) + math.log(5)) / 2
    of_two = (math.log(3) + math.log(5)) / 2
    of_one = math.log(5)  # a window has no other times
    assert loss.item() == pytest.approx((of_four + of_two + of_one) / 3, rel=1e-5)


def test_single_frames_are_compared_across_windows_alone(noise):
    first, second = (F.normalize(noise(5, 1, 4, seed=seed), dim=2) for seed in (1, 2))

    loss = hierarchical(first, second, every(5, 1), 0.2)

    torch.testing.assert_close(loss, nt_xent(first[:, 0], second[:, 0], 0.2))


def test_the_only_frame_of_the_only_window_has_loss_zero_and_a_gradient():
    frame = torch.ones(1, 1, 3, requires_grad=True)

    loss = hierarchical(frame, frame, every(1, 1), 0.2)
    loss.backward()

    assert loss.item() == 0
    assert (frame.grad == 0).all()


@pytest.mark.parametrize("value", [0.0, -1e4, 1e4])
def test_absent_frames_have_no_effect_and_no_gradient(value, noise):
    is_there = torch.arange(5) < torch.tensor([5, 2, 1])[:, None]
    first, second = noise(3, 5, 4, seed=1), noise(3, 5, 4, seed=2)
    expected = hierarchical(first, second, is_there, 0.2)
    first, second = (view.masked_fill(~is_there[..., None], value) for view in (first, second))

    loss = hierarchical(first.requires_grad_(), second, is_there, 0.2)
    loss.backward()

    torch.testing.assert_close(loss, expected)
    assert (first.grad[~is_there] == 0).all()
    assert first.grad.isfinite().all()
    assert (first.grad[is_there] != 0).any()


def numbered(lengths: Tensor, n_samples: int) -> Tensor:
    """Return windows whose samples are (sample, window), counted from one; (B, T, 2)."""
    sample = torch.arange(1, n_samples + 1).expand(len(lengths), -1)
    window = torch.arange(1, len(lengths) + 1)[:, None].expand(-1, n_samples)
    exists = sample <= lengths[:, None]
    return (torch.stack([sample, window], dim=2) * exists[..., None]).float()


@pytest.mark.parametrize("stated", [True, False])
@pytest.mark.parametrize("n_frames", [1, 5, 64])
@pytest.mark.parametrize("stride", [1, 3, 8])
def test_compared_frames_are_of_the_same_time(make, stride, n_frames, stated):
    lengths = torch.tensor([50, 1, 2, 7, 33, 49] if stated else [50] * 6)
    x = numbered(lengths, 50)
    objective = make(stride, n_frames)

    for _ in range(30):
        first, second, is_there = objective._views(x, lengths if stated else None)

        assert torch.equal(first[is_there], second[is_there])
        for b, length in enumerate(lengths.tolist()):
            sample, window = first[b][is_there[b]].T
            assert (window == b + 1).all()
            assert ((sample - 1) % stride == 0).all()
            assert (sample <= length).all()
            assert (sample.diff() > 0).all()
            n_of_window = -(-length // stride)
            assert min(n_frames, (1 - 2 * MOST_CUT) * n_of_window) <= len(sample)
            assert len(sample) <= min(n_frames, n_of_window)


def test_compared_frames_are_evenly_spaced_over_the_window(make):
    lengths = torch.full((200,), 80)
    objective = make(stride=1, n_frames=6)

    first, _, is_there = objective._views(numbered(lengths, 80), lengths)

    assert is_there.all()
    spacing = first[..., 0].diff(dim=1)
    assert (spacing.amax(dim=1) - spacing.amin(dim=1) <= 1).all()
    assert (spacing.sum(dim=1) >= 5 * (40 / 6) - 1).all()  # of at least 40 shared times
    assert first[..., 0].min() <= 3
    assert first[..., 0].max() >= 78


def test_one_view_lacks_some_of_the_end_and_the_other_some_of_the_beginning(make):
    lengths = torch.full((300,), 80)
    objective = make(stride=4)

    objective._views(numbered(lengths, 80), lengths)

    early, late = objective.encoder.seen[..., 0].chunk(2)
    stop, n_late = objective.encoder.seen_lengths.chunk(2)
    assert (early[:, 0] == 1).all()
    assert torch.equal(early.amax(dim=1), stop.float())
    assert 60 <= int(stop.min()) < 65
    assert int(stop.max()) > 75
    assert (late.amax(dim=1) == 80).all()
    assert torch.equal(81 - late[:, 0], n_late.float())
    assert set((late[:, 0] - 1).tolist()) <= {0.0, 4.0, 8.0, 12.0, 16.0, 20.0}
    assert len(late[:, 0].unique()) >= 4
    for view, count in ((early, stop), (late, n_late)):
        assert torch.equal((view > 0).sum(dim=1), count)


@pytest.mark.parametrize("name", ["shift", "time_warp"])
def test_augmentations_that_move_events_are_refused(copy_encoder, name):
    with pytest.raises(UserError, match=f"'{name}'"):
        TimestampContrastiveObjective(copy_encoder(), C, augmentations=("jitter", name))
