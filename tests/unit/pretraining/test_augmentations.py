"""What an augmentation changes of a window, and what it leaves."""

from contextlib import nullcontext
from typing import get_args

import pytest
import torch
from torch import Tensor

from seqbench.config.options import AugmentationNames
from seqbench.errors import UserError
from seqbench.pretraining.augmentations import (
    AUGMENTATIONS,
    MOVE_EVENTS,
    Augmentations,
    band_noise,
    channel_drop,
    channel_mix,
    jitter,
    scaling,
    shift,
    spans,
    time_mask,
    time_warp,
)

B, T, C = 16, 40, 3
LENGTHS = torch.tensor([40, 1, 2, 3, 17, 25, 39, 40] * 2)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def padded_windows() -> Tensor:
    """Return noise, (B, T, C), zero after each end."""
    x = torch.randn(B, T, C, generator=seeded(5))
    return x * (torch.arange(T) < LENGTHS[:, None])[..., None]


def ramps(n_samples: int, n_windows: int = 50) -> Tensor:
    """Return windows of one channel whose samples are 1, 2, 3 and so on, (n_windows, T, 1)."""
    return torch.arange(1.0, n_samples + 1).expand(n_windows, -1)[..., None]


@pytest.fixture(params=list(AUGMENTATIONS))
def augmentation(request):
    return AUGMENTATIONS[request.param]


def test_the_options_name_every_augmentation():
    literal, _ = get_args(AugmentationNames)

    assert set(get_args(literal)) == set(AUGMENTATIONS)


@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_windows_are_changed_by_the_given_generator_alone(augmentation, lengths):
    x, generator = padded_windows(), seeded(1)
    before, state = x.clone(), torch.get_rng_state()

    changed = augmentation(x, lengths, generator)

    assert changed.shape == x.shape
    assert changed.dtype == x.dtype
    assert changed.isfinite().all()
    assert not torch.equal(changed, x)
    assert torch.equal(x, before), "the input is not changed"
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(augmentation(x, lengths, seeded(1)), changed)
    for other in (generator, seeded(2)):
        assert not torch.equal(augmentation(x, lengths, other), changed)


def test_windows_stay_zero_after_each_end(augmentation):
    for seed in range(10):
        changed = augmentation(padded_windows(), LENGTHS, seeded(seed))

        assert (changed[torch.arange(T) >= LENGTHS[:, None]] == 0).all()


def test_windows_of_a_batch_are_changed_each_in_its_own_way(augmentation):
    x = padded_windows()[:1].expand(B, -1, -1)

    changed = augmentation(x, None, seeded())

    assert not torch.equal(changed, changed[:1].expand(B, -1, -1))


def test_lengths_of_none_are_full_and_other_windows_have_no_effect(augmentation):
    x = torch.randn(B, T, C, generator=seeded(5))
    others = torch.cat([x[:1], -7 * x[1:]])

    changed = augmentation(x, None, seeded())

    assert torch.equal(augmentation(x, torch.full((B,), T), seeded()), changed)
    assert torch.equal(augmentation(others, None, seeded())[0], changed[0])


@pytest.mark.parametrize("n_samples", [1, 2, 3])
def test_very_short_windows_can_be_changed(augmentation, n_samples):
    x = torch.randn(B, n_samples, C, generator=seeded(5))

    for lengths in (None, torch.arange(B) % n_samples + 1):
        changed = augmentation(x, lengths, seeded())

        assert changed.shape == x.shape
        assert changed.isfinite().all()


def test_an_event_is_moved_exactly_by_augmentations_that_declare_it(augmentation):
    onset = 30  # of 120 samples: every time warp moves it
    x = torch.zeros(64, 120, C)
    x[:, onset] = 10.0

    loudness = augmentation(x, None, seeded()).abs().sum(dim=2)

    audible = loudness.amax(dim=1) > 4  # the event itself may be masked or cut off
    assert audible.sum() > 32
    moved = loudness.argmax(dim=1)[audible] != onset
    assert moved.any() == (augmentation in MOVE_EVENTS)


# Each of them.


def test_jitter_has_the_requested_deviation():
    noise = jitter(torch.zeros(100, 50, 2), None, seeded(), 0.5)

    assert float(noise.std()) == pytest.approx(0.5, rel=0.05)  # 10,000 numbers
    assert abs(float(noise.mean())) < 0.03


@pytest.mark.parametrize("n_samples", [4, 5, 7, 16, 65, 128])
def test_band_noise_lies_within_one_octave(n_samples):
    noise = band_noise(torch.zeros(64, n_samples, C), None, seeded())

    spectrum = torch.fft.rfft(noise.double(), dim=1).abs()
    for window in spectrum:
        loud = (window > 1e-4 * window.max()).any(dim=1).nonzero()[:, 0]
        assert loud.min() >= 1  # the mean of a window stays
        assert loud.max() <= 2 * loud.min() + 1


def test_band_noise_has_the_requested_deviation():
    noise = band_noise(torch.zeros(20, 64, C), None, seeded(), 0.7)

    deviation = noise.std(dim=1, correction=0)
    torch.testing.assert_close(deviation, torch.full((20, C), 0.7))


def test_scaling_keeps_signs_and_the_form_of_a_channel():
    x = padded_windows()

    changed = scaling(x, LENGTHS, seeded(), 1.0)

    assert torch.equal(changed.sign(), x.sign())
    factor = changed[0] / x[0]
    torch.testing.assert_close(factor, factor[:1].expand(T, C))
    assert len(factor[0].unique()) == C


def test_scaling_has_the_requested_deviation():
    factor = scaling(torch.ones(2000, 1, 3), None, seeded(), 0.4).log()

    assert float(factor.std()) == pytest.approx(0.4, rel=0.05)  # 6,000 numbers
    assert abs(float(factor.mean())) < 0.03


@pytest.mark.parametrize("n_channels", [1, 2, 5])
def test_channel_drop_keeps_a_channel_of_every_window(n_channels):
    x = torch.ones(200, 3, n_channels)

    changed = channel_drop(x, None, seeded(), 1.0)

    assert (changed.sum(dim=2) == 1).all()


def test_channel_drop_sets_channels_to_zero_with_its_probability():
    changed = channel_drop(torch.ones(2000, 4, 6), None, seeded(), 0.3)

    assert torch.equal(changed, changed[:, :1].expand_as(changed))
    assert set(changed.unique().tolist()) == {0.0, 1.0}
    assert float((changed == 0).float().mean()) == pytest.approx(0.3, abs=0.02)  # of 12,000


def test_channel_mix_keeps_a_channel_and_leaks_its_form_into_the_others():
    x = torch.zeros(500, 20, C)
    x[..., 1] = torch.randn(500, 20, generator=seeded(5))

    changed = channel_mix(x, None, seeded(), 0.1)

    assert torch.equal(changed[..., 1], x[..., 1])
    leak = changed[:, :, [0, 2]] / x[..., 1:2]
    torch.testing.assert_close(leak, leak[:, :1].expand_as(leak), rtol=1e-3, atol=1e-5)
    assert float(leak[:, 0].std()) == pytest.approx(0.1, rel=0.1)  # 1,000 numbers


@pytest.mark.parametrize(("fraction", "span_samples"), [(0.1, 16), (0.5, 3), (0.3, 100)])
def test_time_mask_sets_about_its_fraction_of_all_channels_to_zero(fraction, span_samples):
    changed = time_mask(torch.ones(3000, 64, C), None, seeded(), fraction, span_samples)

    silent = changed == 0
    assert torch.equal(silent, silent[..., :1].expand_as(silent))
    assert float(silent.float().mean()) == pytest.approx(fraction, abs=0.03)
    at_sample = silent[..., 0].float().mean(dim=0)  # alike over the window
    assert ((at_sample - fraction).abs() < 0.06).all()


def test_masked_runs_inside_a_window_are_whole_spans():
    taken = spans(torch.zeros(50, 64, 1), 0.4, 5, seeded())

    n_runs = 0
    for row in taken.tolist():
        runs = "".join("#" if sample else "." for sample in row).split(".")[1:-1]
        lengths = [len(run) for run in runs if run]
        assert all(length % 5 == 0 for length in lengths)
        n_runs += len(lengths)
    assert n_runs > 50


def test_shift_moves_a_window_whole_and_cuts_off_what_leaves_it():
    length, n_samples = 40, 50
    x = ramps(n_samples) * (torch.arange(n_samples) < length)[:, None]

    changed = shift(x, torch.full((50,), length), seeded(), 0.25)

    distances = set()
    for window in changed[..., 0]:
        place = window.nonzero()[:, 0]
        distance = int(place[0] - window[place[0]] + 1)
        expected = torch.zeros(n_samples)
        stay = torch.arange(max(0, distance), min(length, length + distance))
        expected[stay] = stay - distance + 1.0
        assert torch.equal(window, expected)
        distances.add(distance)
    assert min(distances) < -5
    assert max(distances) > 5
    assert max(map(abs, distances)) <= 10  # a quarter of the length, not of the padding


def test_time_warp_keeps_both_ends_and_the_order_of_time():
    length, n_samples = 60, 70
    x = ramps(n_samples) * (torch.arange(n_samples) < length)[:, None]

    changed = time_warp(x, torch.full((50,), length), seeded(), 0.9)[:, :length, 0]

    torch.testing.assert_close(changed[:, 0], torch.full((50,), 1.0))
    torch.testing.assert_close(changed[:, -1], torch.full((50,), float(length)))
    assert (changed.diff(dim=1) > 0).all()


def test_time_warp_changes_speed_by_no_more_than_its_strength():
    speed = time_warp(ramps(100), None, seeded(), 0.3)[..., 0].diff(dim=1)

    assert (speed - 1).abs().max() < 0.3 + 1e-3
    assert speed.max() > 1.2
    assert speed.min() < 0.8


# Several.


def test_several_are_applied_in_order():
    x, generator = padded_windows(), seeded(3)

    changed = Augmentations(["jitter", "time_mask", "shift"])(x, LENGTHS, seeded(3))

    for step in (jitter, time_mask, shift):
        x = step(x, LENGTHS, generator)
    assert torch.equal(changed, x)


@pytest.mark.parametrize("one", AUGMENTATIONS.values())
def test_only_augmentations_that_move_events_are_refused_where_time_is_kept(one):
    refused = pytest.raises(UserError, match=f"'{one.__name__}'")
    with refused if one in MOVE_EVENTS else nullcontext():
        Augmentations(["jitter", one.__name__], keep_time=True)
