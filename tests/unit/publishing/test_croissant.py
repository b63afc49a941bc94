"""Croissant metadata of a dataset, against what it holds and against mlcroissant."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from seqbench import layout
from seqbench.cli.main import main
from seqbench.config.benchmark import Benchmark
from seqbench.publishing.croissant import croissant
from seqbench.storage.hdf5 import reading
from seqbench.storage.recordings import KIND, VERSION, write_recordings

DIGEST = "0" * 63 + "1"
DOORS = {"source": "waves"}


def benchmark(config):
    """Return a benchmark on `doors`, with a config."""
    runs = [{"datasets": ["doors"], "architectures": ["cnn1d"], "seeds": [0]}]
    raw = {"runs": runs, "baselines": ["majority"], "datasets": {"doors": config}}
    return Benchmark.load(raw)


@pytest.fixture
def make(recordings, tmp_path):
    """Return what writes recordings and returns their metadata as JSON has them."""

    def made(config=DOORS, **changes):
        path = tmp_path / "recordings.h5"
        write_recordings(path, recordings(lengths=[10, 30], **changes))
        entry = benchmark(config).all_datasets["doors"]
        return json.loads(json.dumps(croissant("doors", entry, path)))

    return made


def validated(metadata):
    """Return metadata as mlcroissant reads them, which refuses what is not of the format."""
    mlcroissant = pytest.importorskip("mlcroissant", reason="comes with the extra dev")
    dataset = mlcroissant.Dataset(jsonld=metadata)
    assert dataset.metadata.ctx.issues.errors == set()
    return dataset


def test_a_reader_of_the_format_finds_recordings_and_channels(make):
    dataset = validated(make(groups=["g", "h"], splits=["train", "test"], units=["mV", ""]))

    first, second = dataset.records("recordings")
    assert first == {
        "recordings/name": "r0",
        "recordings/group": "g",
        "recordings/split": "train",
        "recordings/start": 0,
        "recordings/n_samples": 10,
        "recordings/sampling_rate_hz": 100.0,
    }
    assert (second["recordings/start"], second["recordings/n_samples"]) == (10, 30)
    units = [(row["channels/name"], row["channels/unit"]) for row in dataset.records("channels")]
    assert units == [("x", "mV"), ("y", "")]
    assert [row["classes/name"] for row in dataset.records("classes")] == ["a", "b"]


def test_files_have_their_checksums(make, tmp_path):
    own, source = make(source={"files": {"recordings/a.csv": DIGEST}})["distribution"]

    content = (tmp_path / "recordings.h5").read_bytes()
    assert own["sha256"] == hashlib.sha256(content).hexdigest()
    assert own["contentSize"] == f"{len(content)} B"
    assert (source["contentUrl"], source["sha256"]) == ("recordings/a.csv", DIGEST)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"sampling_rate_hz": None, "source": {"files": {"a.csv": DIGEST}}},
        {"task": "detection", "intervals": [(0, 0, 2, 3)], "tolerance_ms": 10.0},
        {
            "task": "regression",
            "intervals": [],
            "targets": [np.zeros((10, 1), np.float32), np.ones((30, 1), np.float32)],
            "target_names": ["force"],
            "target_units": ["N"],
        },
    ],
    ids=["classes", "without rate", "events", "values"],
)
def test_every_place_in_the_file_is_one_that_it_has(make, changes, tmp_path):
    metadata = make(**changes)
    validated(metadata)

    fields = [field for records in metadata["recordSet"] for field in records["field"]]
    places = [field["source"]["extract"]["column"] for field in fields if "source" in field]
    with reading(tmp_path / "recordings.h5", KIND, VERSION) as file:
        assert places
        assert all(place in file for place in places)


def test_licence_and_citation_are_those_of_the_config_before_those_of_the_source(make):
    source = {"licence": "MIT", "citation": "Source (2020)", "origin": "https://example.org/data"}

    own = make(source=source)
    assert (own["license"], own["citeAs"], own["url"]) == tuple(
        source[key] for key in ("licence", "citation", "origin")
    )
    stated = make(DOORS | {"licence": "CC-BY-4.0", "citation": "Us (2026)"}, source=source)
    assert (stated["license"], stated["citeAs"]) == ("CC-BY-4.0", "Us (2026)")


def test_what_nobody_states_is_left_out(make):
    assert not {"license", "citeAs", "url", "version"} & set(make(source={"origin": "folder"}))


@pytest.fixture
def ingested(recordings, tmp_path, monkeypatch):
    """A folder with the recordings of `doors` and the config of a run."""
    monkeypatch.chdir(tmp_path)
    Path(layout.CONFIG).parent.mkdir()
    Path(layout.CONFIG).write_text(benchmark(DOORS).to_yaml())
    path = Path(layout.RECORDINGS.format(dataset="doors"))
    write_recordings(path, recordings())
    return path


def test_the_command_prints_metadata_and_names_what_they_lack(ingested, capsys):
    main(["croissant", "doors"])

    printed = capsys.readouterr()
    assert json.loads(printed.out)["name"] == "doors"
    assert printed.err.splitlines() == [
        f"no {key} is known; set datasets.doors.{key} in the config"
        for key in ("licence", "citation")
    ]


def test_the_command_writes_beside_the_recordings(ingested, capsys):
    out = ingested.with_name("croissant.json")

    main(["croissant", "doors", "--out", str(out)])

    assert json.loads(out.read_text())["distribution"][0]["contentUrl"] == ingested.name
    assert str(out) in capsys.readouterr().out


def test_the_command_refuses_an_unknown_dataset_and_its_own_input(ingested):
    with pytest.raises(SystemExit, match="'door': no dataset of the config; did you mean 'doors'"):
        main(["croissant", "door"])
    with pytest.raises(SystemExit, match="is the file given as recordings of DATASET"):
        main(["croissant", "doors", "--out", str(ingested)])
