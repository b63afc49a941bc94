"""Who has diabetes, from eight measurements of a woman: a sequence of one sample.

Women of Pima heritage near Phoenix, 21 years or older, examined by the National
Institute of Diabetes and Digestive and Kidney Diseases (NIDDK) and given to the
UCI repository in 1990. pima-indians-diabetes.csv holds all 768 as they were
published, diabetes.csv.gz of the course PyTorchZeroToAll 759 of them; neither
repository states a licence.

Traps. In the original 0 stands for what was not measured: glucose of 5 women,
blood pressure of 35, skin fold of 227, insulin of 374, body mass index of 11.
The course's file is that table with each column scaled to [-1, 1], in which the
least value of a column, number of pregnancies and age included, became 0, the
middle, instead of -1; nine rows are gone; and its label is the other way round:
1 is a woman *without* diabetes.
"""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seqbench.config.registry import DATASETS
from seqbench.datasets.base import explained, fault
from seqbench.datasets.csv_text import number
from seqbench.datasets.download import HINT, checksums, listed_folder
from seqbench.storage.recordings import Recordings

COURSE_COMMIT = "e5a260fac0b4ff1e2ec434fc6f0d962ac97fc289"
COURSE = f"https://raw.githubusercontent.com/hunkim/PyTorchZeroToAll/{COURSE_COMMIT}/data"
ORIGINAL = "https://raw.githubusercontent.com/jbrownlee/Datasets/master"
UNITS = {
    "pregnancies": "",
    "glucose": "mg/dL",
    "blood pressure": "mmHg",
    "skin fold": "mm",
    "insulin": "µU/mL",
    "body mass index": "kg/m²",
    "pedigree function": "",
    "age": "years",
}
WITH, WITHOUT = "diabetes", "no diabetes"


@dataclass(frozen=True)
class Table:
    """A file of the folder, the meaning of its label, and what a reader must know."""

    file: str
    url: str
    sha256: str
    classes: dict[float, str]
    is_scaled: bool
    notes: tuple[str, ...]


TABLES = {
    "scaled": Table(
        file="diabetes.csv.gz",
        url=COURSE,
        sha256="398214d0f6b7f4a722f598d8e424f28bc078abbd16ebdeea0f8e264492325aa4",
        classes={0.0: WITH, 1.0: WITHOUT},
        is_scaled=True,
        notes=(
            "The file's label is the opposite of the original's: its 1 is no diabetes. Classes are"
            " named by what they mean.",
            "The least value of a column stands as 0, the middle of the scale, instead of -1; it"
            " is left as the file has it.",
        ),
    ),
    "pima": Table(
        file="pima-indians-diabetes.csv",
        url=ORIGINAL,
        sha256="6bfe5d0f379d17a0e0819b996407e3c09bf80febd4287f2ed212190dfff154af",
        classes={0.0: WITHOUT, 1.0: WITH},
        is_scaled=False,
        notes=(
            "A 0 in glucose, blood pressure, skin fold, insulin or body mass index is a missing"
            " value; it is left as 0, and nothing is put in its place.",
        ),
    ),
}


@DATASETS.register("diabetes", task="classification", sample="series")
def diabetes(cache: Path, *, table: Literal["scaled", "pima"] = "scaled") -> Recordings:
    """Eight measurements of 759 or 768 women, from which to predict who has diabetes.

    Parameters
    ----------
    cache
        Holds the folder `diabetes`, or receives it.
    table
        scaled: 759 rows in [-1, 1], as a course on PyTorch has them; pima: the
        original, 768 rows in units.

    Raises
    ------
    DataError
        If a file is absent or damaged, or its download fails.

    Notes
    -----
    A woman is a recording of one sample, (1, 8). Missing values stay the 0 that
    they are in the files: to put a mean in their place would need the women of
    train, which are not known before the split, and gives a model no more than
    the 0 does.

    References
    ----------
    Smith et al. (1988). Using the ADAP learning algorithm to forecast the onset
    of diabetes mellitus. Symposium on Computer Applications and Medical Care.
    """
    chosen = TABLES[table]
    sums = {one.url: {one.file: one.sha256} for one in TABLES.values()}
    folder = listed_folder(cache / "diabetes", sums)
    files = checksums(folder, [chosen.file], chosen.url)
    path = folder / chosen.file
    rows = dict(_rows(path, chosen))
    if not rows:
        raise fault(path, "it holds no rows", HINT)
    return Recordings.one_label_each(
        [chosen.classes[values[-1]] for values in rows.values()],
        [np.array([values[:-1]], dtype=np.float32) for values in rows.values()],
        names=[f"row {line}" for line in rows],
        splits=[""] * len(rows),
        channels=list(UNITS),
        units=[""] * len(UNITS) if chosen.is_scaled else list(UNITS.values()),
        source={
            "origin": f"{chosen.url}/{chosen.file}",
            "licence": "not stated",
            "citation": "Smith et al. (1988). Using the ADAP learning algorithm to forecast the"
            " onset of diabetes mellitus. SCAMC, 261-265.",
            "files": files,
            "notes": list(chosen.notes),
        },
    )


def _rows(path: Path, table: Table) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Yield the number and the values of each row, the label last."""
    with explained(path, HINT):
        data = path.read_bytes()
        text = gzip.decompress(data) if path.suffix == ".gz" else data
        for line, row in enumerate(text.decode("utf-8").splitlines(), start=1):
            values = [number(cell) for cell in row.split(",")]
            if len(values) != len(UNITS) + 1 or not np.isfinite(np.array(values, float)).all():
                problem = f"'{row:.80}' is not eight numbers and a label"
                raise fault(path, problem, HINT, row=line)
            if values[-1] not in table.classes:
                raise fault(path, f"the label is {values[-1]}, not 0 or 1", HINT, row=line)
            yield line, np.array(values, dtype=np.float64)
