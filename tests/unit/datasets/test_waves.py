"""Waves have the shape, length, noise and class they promise."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from seqbench.datasets.base import DataError
from seqbench.datasets.waves import waves

CACHE = Path("unused")
ALL = ("sine", "square", "triangle", "sawtooth")


ROOT = np.sqrt(0.5)


@pytest.mark.parametrize(
    ("shape", "period"),
    [
        ("sine", [0, ROOT, 1, ROOT, 0, -ROOT, -1, -ROOT]),
        ("square", [0, 1, 1, 1, None, -1, -1, -1]),  # the middle lies on a jump
        ("triangle", [0, 0.5, 1, 0.5, 0, -0.5, -1, -0.5]),
        ("sawtooth", [-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75]),
    ],
)
def test_a_period_has_its_shape(shape, period):
    other = "sine" if shape != "sine" else "square"
    made = waves(CACHE, n_windows=20, window_samples=9, shapes=(shape, other), noise=0.0)

    known = [i for i, value in enumerate(period) if value is not None]
    found = made.signals[0][known, 0]
    np.testing.assert_allclose(found, [period[i] for i in known], atol=1e-6)


@pytest.mark.parametrize("shape", ALL)
def test_more_cycles_are_periods_of_the_same_shape(shape):
    one = waves(CACHE, n_windows=20, window_samples=9, shapes=(shape, "sine"), noise=0.0)
    three = waves(
        CACHE, n_windows=20, window_samples=25, shapes=(shape, "sine"), noise=0.0, cycles=3.0
    )

    first = one.signals[0][1:8]  # the ends lie on jumps
    for begin in (0, 8, 16):
        np.testing.assert_allclose(three.signals[0][begin + 1 : begin + 8], first, atol=1e-5)


def test_parts_hold_70_15_and_15_per_cent():
    made = waves(CACHE, n_windows=200, window_samples=5)

    assert Counter(made.splits) == {"train": 140, "val": 30, "test": 30}


@pytest.mark.parametrize("shapes", [("sine", "square"), ALL])
def test_classes_are_the_shapes_in_equal_numbers_in_every_part(shapes):
    made = waves(CACHE, n_windows=400, window_samples=5, shapes=shapes)

    assert made.classes == sorted(shapes)
    for part in ("train", "val", "test"):
        of_part = [made.label[i] for i, split in enumerate(made.splits) if split == part]
        assert set(Counter(of_part).values()) == {len(of_part) // len(shapes)}


def test_every_window_is_a_recording_and_group_of_its_own_with_one_label():
    made = waves(CACHE, n_windows=20, window_samples=5)

    assert made.groups == made.names
    assert made.label_recording.tolist() == list(range(20))
    assert made.label_start.tolist() == [0] * 20
    assert made.label_stop.tolist() == [5] * 20
    assert (made.channels, made.units, made.sampling_rate_hz) == (["wave"], [""], None)


def test_windows_are_equally_long_unless_a_shortest_is_named():
    equal = waves(CACHE, n_windows=60, window_samples=12)
    unequal = waves(CACHE, n_windows=300, window_samples=12, min_samples=8)

    assert set(equal.lengths.tolist()) == {12}
    assert set(unequal.lengths.tolist()) == {8, 9, 10, 11, 12}


def test_noise_has_the_deviation_it_is_given():
    quiet = np.concatenate(waves(CACHE, n_windows=100, noise=0.0).signals)
    loud = np.concatenate(waves(CACHE, n_windows=100, noise=0.5).signals)

    difference = loud - quiet
    assert abs(difference.mean()) < 0.02  # 20000 numbers: standard error 0.0035
    assert difference.std() == pytest.approx(0.5, rel=0.03)


def test_waves_stay_between_minus_one_and_one():
    made = waves(
        CACHE, n_windows=60, shapes=ALL, noise=0.0, random_phase=True, cycles=1.0, max_cycles=5.0
    )

    assert max(float(np.abs(signal).max()) for signal in made.signals) <= 1 + 1e-6


def test_waves_begin_at_zero_unless_their_phase_is_random():
    fixed = waves(CACHE, n_windows=40, noise=0.0)
    random = waves(CACHE, n_windows=40, noise=0.0, random_phase=True)

    sines = np.flatnonzero(fixed.label == fixed.classes.index("sine"))
    assert all(fixed.signals[i][0, 0] == 0 for i in sines)
    assert len({float(random.signals[i][0, 0]) for i in sines}) == len(sines)


def test_the_number_of_cycles_varies_between_its_bounds():
    made = waves(
        CACHE, n_windows=100, shapes=("square", "sine"), noise=0.0, cycles=2.0, max_cycles=6.0
    )

    squares = np.flatnonzero(made.label == made.classes.index("square"))
    crossings = [int((np.diff(np.sign(made.signals[i][1:-1, 0])) != 0).sum()) for i in squares]
    # Two changes of sign a period, the first at the start of the wave.
    assert min(crossings) >= 3
    assert max(crossings) <= 12
    assert len(set(crossings)) > 3


def test_the_parts_draw_from_generators_of_their_own():
    # A larger train does not change what is val and test.
    few = waves(CACHE, n_windows=20)
    many = waves(CACHE, n_windows=40)

    for part in ("train", "val", "test"):
        mine, theirs = (made.signals[made.names.index(f"{part}00000")] for made in (few, many))
        np.testing.assert_array_equal(mine, theirs)
    starts = [few.signals[few.names.index(f"{part}00000")] for part in ("train", "val", "test")]
    assert not np.array_equal(starts[0], starts[1])
    assert not np.array_equal(starts[1], starts[2])


@pytest.mark.parametrize(
    "options",
    [{"window_samples": 10, "min_samples": 11}, {"cycles": 3.0, "max_cycles": 2.0}],
)
def test_bounds_in_the_wrong_order_are_refused(options):
    with pytest.raises(DataError, match="`min_samples` must not exceed `window_samples`"):
        waves(CACHE, **options)
