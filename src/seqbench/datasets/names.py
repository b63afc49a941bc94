"""Surnames of 18 countries, letter by letter.

names_train.csv.gz and names_test.csv.gz of the course PyTorchZeroToAll, 13,374
and 6,700 rows; the repository states no licence.
"""

import csv
import gzip
from pathlib import Path
from typing import NamedTuple

import numpy as np

from seqbench.config.registry import DATASETS
from seqbench.datasets.base import explained, fault
from seqbench.datasets.download import HINT, checksums, listed_folder
from seqbench.storage.recordings import Recordings

COMMIT = "e5a260fac0b4ff1e2ec434fc6f0d962ac97fc289"
URL = f"https://raw.githubusercontent.com/hunkim/PyTorchZeroToAll/{COMMIT}/data"
FILES = {"train": "names_train.csv.gz", "test": "names_test.csv.gz"}
SUMS = {
    FILES["train"]: "49b4bf41dce5bfeac989b46ca37cf7baccd9a0d2a855df82f86de67a9376268f",
    FILES["test"]: "57d7758db533a42c99d513b2341a7e7b0f55c1e0e7d233b1ef6a4fa2f1adf753",
}


class Row(NamedTuple):
    """A name and the country it is from."""

    name: str
    country: str


@DATASETS.register("names", task="classification", sample="tokens")
def names(cache: Path, *, only_new: bool = False) -> Recordings:
    """Surnames of 18 countries, from which to predict the country.

    Parameters
    ----------
    cache
        Holds the folder `names/pytorchzerotoall`, or receives it.
    only_new
        Leave out of test what train holds too, with the same country: 773 of
        6,700 names.

    Raises
    ------
    DataError
        If a file is absent or damaged, or its download fails.

    Notes
    -----
    The split into train and test is that of the files. Names that are equal
    form a group, so that val holds none of train; test keeps those that train
    has, unless `only_new` leaves them out. All 667 Arabic names of test are
    such: 108 names repeated, so `only_new` leaves that class without a test.
    """
    folder = listed_folder(cache / "names/pytorchzerotoall", {URL: SUMS})
    files = checksums(folder, SUMS, URL)
    rows = {split: _rows(folder / name) for split, name in FILES.items()}
    known = set(rows["train"])
    n_known = sum(row in known for row in rows["test"])
    n_test = len(rows["test"])
    note = f"{n_known} of {n_test} test names are in train with the same country"
    if only_new:
        rows["test"] = [row for row in rows["test"] if row not in known]
        note += ", and left out"
    labelled = [(split, row) for split, of_split in rows.items() for row in of_split]
    return Recordings.one_label_each(
        [row.country for _, row in labelled],
        [np.array([[ord(letter)] for letter in row.name], dtype=np.float32) for _, row in labelled],
        sample="tokens",
        names=[f"{row.name} ({split} {i})" for split in rows for i, row in enumerate(rows[split])],
        groups=[f"{row.name} ({split})" for split, row in labelled],
        splits=[split for split, _ in labelled],
        channels=["letter"],
        units=[""],
        source={
            "origin": URL,
            "licence": "not stated",
            "citation": "Sung Kim. PyTorchZeroToAll, lesson 13.",
            "files": files,
            "notes": [f"{note}."],
        },
    )


def _rows(path: Path) -> list[Row]:
    """Return the names of a file without a header, one a row."""
    rows = []
    with explained(path, HINT), gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for number, cells in enumerate(csv.reader(file), start=1):
            if len(cells) != len(Row._fields) or not all(cells):
                raise fault(path, f"{cells} is not a name and its country", HINT, row=number)
            rows.append(Row(*cells))
    return rows
