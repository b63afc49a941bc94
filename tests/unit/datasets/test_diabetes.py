"""Women of two files, and which of them have diabetes."""

import gzip

import numpy as np
import pytest

from seqbench.config.registry import DATASETS
from seqbench.datasets.base import DataError

ROW = "6,148,72,35,0,33.6,0.627,50,1\n"
SCALED_ROW = "-0.294118,0.487437,0.180328,-0.292929,0,0.00149028,-0.53117,-0.0333333,0\n"


@pytest.fixture
def cache(tmp_path):
    """A cache in which the first woman of both files is the whole table."""
    folder = tmp_path / "diabetes"
    folder.mkdir()
    (folder / "pima-indians-diabetes.csv").write_text(ROW, encoding="utf-8")
    (folder / "diabetes.csv.gz").write_bytes(gzip.compress(SCALED_ROW.encode()))
    return tmp_path


def classes_of(recordings) -> list[str]:
    return [recordings.classes[k] for k in recordings.label]


def test_a_woman_is_one_sample_of_eight_measurements(cache):
    made = DATASETS["diabetes"](cache, table="pima")

    np.testing.assert_allclose(made.signals[0], [[6, 148, 72, 35, 0, 33.6, 0.627, 50]])
    assert made.channels[1] == "glucose"
    assert made.units[1] == "mg/dL"
    assert made.names == ["row 1"]


def test_the_label_of_the_scaled_file_is_the_opposite_of_the_originals(cache):
    scaled, pima = (DATASETS["diabetes"](cache, table=table) for table in ("scaled", "pima"))

    assert classes_of(scaled) == classes_of(pima) == ["diabetes"]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("1,2,3\n", "row 2: '1,2,3' is not eight numbers and a label; restore the file"),
        ("1,2,3,4,5,6,7,x,1\n", "row 2: .* is not eight numbers and a label"),
        ("1,2,3,4,5,6,7,nan,1\n", "row 2: .* is not eight numbers and a label"),
        ("1,2,3,4,5,6,7,8,2\n", "row 2: the label is 2.0, not 0 or 1; restore the file"),
    ],
)
def test_a_damaged_row_is_named(cache, row, sentence):
    path = cache / "diabetes/pima-indians-diabetes.csv"
    path.write_text(ROW + row, encoding="utf-8")

    with pytest.raises(DataError, match=sentence):
        DATASETS["diabetes"](cache, table="pima")


def test_a_file_without_rows_is_named(cache):
    (cache / "diabetes/diabetes.csv.gz").write_bytes(gzip.compress(b""))

    with pytest.raises(DataError, match=r"diabetes\.csv\.gz: it holds no rows; restore the file"):
        DATASETS["diabetes"](cache)


@pytest.mark.parametrize(("table", "n_with", "n"), [("scaled", 263, 759), ("pima", 268, 768)])
def test_real_women_with_diabetes_have_more_glucose_and_weigh_more(real, table, n_with, n):
    made = DATASETS["diabetes"](real("diabetes"), table=table)
    has_diabetes = np.array(classes_of(made)) == "diabetes"
    women = np.concatenate(made.signals)

    assert (int(has_diabetes.sum()), len(women)) == (n_with, n)
    for channel in ("glucose", "body mass index", "age"):
        values = women[:, made.channels.index(channel)]
        assert values[has_diabetes].mean() > values[~has_diabetes].mean() + 0.1 * values.std()


def test_the_real_scaled_file_is_the_original_without_nine_rows(real):
    # As in the docstring: scaled to [-1, 1], with the least of each column as 0.
    scaled, pima = (
        DATASETS["diabetes"](real("diabetes"), table=table) for table in ("scaled", "pima")
    )
    women, original = np.concatenate(scaled.signals), np.concatenate(pima.signals)
    low, high = original.min(axis=0), original.max(axis=0)
    expected = np.where(original == low, 0, 2 * (original - low) / (high - low) - 1)
    distance = np.abs(expected[None] - women[:, None]).max(axis=2)
    row = distance.argmin(axis=1)

    assert distance.min(axis=1).max() < 1e-5
    assert (np.diff(row) > 0).all()
    assert classes_of(scaled) == [classes_of(pima)[i] for i in row]
