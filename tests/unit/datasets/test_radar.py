"""Radar frames: bytes, squares of the map, and what is not seen."""

import gzip

import numpy as np
import pytest

from seqbench.datasets.base import DataError
from seqbench.datasets.radar import SUMS, radar, rainiest, read_pgm

SMALL = {"patch_size": 4, "reduction": 2, "n_patches": 3}


def test_names_are_forty_steps_of_five_minutes():
    names = [name[:12] for name in SUMS]

    assert (names[0], names[3], names[-1], len(names)) == (
        "201705091045",
        "201705091100",
        "201705091400",
        40,
    )


def test_squares_are_reflectivity_averaged_over_their_pixels(write_rain, tmp_path):
    frames = write_rain(tmp_path)

    recordings = radar(tmp_path, **SMALL)

    # The writer lets it rain most in the last squares, and leaves the first one unseen.
    assert recordings.names == ["row00_column02", "row01_column01", "row01_column02"]
    assert [signal.shape for signal in recordings.signals] == [(40, 1, 4, 4)] * 3
    block = frames[7, 0:2, 16:18].astype(float)
    assert recordings.signals[0][7, 0, 0, 0] == pytest.approx(
        np.maximum((block - 64) / 2, 0).mean()
    )
    assert min(signal.min() for signal in recordings.signals) >= 0


def test_what_comes_later_does_not_choose_squares(write_rain, tmp_path):
    frames = write_rain(tmp_path)
    squares = {(0, i): frames[:, 8:, 8 * i : 8 * i + 8].copy() for i in range(3)}
    before = rainiest(squares, 2, tmp_path)

    squares[0, 0][20:] = 200

    assert rainiest(squares, 2, tmp_path) == before == [(0, 1), (0, 2)]


def test_squares_that_no_radar_sees_do_not_count(write_rain, tmp_path):
    write_rain(tmp_path)

    with pytest.raises(DataError, match=r"has 5 squares of this size .* fewer than 6"):
        radar(tmp_path, **SMALL | {"n_patches": 6})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        gzip.compress(b"P5\n2 2\n255\nabc", mtime=0),
        gzip.compress(b"P2\n1 1\n255\n7", mtime=0),
        b"no gzip",
    ],
)
def test_a_damaged_frame_is_named(tmp_path, content):
    path = tmp_path / "frame.pgm.gz"
    path.write_bytes(content)

    with pytest.raises(DataError, match=r"frame\.pgm\.gz: .*; restore the file"):
        read_pgm(path)


def test_a_frame_of_another_size_is_named(write_rain, tmp_path):
    write_rain(tmp_path)
    name = list(SUMS)[7]
    path = tmp_path / "radar/fmi/20170509" / name
    path.write_bytes(gzip.compress(b"P5\n3 2\n255\n" + bytes(6), mtime=0))

    with pytest.raises(DataError, match=f"{name}: its picture is not .* as the first one's"):
        radar(tmp_path, **SMALL)


def test_rows_come_before_columns(tmp_path):
    path = tmp_path / "frame.pgm.gz"
    path.write_bytes(
        gzip.compress(b"P5\n# radars\n# 255 is missing\n3 2\n255\n" + bytes(range(6)), mtime=0)
    )

    assert read_pgm(path).tolist() == [[0, 1, 2], [3, 4, 5]]
