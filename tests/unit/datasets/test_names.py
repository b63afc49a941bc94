"""Names and their countries."""

import gzip

import numpy as np
import pytest

from seqbench.config.registry import DATASETS
from seqbench.datasets import names as source
from seqbench.datasets.base import DataError

FOLDER = "names/pytorchzerotoall"
TRAIN = ["Bell,English", "Bell,Scottish", "Bell,English", "Müller,German"]
TEST = ["Bell,English", "Bell,German", "Moore,English"]


def written(cache, train=TRAIN, test=TEST):
    folder = cache / FOLDER
    folder.mkdir(parents=True)
    for part, rows in {"train": train, "test": test}.items():
        text = "".join(f"{row}\r\n" for row in rows)
        (folder / source.FILES[part]).write_bytes(gzip.compress(text.encode()))
    return cache


def words(recordings):
    return ["".join(chr(int(code)) for code in s[:, 0]) for s in recordings.signals]


def test_letters_are_code_points_and_the_country_is_the_class(tmp_path):
    made = DATASETS["names"](written(tmp_path))

    assert words(made) == ["Bell", "Bell", "Bell", "Müller", "Bell", "Bell", "Moore"]
    assert made.signals[3][1, 0] == ord("ü")
    assert made.classes == ["English", "German", "Scottish"]
    assert [made.classes[k] for k in made.label] == [r.split(",")[1] for r in TRAIN + TEST]
    assert made.splits == ["train"] * 4 + ["test"] * 3


def test_equal_names_are_a_group_in_each_part(tmp_path):
    groups = DATASETS["names"](written(tmp_path)).groups

    assert len(set(groups[:3])) == 1
    assert groups[4] == groups[5] != groups[0]
    assert len(set(groups)) == 4


def test_only_new_leaves_out_test_names_that_train_has_with_the_same_country(tmp_path):
    cache = written(tmp_path)

    all_of_them, new = (DATASETS["names"](cache, only_new=one) for one in (False, True))

    assert words(new) == [*words(all_of_them)[:4], "Bell", "Moore"]
    assert [new.classes[k] for k in new.label[4:]] == ["German", "English"]
    assert all_of_them.source["notes"] == ["1 of 3 test names are in train with the same country."]


@pytest.mark.parametrize("row", ["Bell", ",English", "Bell,English,more"])
def test_a_row_that_is_no_name_and_country_is_refused(tmp_path, row):
    with pytest.raises(
        DataError, match=r"names_test\.csv\.gz, row 2: .*not a name and its country"
    ):
        DATASETS["names"](written(tmp_path, test=["Moore,English", row]))


def test_a_damaged_file_is_refused(tmp_path):
    cache = written(tmp_path)
    (cache / FOLDER / source.FILES["train"]).write_bytes(b"no gzip")

    with pytest.raises(DataError, match=r"names_train\.csv\.gz: it cannot be read"):
        DATASETS["names"](cache)


def test_the_real_names_are_as_many_as_published(real):
    made, new = (DATASETS["names"](real(FOLDER), only_new=one) for one in (False, True))

    assert [made.splits.count(part) for part in ("train", "test")] == [13374, 6700]
    assert new.splits.count("test") == 6700 - 773
    assert len(made.classes) == 18
    arabic = made.classes.index("Arabic")
    assert [int((one.label[13374:] == arabic).sum()) for one in (made, new)] == [667, 0]
    found = words(made)
    assert len({found[i] for i in np.flatnonzero(made.label == arabic)}) == 108
    assert made.source["files"] == source.SUMS
    assert np.bincount(made.label[13374:]).max() / 6700 == pytest.approx(0.468, abs=5e-4)
