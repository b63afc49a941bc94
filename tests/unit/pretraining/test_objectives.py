"""What each objective computes, on encoders that hide nothing."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqbench.errors import UserError
from seqbench.models.base import Encoder
from seqbench.pretraining.augmentations import spans
from seqbench.pretraining.autoencoder import AutoencoderObjective, mean_squared
from seqbench.pretraining.base import Objective
from seqbench.pretraining.contrastive import ContrastiveObjective, nt_xent
from seqbench.pretraining.cross_channel import CrossChannelObjective, whitened
from seqbench.pretraining.masked import MaskedObjective
from seqbench.pretraining.timestamp_contrastive import (
    MOST_CUT,
    TimestampContrastiveObjective,
    hierarchical,
)
from seqbench.pretraining.vae import VaeObjective, kl_divergence

T, C = 24, 2
LENGTHS = torch.tensor([24, 9, 17, 1, 24, 12])


class CopyEncoder(Encoder):
    """Every frame is the first of its samples; what was seen last is kept."""

    def __init__(self, n_features: int = C, stride: int = 1) -> None:
        super().__init__()
        self.n_features = n_features
        self.stride = stride
        self.seen = torch.empty(0)

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return every `stride`-th sample."""
        self.seen = x
        self.seen_lengths = lengths
        return x[:, :: self.stride]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(*shape: int, seed: int = 3) -> Tensor:
    return torch.randn(*shape, generator=seeded(seed))


def number(value: Tensor) -> float:
    return float(value.detach())


def padded_windows() -> Tensor:
    """Return noise, (B, T, C), zero after each end."""
    return noise(len(LENGTHS), T, C) * inside()[..., None]


def inside() -> Tensor:
    return torch.arange(T) < LENGTHS[:, None]


def silenced(layer: nn.Module, bias: float | list[float] = 0.0) -> None:
    """Let a layer answer its bias, whatever it is asked."""
    nn.init.zeros_(layer.weight)
    with torch.no_grad():
        layer.bias.copy_(torch.as_tensor(bias).expand_as(layer.bias))


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


# What they share.


class Draws(Objective):
    """The loss is the next random number."""

    def loss(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Return a draw."""
        return torch.rand((), generator=self.generator(x))


def drawn(objective: Objective, n: int) -> list[float]:
    return [number(objective.loss(torch.zeros(1, 1, C), None)) for _ in range(n)]


def test_every_evaluation_draws_the_same_numbers():
    objective = Draws(CopyEncoder(), C)

    first = drawn(objective.eval(), 3)
    objective.train()
    drawn(objective, 2)

    assert len(set(first)) == 3
    assert drawn(objective.eval(), 3) == first
    assert drawn(objective.eval(), 3) == first


def test_training_draws_go_on_as_if_nothing_had_been_evaluated_between():
    torch.manual_seed(1)
    without = Draws(CopyEncoder(), C).train()
    torch.manual_seed(1)
    interrupted = Draws(CopyEncoder(), C).train()

    expected = drawn(without, 4)
    before = drawn(interrupted, 2)
    drawn(interrupted.eval(), 5)
    after = drawn(interrupted.train(), 2)

    assert len(set(expected)) == 4
    assert before + after == expected


def test_training_and_evaluation_draw_different_numbers():
    objective = Draws(CopyEncoder(), C)

    assert drawn(objective.train(), 1) != drawn(objective.eval(), 1)


def test_objectives_built_with_different_seeds_draw_different_numbers():
    one, other = (Draws(CopyEncoder(), C) for _ in range(2))

    assert drawn(one, 1) != drawn(other, 1)


def test_the_loss_on_held_out_windows_is_the_same_at_every_evaluation():
    objective = MaskedObjective(CopyEncoder(), C, mask_fraction=0.5, span_samples=3)
    x = padded_windows()

    first = objective.eval().loss(x, LENGTHS)
    again = objective.loss(x, LENGTHS)

    assert not torch.equal(again, first)
    assert torch.equal(objective.train().eval().loss(x, LENGTHS), first)


def test_windows_are_cropped_to_the_longest():
    x = padded_windows()

    objective = Draws(CopyEncoder(), C)
    assert objective.prepare(x, torch.tensor([3, 5, 2, 1, 4, 5])).shape == (len(x), 5, C)
    assert objective.prepare(x, None).shape == x.shape


# Contrastive.


@pytest.mark.parametrize("n_windows", [1, 2, 7])
@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_chance_is_the_logarithm_of_the_number_of_other_views(n_windows, temperature):
    same = torch.tensor([[0.6, 0.8]]).expand(n_windows, 2)

    loss = nt_xent(same, same, temperature)

    assert loss.shape == ()
    assert number(loss) == pytest.approx(math.log(2 * n_windows - 1), abs=1e-5)


def test_two_windows_give_what_they_give_by_hand():
    first = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    second = torch.tensor([[0.0, 1.0], [0.0, 1.0]])

    loss = nt_xent(first, second, temperature=0.5)

    # The first view of the first window is at right angles to the three others, which are one
    # and the same. Cosines over 0.5 are 0 or 2.
    first_of_first = math.log(3)  # partner 0 among 0, 0, 0
    second_of_first = math.log(1 + 2 * math.exp(2)) - 0  # partner 0 among 0, 2, 2
    first_of_second = math.log(1 + 2 * math.exp(2)) - 2  # partner 2 among 0, 2, 2
    second_of_second = math.log(1 + 2 * math.exp(2)) - 2
    total = first_of_first + second_of_first + first_of_second + second_of_second
    assert number(loss) == pytest.approx(total / 4)


def test_perfect_pairs_cost_nothing_at_low_temperature():
    vectors = torch.eye(5)

    assert number(nt_xent(vectors, vectors, 0.02)) == pytest.approx(0, abs=1e-6)
    assert number(nt_xent(vectors, vectors.roll(1, 0), 0.02)) == pytest.approx(
        50, abs=1e-3
    )  # wrongly paired: 1 / 0.02 behind the nearest stranger


def test_without_augmentation_both_views_are_the_same():
    objective = ContrastiveObjective(CopyEncoder(), C, augmentations=(), projection_size=8)

    watched = objective.eval().watch(padded_windows(), LENGTHS)

    assert number(watched["alignment"]) == pytest.approx(0, abs=1e-10)
    assert watched["uniformity"] < 0


def test_views_are_two_different_draws_of_the_same_window():
    objective = ContrastiveObjective(CopyEncoder(), C, augmentations=("jitter",))
    x = padded_windows()

    objective.loss(x, LENGTHS)

    one, other = objective.encoder.seen.chunk(2)
    assert torch.equal(objective.encoder.seen_lengths, LENGTHS.repeat(2))
    assert not torch.equal(one, other)
    for view in (one, other):
        changed = (view - x)[inside()]
        assert number(changed.std()) == pytest.approx(0.2, rel=0.2)


def test_the_contrastive_loss_of_a_silent_projection_is_chance():
    objective = ContrastiveObjective(CopyEncoder(), C)
    silenced(objective.projection[2], 1.0)

    loss = objective.loss(padded_windows(), LENGTHS)

    assert number(loss) == pytest.approx(math.log(2 * len(LENGTHS) - 1), rel=1e-5)


# Contrast of moments.


def cross_entropy_by_loop(view: list[list[Tensor]], temperature: float) -> list[float]:
    """Return what each vector costs; view[v][i] of one view belongs to view[1 - v][i]."""
    costs = []
    for v, i in [(v, i) for v in (0, 1) for i in range(len(view[0]))]:
        strangers_and_partner = [(w, j) for w in (0, 1) for j in range(len(view[0]))]
        strangers_and_partner.remove((v, i))
        scores = {
            (w, j): number(F.cosine_similarity(view[v][i], view[w][j], dim=0)) / temperature
            for w, j in strangers_and_partner
        }
        total = sum(math.exp(score) for score in scores.values())
        costs.append(math.log(total) - scores[1 - v, i])
    return costs


def hierarchical_by_loop(
    first: Tensor, second: Tensor, is_there: Tensor, temperature: float
) -> float:
    """Return what `hierarchical` promises, frame by frame in double precision."""
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
        parts = [within] * (n_frames > 1) + [across] * (n_windows > 1)
        levels.append(sum(sum(part) / len(part) for part in parts) / len(parts))
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


ALL_THERE = [[True, True, True], [True, True, True]]
SOME_THERE = [[True, True, True], [True, False, False]]


@pytest.mark.parametrize("is_there", [ALL_THERE, SOME_THERE])
@pytest.mark.parametrize("temperature", [0.3, 1.0])
def test_moments_cost_what_a_plain_loop_says(is_there, temperature):
    first, second = noise(2, 3, 4, seed=1), noise(2, 3, 4, seed=2)
    is_there = torch.tensor(is_there)

    loss = hierarchical(first, second, is_there, temperature)

    expected = hierarchical_by_loop(first, second, is_there, temperature)
    assert number(loss) == pytest.approx(expected, rel=1e-5)


def test_many_windows_of_many_lengths_cost_what_a_plain_loop_says():
    first, second = noise(4, 7, 3, seed=1), noise(4, 7, 3, seed=2)
    is_there = torch.arange(7) < torch.tensor([7, 1, 4, 5])[:, None]

    loss = hierarchical(first, second, is_there, 0.2)

    expected = hierarchical_by_loop(first, second, is_there, 0.2)
    assert number(loss) == pytest.approx(expected, rel=1e-5)


def test_chance_is_that_of_frames_and_windows_at_every_scale():
    same = torch.tensor([0.5, -1.0, 2.0]).expand(3, 4, 3)

    loss = hierarchical(same, same, torch.ones(3, 4, dtype=torch.bool), 0.2)

    of_four = (math.log(7) + math.log(5)) / 2
    of_two = (math.log(3) + math.log(5)) / 2
    of_one = math.log(5)  # a whole window has no other moments
    assert number(loss) == pytest.approx((of_four + of_two + of_one) / 3, rel=1e-5)


def test_a_single_window_has_chance_of_its_moments_alone():
    same = torch.ones(1, 2, 3)

    loss = hierarchical(same, same, torch.ones(1, 2, dtype=torch.bool), 0.2)

    assert number(loss) == pytest.approx(math.log(3), rel=1e-5)


def test_single_frames_are_told_apart_across_windows_alone():
    first, second = (F.normalize(noise(5, 1, 4, seed=seed), dim=2) for seed in (1, 2))

    loss = hierarchical(first, second, torch.ones(5, 1, dtype=torch.bool), 0.2)

    torch.testing.assert_close(loss, nt_xent(first[:, 0], second[:, 0], 0.2))


def test_the_only_frame_of_the_only_window_costs_nothing_and_can_be_trained_on():
    frame = torch.ones(1, 1, 3, requires_grad=True)

    loss = hierarchical(frame, frame, torch.ones(1, 1, dtype=torch.bool), 0.2)
    loss.backward()

    assert number(loss.detach()) == 0
    assert (frame.grad == 0).all()


@pytest.mark.parametrize("value", [0.0, -1e4, 1e4])
def test_absent_frames_neither_matter_nor_learn(value):
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


def timestamps(stride: int, n_frames: int = 64) -> TimestampContrastiveObjective:
    """Return the objective without augmentation, whose frames are the samples themselves."""
    objective = TimestampContrastiveObjective(
        CopyEncoder(stride=stride), C, augmentations=(), n_frames=n_frames, projection_size=C
    )
    nn.init.eye_(objective.projection.weight)
    nn.init.zeros_(objective.projection.bias)
    return objective


@pytest.mark.parametrize("stated", [True, False])
@pytest.mark.parametrize("n_frames", [1, 5, 64])
@pytest.mark.parametrize("stride", [1, 3, 8])
def test_frames_that_are_compared_are_of_the_same_moment(stride, n_frames, stated):
    lengths = torch.tensor([50, 1, 2, 7, 33, 49] if stated else [50] * 6)
    x = numbered(lengths, 50)
    objective = timestamps(stride, n_frames)

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


def test_frames_that_are_compared_are_evenly_spaced_and_reach_everywhere():
    lengths = torch.full((200,), 80)
    objective = timestamps(stride=1, n_frames=6)

    first, _, is_there = objective._views(numbered(lengths, 80), lengths)

    assert is_there.all()
    spacing = first[..., 0].diff(dim=1)
    assert (spacing.amax(dim=1) - spacing.amin(dim=1) <= 1).all()
    assert (spacing.sum(dim=1) >= 5 * (40 / 6) - 1).all()  # of at least 40 shared moments
    assert first[..., 0].min() <= 3
    assert first[..., 0].max() >= 78


def test_one_view_lacks_some_of_the_end_and_the_other_some_of_the_beginning():
    lengths = torch.full((300,), 80)
    objective = timestamps(stride=4)

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


def test_without_augmentation_frames_of_one_moment_are_aligned():
    watched = timestamps(stride=2).eval().watch(padded_windows(), LENGTHS)

    assert number(watched["alignment"]) == pytest.approx(0, abs=1e-10)
    assert watched["uniformity"] < 0


def test_the_timestamp_loss_of_a_silent_projection_is_chance():
    objective = timestamps(stride=1, n_frames=2)
    silenced(objective.projection, 1.0)

    loss = objective.loss(noise(4, T, C), None)

    expected = ((math.log(3) + math.log(7)) / 2 + math.log(7)) / 2
    assert number(loss) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", ["shift", "time_warp"])
def test_contrast_of_moments_refuses_what_moves_events(name):
    with pytest.raises(UserError, match=f"'{name}'"):
        TimestampContrastiveObjective(CopyEncoder(), C, augmentations=("jitter", name))


# Masked.


def masked(stride: int = 1, **options: float) -> MaskedObjective:
    options = {"mask_fraction": 0.4, "span_samples": 3} | options
    return MaskedObjective(CopyEncoder(stride=stride), C, **options).eval()


def hidden_of(objective: MaskedObjective, x: Tensor) -> Tensor:
    """Return which samples the next loss hides, (B, T)."""
    state = objective.generator(x).get_state()
    taken = spans(x, objective.mask_fraction, objective.span_samples, objective.generator(x))
    objective.generator(x).set_state(state)
    return taken


def test_a_decoder_that_answers_zero_costs_the_mean_square_of_what_is_hidden():
    objective, x = masked(), padded_windows()
    silenced(objective.decoder.to_samples)
    is_hidden = hidden_of(objective, x) & inside()

    loss = objective.loss(x, LENGTHS)

    assert is_hidden.any()
    torch.testing.assert_close(loss, x[is_hidden].square().mean())


def test_only_hidden_samples_count():
    objective, x = masked(), padded_windows()
    silenced(objective.decoder.to_samples, 0.5)
    is_hidden = hidden_of(objective, x)[..., None]
    is_seen = inside()[..., None] & ~is_hidden

    loss = objective.loss(x, LENGTHS)
    of_other_seen = objective.eval().loss(x + 100 * is_seen, LENGTHS)
    of_other_hidden = objective.eval().loss(x + 100 * (is_hidden & inside()[..., None]), LENGTHS)

    assert is_seen.any()
    assert torch.equal(of_other_seen, loss)
    assert of_other_hidden > loss + 100


def test_nothing_hidden_costs_nothing():
    objective, x = masked(), padded_windows()
    objective.mask_fraction = 0.0

    loss = objective.loss(x, LENGTHS)

    assert number(loss.detach()) == 0
    assert objective.watch(x, LENGTHS)["error_over_mean"] == 0


def test_the_encoder_sees_a_learned_value_where_samples_are_hidden():
    objective, x = masked(), padded_windows()
    value = torch.tensor([7.0, -7.0])
    objective.hidden_value.data.copy_(value)
    is_hidden = hidden_of(objective, x) & inside()

    objective.loss(x, LENGTHS)

    seen = objective.encoder.seen
    assert (seen[is_hidden] == value).all()
    assert torch.equal(seen[~is_hidden], x[~is_hidden])


@pytest.mark.parametrize("stride", [1, 4])
def test_a_prediction_does_not_depend_on_what_is_hidden(stride):
    objective, x = masked(stride), noise(3, 22, C)
    is_hidden = spans(x, 0.5, 5, seeded())

    answer = objective.predict(x, is_hidden)
    other = objective.predict(x + 9 * is_hidden[..., None], is_hidden)

    assert answer.shape == x.shape
    assert torch.equal(answer, other)


def test_all_hidden_of_one_value_is_as_bad_as_the_mean_of_what_is_seen():
    objective, x = masked(), noise(40, T, C) + 3
    is_hidden = hidden_of(objective, x)
    mean = x[~is_hidden].mean(dim=0)
    silenced(objective.decoder.to_samples, mean.tolist())

    assert number(objective.watch(x, None)["error_over_mean"]) == pytest.approx(1, rel=1e-5)


# Autoencoders.


def autoencoder(kind: type = AutoencoderObjective, stride: int = 1, **options: float) -> Objective:
    options = {"latent_size": 2, "compression_samples": 5, "decoder_size": 6} | options
    return kind(CopyEncoder(stride=stride), C, **options)


KINDS = [AutoencoderObjective, VaeObjective]


@pytest.mark.parametrize("n_samples", [1, 4, 5, 6, 24])
@pytest.mark.parametrize("stride", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_one_latent_vector_of_a_window_rebuilds_it_whole(kind, stride, n_samples):
    objective = autoencoder(kind, stride, bottleneck="window").eval()
    x = noise(3, n_samples, C)

    assert objective.latent(x).shape == (3, 1, 2)
    assert objective.reconstruct(x).shape == x.shape


def test_the_latent_vector_of_a_window_comes_from_the_mean_of_its_frames():
    objective, x = autoencoder(bottleneck="window").eval(), padded_windows()

    latent = objective.latent(x, LENGTHS)

    mean = x.sum(dim=1) / LENGTHS[:, None]
    torch.testing.assert_close(latent[:, 0], objective.to_latent(mean))


def test_windows_are_rebuilt_the_same_alone_and_with_longer_ones():
    objective, x = autoencoder(bottleneck="window").eval(), padded_windows()

    rebuilt = objective.reconstruct(x, LENGTHS)

    for row, length in enumerate(LENGTHS.tolist()):
        alone = objective.reconstruct(x[row : row + 1, :length])[0]
        torch.testing.assert_close(rebuilt[row, :length], alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("bottleneck", ["stretch", "window"])
@pytest.mark.parametrize("kind", KINDS)
def test_gradient_reaches_every_parameter_of_either_bottleneck(kind, bottleneck):
    objective = autoencoder(kind, bottleneck=bottleneck).train()

    objective.loss(padded_windows(), LENGTHS).backward()

    for name, parameter in objective.named_parameters():
        if name != "unfold.bias_hh_l0":  # twin of another bias
            assert parameter.grad is not None, name
            assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("bottleneck", ["stretch", "window"])
def test_more_padding_changes_neither_loss_nor_what_is_watched(bottleneck):
    objective, x = autoencoder(VaeObjective, bottleneck=bottleneck).eval(), padded_windows()
    longer = F.pad(x, (0, 0, 0, 13))

    torch.testing.assert_close(objective.loss(longer, LENGTHS), objective.loss(x, LENGTHS))
    watched = objective.watch(x, LENGTHS)
    for name, value in objective.watch(longer, LENGTHS).items():
        torch.testing.assert_close(value, watched[name])


def test_noise_is_added_to_what_is_seen_in_training_but_not_to_the_target():
    objective = autoencoder(noise=0.5).train()
    silenced(objective.to_samples)
    x = padded_windows()

    loss = objective.loss(x, LENGTHS)

    torch.testing.assert_close(loss, x[inside()].square().mean())
    added = objective.encoder.seen - x
    assert number(added[inside()].std()) == pytest.approx(0.5, rel=0.2)
    assert (added[~inside()] == 0).all()


def test_no_noise_is_added_in_evaluation():
    objective, x = autoencoder(noise=0.5).eval(), padded_windows()

    objective.loss(x, LENGTHS)

    assert torch.equal(objective.encoder.seen, x)


def test_no_noise_is_added_in_training_unless_asked_for():
    objective, x = autoencoder().train(), padded_windows()

    objective.loss(x, LENGTHS)

    assert torch.equal(objective.encoder.seen, x)


@pytest.mark.parametrize("lengths", [None, LENGTHS])
@pytest.mark.parametrize("kind", KINDS)
def test_answering_the_mean_of_the_batch_is_an_error_over_mean_of_one(kind, lengths):
    objective = autoencoder(kind, compression_samples=1).eval()
    x = padded_windows()
    mean = x.mean(dim=(0, 1)) if lengths is None else x[inside()].mean(dim=0)
    silenced(objective.to_samples, mean.tolist())

    watched = objective.watch(x, lengths)

    assert number(watched["error_over_mean"]) == pytest.approx(1, rel=1e-5)


# Drawn latent vectors.


def vae(mean: float = 0.0, log_variance: float = 0.0, **options: float) -> VaeObjective:
    """Return one that says the same of every latent number, and answers zero."""
    options = {"kl_weight": 0.5, "warmup_steps": 0, "free_nats": 0.0} | options
    objective = autoencoder(VaeObjective, **options)
    silenced(objective.to_latent, [mean, mean, log_variance, log_variance])
    silenced(objective.to_samples)
    return objective


SILENCE = torch.zeros(2, 10, C)  # two stretches in each window


def test_the_standard_normal_diverges_by_nothing_from_itself():
    assert number(kl_divergence(torch.zeros(()), torch.zeros(()))) == 0


def test_the_divergence_is_what_it_is_by_hand():
    answer = kl_divergence(torch.tensor(1.0), torch.tensor(4.0).log())

    assert number(answer) == pytest.approx(0.5 * (1 + 4 - 1 - 1.3862944))  # log 4


def test_the_divergence_is_that_of_torch():
    mean, log_variance = noise(20, seed=1), noise(20, seed=2)
    normal = torch.distributions.Normal(mean, (0.5 * log_variance).exp())

    expected = torch.distributions.kl_divergence(normal, torch.distributions.Normal(0.0, 1.0))
    torch.testing.assert_close(kl_divergence(mean, log_variance), expected)


def test_divergence_is_spread_over_samples_and_channels():
    loss = vae(mean=1.0).eval().loss(SILENCE, None)

    # Two latent numbers of 0.5 nats for each of two stretches; ten samples of two channels.
    assert number(loss) == pytest.approx(0.5 * (2 * 2 * 0.5) / (10 * 2))


def test_divergence_past_the_end_of_a_window_does_not_count():
    loss = vae(mean=1.0).eval().loss(SILENCE, torch.tensor([10, 3]))

    # Three stretches of one nat, and 13 samples of two channels.
    assert number(loss) == pytest.approx(0.5 * 3 / 26)


def test_a_window_with_one_latent_vector_pays_for_one():
    loss = vae(mean=1.0, bottleneck="window").eval().loss(SILENCE, torch.tensor([10, 3]))

    assert number(loss) == pytest.approx(0.5 * 2 / 26)


@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_without_weight_the_loss_is_half_the_squared_error(lengths):
    objective = autoencoder(VaeObjective, kl_weight=0.0).eval()
    x = padded_windows()

    loss = objective.loss(x, lengths)

    expected = 0.5 * mean_squared(objective.reconstruct(x, lengths), x, lengths)
    torch.testing.assert_close(loss, expected)


def test_the_weight_rises_over_the_first_training_steps_and_then_stays():
    objective = vae(mean=1.0, warmup_steps=4).train()
    full = 0.5 * 2 / 20

    losses = [number(objective.loss(SILENCE, None)) for _ in range(6)]

    expected = [full / 4, full / 2, 3 * full / 4, full, full, full]
    assert losses == pytest.approx(expected)


def test_evaluation_has_the_full_weight_and_is_no_training_step():
    objective = vae(mean=1.0, warmup_steps=4).eval()
    full = 0.5 * 2 / 20

    watched = [number(objective.loss(SILENCE, None)) for _ in range(3)]

    assert watched == pytest.approx([full] * 3)
    assert number(objective.train().loss(SILENCE, None)) == pytest.approx(full / 4)


def test_free_nats_are_free_of_gradient_in_training_alone():
    objective = vae(mean=1.0, free_nats=0.6)  # more than the 0.5 that are said

    objective.train().loss(SILENCE, None).backward()
    in_training = objective.to_latent.bias.grad.clone()
    objective.zero_grad()
    objective.eval().loss(SILENCE, None).backward()

    assert (in_training == 0).all()
    # d/dm of 0.5 * (m^2 / 2) * 2 / 20 at m = 1, per latent number; none by the variance at 1
    assert objective.to_latent.bias.grad.tolist() == pytest.approx([0.05, 0.05, 0, 0])


def test_more_than_the_free_nats_costs_what_it_costs_without():
    objective = vae(mean=1.0, free_nats=0.4)

    in_training = objective.train().loss(SILENCE, None)

    torch.testing.assert_close(in_training, objective.eval().loss(SILENCE, None))


def test_latent_vectors_are_drawn_in_training_alone():
    objective = autoencoder(VaeObjective, warmup_steps=0, free_nats=0.0)
    x = padded_windows()

    first, second = (objective.train().loss(x, LENGTHS) for _ in range(2))
    evaluated = [objective.eval().loss(x, LENGTHS) for _ in range(2)]

    assert not torch.equal(first, second)
    assert torch.equal(*evaluated)


def test_a_collapsed_one_has_no_active_unit():
    watched = vae(mean=0.0, log_variance=0.0).eval().watch(noise(2, 10, C), None)

    assert watched["active_units"] == 0
    assert watched["kl_per_unit"] == 0
    assert watched["error_over_mean"] >= 1


@pytest.mark.parametrize("lengths", [None, torch.tensor([10, 3])])
def test_units_that_say_something_are_active(lengths):
    objective = vae(free_nats=9.0)
    silenced(objective.to_latent, [1.0, 0.0, 0.0, 0.0])

    watched = objective.eval().watch(SILENCE, lengths)

    assert number(watched["active_units"]) == pytest.approx(0.5)
    assert number(watched["kl_per_unit"]) == pytest.approx((0.5 + 0) / 2)


def test_variances_are_kept_within_what_can_be_computed():
    objective = vae(log_variance=200.0).train()

    assert objective.loss(SILENCE, None).isfinite()


# Across channels.


def cross_channel(n_channels: int = C, **options: bool) -> CrossChannelObjective:
    return CrossChannelObjective(CopyEncoder(n_channels), n_channels, **options).eval()


def test_some_channels_are_hidden_and_some_are_seen():
    objective = cross_channel(4)
    x = noise(500, 3, 4)

    objective.loss(x, None)

    is_seen = (objective.encoder.seen != 0).float()
    assert torch.equal(is_seen.amin(dim=1), is_seen.amax(dim=1)), "a channel is hidden as a whole"
    n_seen = is_seen[:, 0].sum(dim=1)
    assert set(n_seen.tolist()) == {1.0, 2.0, 3.0}
    torch.testing.assert_close(is_seen.mean(dim=(0, 1)), torch.full((4,), 0.5), atol=0.06, rtol=0)


@pytest.mark.parametrize("whiten", [True, False])
@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_silence_misses_all_of_the_hidden_channels(whiten, lengths):
    objective = cross_channel(whiten=whiten)
    silenced(objective.decoder.to_samples)
    x = noise(6, T, C) if lengths is None else padded_windows()

    assert number(objective.loss(x, lengths)) == pytest.approx(1)
    assert number(objective.train().eval().watch(x, lengths)["error_over_mean"]) == pytest.approx(1)


def test_a_constant_answer_misses_what_it_misses_by_hand():
    objective = cross_channel(whiten=False)
    silenced(objective.decoder.to_samples, [1.0, 1.0])
    x = torch.tensor([[[2.0, 3.0], [1.0, 1.0], [0.0, 0.0]]])

    loss = objective.loss(x, torch.tensor([2]))

    # Of two channels one is hidden: (2, 1) or (3, 1), answered by 1.
    first, second = (1 + 0) / (4 + 1), (4 + 0) / (9 + 1)
    hidden = int((objective.encoder.seen[0, 0] == 0).nonzero())
    assert number(loss) == pytest.approx([first, second][hidden])


def test_what_channels_have_in_common_can_be_learned_and_noise_of_their_own_cannot():
    alike = noise(8, T, 1).expand(8, T, C)
    apart = noise(8, T, C)
    losses = []
    for x in (alike, apart):
        objective = CrossChannelObjective(CopyEncoder(), C, whiten=False)
        optimizer = torch.optim.Adam(objective.parameters(), lr=0.02)
        for _ in range(150):
            optimizer.zero_grad()
            objective.loss(x, None).backward()
            optimizer.step()
        unseen = noise(8, T, C, seed=9) if x is apart else x
        losses.append(number(objective.eval().loss(unseen, None)))

    assert losses[0] < 0.2
    assert losses[1] > 0.9


def test_whitening_leaves_what_the_sample_before_does_not_foretell():
    slow = torch.tensor([1.0, 2.0, 4.0, 8.0])
    x = torch.zeros(2, 6, 2)
    x[0, :4, 0] = slow
    x[1, :2, 0] = slow[:2]
    x[:, 0, 1] = 5.0  # followed by nothing

    white = whitened(x, torch.tensor([4, 2]))

    assert torch.equal(white[..., 0], torch.zeros(2, 6)), "every sample is twice the one before"
    assert torch.equal(white[..., 1], torch.zeros(2, 6))


def test_whitened_noise_has_no_memory():
    x = torch.zeros(1, 4000, 1)
    for i, draw in enumerate(noise(4000)):
        x[0, i] = 0.8 * x[0, i - 1] + draw

    white = whitened(x, None)[0, 1:, 0]

    correlation = (white[1:] * white[:-1]).mean() / white.square().mean()
    assert abs(number(correlation)) < 0.05
    assert number(white.std()) == pytest.approx(1, rel=0.05)


def test_a_single_channel_has_nothing_to_be_told_from():
    with pytest.raises(UserError, match=r"'cross_channel' .* a single one; leave its arms out"):
        cross_channel(1)
