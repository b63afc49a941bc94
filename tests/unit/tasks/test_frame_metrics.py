"""Metrics of frames, held against hand-made cases."""

import numpy as np
import pytest

from seqbench.config.registry import TASKS
from seqbench.storage.sequences import Sequences
from seqbench.tasks.forecasting.metrics import (
    frame_squared_error,
    skill,
    ssim,
    structural_similarity,
)
from seqbench.tasks.regression.metrics import mae, rmse
from seqbench.tasks.scoring import score

ONCE = np.ones((1, 2))
SHAPE = (3, 2, 12, 11)  # frames, planes, rows, columns


def frames(predicted: np.ndarray, target: np.ndarray, reference: np.ndarray) -> Sequences:
    """Two windows, of which the first has two frames behind it, and the second one."""
    return Sequences(
        prediction=predicted,
        target=target,
        reference=reference,
        sequence=np.array([0, 0, 1]),
        ahead=np.array([1, 2, 1]),
        recording=["r0", "r1"],
        group=["r0", "r1"],
        start=np.array([0, 5]),
        names=["left", "right"],
        units=["", ""],
        classes=[],
    )


@pytest.fixture
def target():
    return np.random.default_rng(0).random(SHAPE)


def test_errors_are_of_all_pixels_together(target):
    predicted = target.copy()
    predicted[0, 1, 4, 5] += 2.0
    predicted[2, 0, 0, 0] -= 1.0
    found = frames(predicted, target, np.zeros(SHAPE))

    n = np.prod(SHAPE)
    assert rmse(found, ONCE)[0] == pytest.approx(np.sqrt((4 + 1) / n))
    assert mae(found, ONCE)[0] == pytest.approx((2 + 1) / n)
    assert frame_squared_error(found, ONCE)[0] == pytest.approx((4 + 1) / 3)
    assert frame_squared_error(found, np.array([[1.0, 0.0], [0.0, 1.0]])).tolist() == pytest.approx(
        [4 / 2, 1]
    )


def test_skill_is_the_mean_over_planes_each_with_all_its_pixels(target):
    predicted, last = target.copy(), target.copy()
    last[:, 0] += 2.0
    last[:, 1, :6] += 1.0
    predicted[:, 0] += 1.0
    predicted[:, 1, :3] += 1.0

    # Of the first plane a quarter of the error is left, of the second one half.
    assert skill(frames(predicted, target, last), ONCE)[0] == pytest.approx((0.75 + 0.5) / 2)


def test_flat_pictures_differ_in_brightness_alone():
    one, other = (np.full((1, 1, 11, 14), value) for value in (0.5, 0.8))

    # Equation 6 of the source with C1 = (0.01 L)^2; contrast and structure of nothing are equal.
    for span in (1.0, 2.0):
        c1 = (0.01 * span) ** 2
        expected = (2 * 0.5 * 0.8 + c1) / (0.5**2 + 0.8**2 + c1)
        assert structural_similarity(one, other, span)[0] == pytest.approx(expected)


def test_similarity_at_a_single_place_is_the_formula():
    generator = np.random.default_rng(1)
    x, y = generator.random((2, 11, 11))
    distance = np.arange(-5, 6) ** 2
    window = np.exp(-(distance[:, None] + distance) / (2 * 1.5**2))
    window /= window.sum()
    mean_x, mean_y = (window * x).sum(), (window * y).sum()
    var_x, var_y = (window * (x - mean_x) ** 2).sum(), (window * (y - mean_y) ** 2).sum()
    both = (window * (x - mean_x) * (y - mean_y)).sum()
    c1, c2 = 0.01**2, 0.03**2
    expected = (2 * mean_x * mean_y + c1) * (2 * both + c2)
    expected /= (mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2)

    assert structural_similarity(x[None, None], y[None, None], 1.0)[0] == pytest.approx(expected)


def test_similarity_is_the_mean_over_frames_and_is_not_defined_of_small_or_flat_ones(target):
    predicted = target.copy()
    predicted[2] = 0.0
    same = frames(predicted, target, target)
    wrong = structural_similarity(target[2:], predicted[2:], float(np.ptp(target)))[0]

    assert ssim(same, ONCE)[0] == pytest.approx((2 + wrong) / 3)
    small = target[:, :, :10]
    assert np.isnan(ssim(frames(small, small, small), ONCE)).all()
    flat = np.ones(SHAPE)
    assert np.isnan(ssim(frames(flat, flat, flat), ONCE)).all()


def test_only_frames_are_scored_as_frames(target):
    found = frames(target, target, target + 1)
    numbers = frames(*(values[:, :, 0, 0] for values in (target, target, target + 1)))
    task = TASKS["forecasting"]()
    of_frames = {"frame_squared_error", "ssim"}

    assert score(task, found, resamples=10).keys() == {"skill", "rmse", "mae"} | of_frames
    assert score(task, numbers, resamples=10).keys() == {"skill", "rmse", "mae"}
