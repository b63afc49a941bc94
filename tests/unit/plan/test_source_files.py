"""The files whose change makes a dataset anew."""

import os
from pathlib import Path

import pytest

from seqbench.config.benchmark import Benchmark
from seqbench.datasets.reading.recording import READERS
from seqbench.errors import UserError
from seqbench.plan.baseline_fit import unused_baselines
from seqbench.plan.job_settings import IngestJobSettings
from seqbench.plan.plan import Plan
from seqbench.plan.source_files import from_folder, init_files, source_files


@pytest.fixture
def listed(tmp_path):
    """Return a function that lists the files of a dataset below a folder, relative to it."""
    root = tmp_path / "data"
    (root / "recordings").mkdir(parents=True)

    def names(**options):
        options = {"path": str(root)} | options
        files = source_files(IngestJobSettings(source="folder", options=options))
        return [os.path.relpath(file, root) for file in files]

    names.root = root
    return names


def test_every_format_and_table_is_listed(listed):
    for suffix in READERS:
        (listed.root / "recordings" / f"a{suffix}").touch()
    for name in ("labels.csv", "events.csv", "groups.csv", "recordings/A.CSV", "recordings/a.x"):
        (listed.root / name).touch()

    assert len(listed()) == len(READERS) + 5


def test_what_ingest_does_not_read_is_not_listed(listed):
    for name in (
        *(".DS_Store", "recordings/.DS_Store", ".~lock.labels.csv#", "~$labels.csv"),
        *("notes.txt", "notes {draft}.txt", "recordings/._a.csv", "labels.csv.bak"),
    ):
        (listed.root / name).touch()
    (listed.root / "recordings" / "folder.csv").mkdir()
    (listed.root / "\udcff.txt").touch()
    (listed.root / "results" / "ingest").mkdir(parents=True)
    (listed.root / "results" / "summary.csv").touch()

    assert listed() == []


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"format": "audacity"}, []),
        ({"format": "audacity", "path": "marks"}, ["marks/a.TXT", "marks/b.txt"]),
        ({"format": "raven", "path": "marks/a.TXT"}, ["marks/a.TXT"]),
        ({"format": "wfdb", "extension": "qrs", "path": "marks/beats"}, ["marks/beats/a.qrs"]),
        ({"format": "label_studio"}, ["labels.json"]),
        ({"format": "label_studio", "path": "Export [1].json"}, ["Export [1].json"]),
    ],
)
def test_label_files_are_listed_where_the_config_has_them(listed, labels, expected):
    (listed.root / "marks" / "beats").mkdir(parents=True)
    for name in (
        *("marks/a.TXT", "marks/b.txt", "marks/notes.md", "marks/beats/a.qrs", "marks/.c.txt"),
        *("labels.json", "Export [1].json", "Export 1.json"),
    ):
        (listed.root / name).touch()

    assert listed(labels=labels) == expected


def test_links_are_followed(listed, tmp_path):
    (listed.root / "recordings").rmdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.csv").touch()
    (listed.root / "recordings").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "other.csv").touch()
    (tmp_path / "elsewhere" / "b.csv").symlink_to(tmp_path / "other.csv")

    assert listed() == ["recordings/a.csv", "recordings/b.csv"]


def test_a_missing_folder_has_no_files(tmp_path):
    options = {"path": str(tmp_path / "none")}
    assert source_files(IngestJobSettings(source="folder", options=options)) == []


def test_a_generated_dataset_has_no_files():
    assert source_files(IngestJobSettings(source="waves", options={})) == []


@pytest.mark.parametrize(
    ("name", "problem"),
    [("\udcff", r"\\udcff\.csv: its name is not valid UTF-8"), ("{run}", "has a word in braces")],
)
def test_a_name_that_snakemake_cannot_keep_is_refused_in_a_sentence(name, problem, listed):
    (listed.root / "recordings" / f"{name}.csv").touch()

    with pytest.raises(UserError, match=problem):
        listed()


def starting_from(path):
    """Return the plan of a benchmark whose models start from a file."""
    grid = {"datasets": ["waves"], "architectures": ["lstm"], "arms": ["from_file_finetune"]}
    return Plan(Benchmark.load({"runs": [grid], "architectures": {"lstm": {"init": str(path)}}}))


def test_a_file_to_start_from_is_known_by_its_content(tmp_path):
    file = tmp_path / "encoder"
    file.write_bytes(b"one")
    first = init_files(starting_from(file))["lstm"]
    os.utime(file, (0, 0))
    same = init_files(starting_from(file))["lstm"]
    file.write_bytes(b"two")

    assert first == same == (str(file), first.digest)
    assert init_files(starting_from(file))["lstm"].digest != first.digest


def test_a_missing_file_to_start_from_is_named_with_its_key(tmp_path):
    with pytest.raises(UserError, match=r"no: cannot be read .* correct `architectures.lstm.init`"):
        init_files(starting_from(tmp_path / "no"))
    with pytest.raises(UserError, match="its path has a word in braces"):
        init_files(starting_from(tmp_path / "{seed}"))


def test_paths_of_a_config_are_counted_from_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    benchmark = Benchmark.load(
        {
            "runs": [{"datasets": ["a", "b"], "architectures": ["mine"], "arms": ["scratch"]}],
            "datasets": {
                "a": {"source": "folder", "path": "data/a", "task": "classification"},
                "b": {"source": "folder", "path": "/data/b", "task": "classification"},
                "c": {"source": "waves", "n_windows": 80},
            },
            "architectures": {"mine": {"of": "cnn1d", "init": "encoder.safetensors"}},
        }
    )

    found = from_folder(benchmark, Path("below"))

    paths = [found.datasets[name].source_options["path"] for name in "ab"]
    assert paths == [f"{tmp_path}/below/data/a", "/data/b"]
    assert found.architectures["mine"].init == f"{tmp_path}/below/encoder.safetensors"
    assert found.datasets["c"] == benchmark.datasets["c"]
    assert from_folder(benchmark, Path()) is benchmark
    assert unused_baselines(found) == unused_baselines(benchmark) == []  # none was requested
