"""`predictions.h5` holds predictions, split by split."""

import numpy as np
import pytest

from seqbench.errors import FormatError
from seqbench.storage.predictions import Predictions, read_predictions, write_predictions
from seqbench.storage.sequences import Sequences


@pytest.fixture
def found(make_windows):
    splits = make_windows(n_windows=4, lengths=(20, 26))
    scores = np.array([[0.75, 0.25], [1 / 3, 2 / 3], [0.5, 0.5], [0.0, 1.0]])
    return {
        "val": Predictions.of(splits["val"], scores[::-1], are_probabilities=True),
        "test": Predictions.of(splits["test"], scores, are_probabilities=True),
    }


def test_predictions_stand_beside_the_windows_they_belong_to(found):
    test = found["test"]

    assert test.recording == ["r8", "r9", "r10", "r11"]
    assert test.group == ["g4", "g4", "g5", "g5"]
    assert test.target.tolist() == [0, 1, 0, 1]
    assert test.start.tolist() == [0, 20, 40, 66]
    assert test.length.tolist() == [20, 20, 26, 26]


@pytest.mark.parametrize("split", ["val", "test"])
def test_predictions_survive_a_file(found, tmp_path, split, assert_same):
    write_predictions(tmp_path / "predictions.h5", found)

    assert_same(read_predictions(tmp_path / "predictions.h5", split), found[split])


def test_a_split_that_is_not_in_the_file_is_named(found, tmp_path):
    write_predictions(tmp_path / "predictions.h5", {"test": found["test"]})

    with pytest.raises(FormatError, match=r"predictions\.h5.*no split 'val'"):
        read_predictions(tmp_path / "predictions.h5", "val")


def test_frames_survive_a_file(tmp_path, assert_same):
    generator = np.random.default_rng(0)
    target, prediction, reference = generator.random((3, 4, 2, 5, 6)).astype(np.float32)
    found = Sequences(
        prediction=prediction.astype(np.float64),
        target=target.astype(np.float64),
        reference=reference.astype(np.float64),
        sequence=np.array([0, 0, 1, 1]),
        ahead=np.array([1, 2, 1, 2]),
        recording=["a", "b"],
        group=["a", "b"],
        start=np.array([0, 7]),
        names=["left", "right"],
        units=["", ""],
        classes=[],
    )
    write_predictions(tmp_path / "predictions.h5", {"test": found})

    read = read_predictions(tmp_path / "predictions.h5", "test")

    assert read.has_frames
    assert_same(read, found)
