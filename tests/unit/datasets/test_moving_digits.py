"""Digits that fly: where they are, and that val and test have handwriting of their own."""

import numpy as np
import pytest

from seqbench.datasets.base import DataError
from seqbench.datasets.digits import digits
from seqbench.datasets.mnist import mnist
from seqbench.datasets.moving_digits import STEP, bounced, glyphs_by_split, moving_digits
from seqbench.storage.windows import SPLITS

FEW = {"n_train": 6, "n_val": 4, "n_test": 5}


def of_part(recordings, part):
    pairs = zip(recordings.signals, recordings.splits, strict=True)
    return [signal for signal, split in pairs if split == part]


def test_what_flies_through_a_side_comes_back_by_as_much():
    positions = np.array([0.0, 3.0, 5.0, 6.5, 10.0, 11.0, -1.5])

    assert bounced(positions, 5.0).tolist() == [0.0, 3.0, 5.0, 3.5, 0.0, 1.0, 1.5]
    assert bounced(positions, 0.0).tolist() == [0.0] * 7


def test_no_picture_is_in_two_parts(tmp_path):
    pictures = digits(tmp_path)
    glyphs = glyphs_by_split(pictures)

    assert [len(glyphs[part]) for part in SPLITS] == [1078, 359, 360]
    assert np.array_equal(
        np.concatenate(list(glyphs.values())), np.concatenate(pictures.signals)[:, 0]
    )


def test_mnist_gives_the_last_of_its_train_to_val(write_digits, tmp_path):
    write_digits(tmp_path)  # 40 of train, 20 of test
    pictures = np.concatenate(mnist(tmp_path).signals)[:, 0]

    glyphs = glyphs_by_split(mnist(tmp_path))

    # Fewer than 20,000 pictures are halved.
    for part, begin in {"train": 0, "val": 20, "test": 40}.items():
        np.testing.assert_array_equal(glyphs[part], pictures[begin : begin + 20])


def test_digits_of_mnist_fly_too(write_digits, tmp_path):
    write_digits(tmp_path)
    recordings = moving_digits(tmp_path, of="mnist", frame_size=28, n_frames=1, n_digits=1, **FEW)

    assert recordings.signals[0].shape == (1, 1, 28, 28)
    assert recordings.splits == ["train"] * 6 + ["val"] * 4 + ["test"] * 5
    assert recordings.source["files"]


def test_a_lone_digit_keeps_its_shape_and_its_speed(tmp_path):
    glyphs = glyphs_by_split(digits(tmp_path))
    recordings = moving_digits(tmp_path, n_digits=1, n_frames=30, frame_size=28, **FEW)

    for part in SPLITS:
        known = {glyph[glyph.any(axis=1)][:, glyph.any(axis=0)].tobytes() for glyph in glyphs[part]}
        for signal in of_part(recordings, part):
            centres = []
            for frame in signal[:, 0]:
                ink = np.argwhere(frame)
                (top, left), (bottom, right) = ink.min(axis=0), ink.max(axis=0) + 1
                assert frame[top:bottom, left:right].tobytes() in known
                centres.append((top, left))
            steps = np.linalg.norm(np.diff(centres, axis=0), axis=1)
            # Two pixels a frame, where it does not turn round, up to the rounding of both ends.
            assert steps.max() <= STEP * 20 + np.sqrt(2) + 1e-9
            assert np.median(steps) == pytest.approx(STEP * 20, abs=0.9)


def test_parts_are_drawn_apart_and_a_seed_decides_all(tmp_path):
    first, again = moving_digits(tmp_path, **FEW), moving_digits(tmp_path, **FEW)
    more = moving_digits(tmp_path, **FEW | {"n_train": 9})
    other = moving_digits(tmp_path, seed=1, **FEW)

    np.testing.assert_array_equal(first.signals, again.signals)
    for part in SPLITS:
        for one, two in zip(of_part(first, part), of_part(more, part), strict=False):
            np.testing.assert_array_equal(one, two)
        assert not np.array_equal(of_part(first, part), of_part(other, part))
    assert first.signals[0].min() == 0
    assert 0.8 < first.signals[0].max() <= 1


def test_the_brighter_one_is_seen_where_digits_meet(tmp_path):
    recordings = moving_digits(tmp_path, n_digits=30, **FEW)

    assert max(signal.max() for signal in recordings.signals) == 1


def test_digits_larger_than_frames_are_refused(tmp_path):
    with pytest.raises(DataError, match="digits of 8 x 8 pixels do not fit into frames of 7"):
        moving_digits(tmp_path, frame_size=7, **FEW)
