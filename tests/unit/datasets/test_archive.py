"""Problems of an archive are downloaded once, whoever is first, and read as the archive means."""

import pytest
from aeon import datasets

from seqbench.datasets import archive
from seqbench.datasets.base import DataError

PROBLEM = "Nonesuch"


def write(folder):
    folder.mkdir(parents=True)
    for split in ("TRAIN", "TEST"):
        (folder / f"{PROBLEM}_{split}.ts").write_text(
            "@problemName Nonesuch\n@timeStamps false\n@missing false\n@univariate true\n"
            "@equalLength true\n@seriesLength 3\n@classLabel true a b\n@data\n1,2,3:a\n3,2,1:b\n"
        )


def test_a_problem_that_another_dataset_downloads_meanwhile_is_read(tmp_path, monkeypatch):
    def download(problem, extract_path):
        write(tmp_path / "ucr" / problem)  # the other one was faster
        write(archive.Path(extract_path) / problem)

    monkeypatch.setattr(datasets, "load_classification", download)

    recordings = archive.ucr(tmp_path, problem=PROBLEM)

    assert len(recordings.names) == 4
    assert [path.name for path in (tmp_path / "ucr").iterdir()] == [PROBLEM]


def test_a_download_that_leaves_nothing_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "load_classification", lambda problem, extract_path: None)

    with pytest.raises(DataError, match="its download failed"):
        archive.ucr(tmp_path, problem=PROBLEM)


def write_tsv(folder, *rows):
    folder.mkdir(parents=True)
    for split in ("TRAIN", "TEST"):
        (folder / f"{PROBLEM}_{split}.tsv").write_text("".join(f"{row}\n" for row in rows))


def test_missing_values_behind_a_series_say_that_it_is_shorter(tmp_path):
    write_tsv(tmp_path / "ucr" / PROBLEM, "1\t5\t6\t7", "2\t8\tNaN\tNaN")

    recordings = archive.ucr(tmp_path, problem=PROBLEM)

    assert [signal[:, 0].tolist() for signal in recordings.signals] == [[5, 6, 7], [8]] * 2


@pytest.mark.parametrize("row", ["2\tNaN\t8\t9", "2\t8\tNaN\t9", "2\tNaN\tNaN\tNaN"])
def test_other_missing_values_are_refused(tmp_path, row):
    write_tsv(tmp_path / "ucr" / PROBLEM, "1\t5\t6\t7", row)

    with pytest.raises(DataError, match="series 2 has missing values"):
        archive.ucr(tmp_path, problem=PROBLEM)
