"""Handwritten digits: MNIST's files, and those of scikit-learn."""

import gzip

import numpy as np
import pytest

from seqbench.datasets.base import DataError
from seqbench.datasets.digits import digits, digits_rows
from seqbench.datasets.mnist import mnist, mnist_rows


def test_a_picture_is_a_frame_or_its_rows(write_digits, tmp_path):
    write_digits(tmp_path)

    frames, rows = mnist(tmp_path), mnist_rows(tmp_path)

    assert frames.sample == "video"
    assert rows.sample == "series"
    for frame, series in zip(frames.signals, rows.signals, strict=True):
        assert frame.shape == (1, 1, 28, 28)
        assert np.array_equal(frame[0, 0], series)


def test_brightness_is_from_0_to_1_and_the_parts_are_those_of_the_files(write_digits, tmp_path):
    write_digits(tmp_path)

    recordings = mnist(tmp_path)

    values = np.concatenate(recordings.signals)
    assert values.min() == 0
    assert values.max() == 1
    # The writer draws digit i as i rows of full brightness.
    assert [int(signal.sum() / 28) for signal in recordings.signals] == recordings.label.tolist()
    assert recordings.splits == ["train"] * 40 + ["test"] * 20


@pytest.mark.parametrize(
    "content",
    [
        b"",
        gzip.compress(b"", mtime=0),
        gzip.compress(bytes([0, 0, 8]), mtime=0),
        gzip.compress(bytes([0, 0, 8, 1, 0, 0]), mtime=0),
        gzip.compress(bytes([0, 0, 8, 1, 0, 0, 0, 9, 1, 2]), mtime=0),
        gzip.compress(bytes([0, 0, 13, 1, 0, 0, 0, 2, 1, 2]), mtime=0),
        gzip.compress(bytes([0, 0, 8, 1, 0, 0, 0, 2, 1, 2]), mtime=0)[:-3],
        b"\x1f\x8b no gzip at all",
    ],
)
def test_a_damaged_file_is_named(write_digits, tmp_path, content):
    write_digits(tmp_path)
    (tmp_path / "mnist/t10k-labels-idx1-ubyte.gz").write_bytes(content)

    with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte\.gz: .*; restore the file"):
        mnist(tmp_path)


def test_as_many_labels_as_pictures(write_digits, tmp_path):
    write_digits(tmp_path)
    labels = tmp_path / "mnist/train-labels-idx1-ubyte.gz"
    (tmp_path / "mnist/t10k-labels-idx1-ubyte.gz").replace(labels)
    write = gzip.compress(bytes([0, 0, 8, 1, 0, 0, 0, 20, *range(10), *range(10)]), mtime=0)
    (tmp_path / "mnist/t10k-labels-idx1-ubyte.gz").write_bytes(write)

    with pytest.raises(DataError, match="its pictures are not as many as their labels"):
        mnist(tmp_path)


def test_digits_are_cut_in_the_order_of_their_writers(tmp_path):
    recordings = digits(tmp_path)

    assert len(recordings.signals) == 1797
    assert recordings.splits == ["train"] * 1078 + ["val"] * 359 + ["test"] * 360
    assert np.array_equal(recordings.signals[5][0, 0], digits_rows(tmp_path).signals[5])
