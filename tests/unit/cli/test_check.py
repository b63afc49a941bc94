"""`seqbench check` opens the folders of a config, and names every bad file."""

import csv
import shutil

import numpy as np
import pytest
import yaml

from seqbench.cli.main import main
from seqbench.datasets import base
from seqbench.datasets.base import DataError, DataErrors
from seqbench.datasets.folder import folder
from seqbench.datasets.reading import lazy_recording


def write_table(path, *rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


@pytest.fixture
def doors(tmp_path):
    """A folder of five recordings with events, and its config."""
    root = tmp_path / "doors"
    (root / "recordings").mkdir(parents=True)
    generator = np.random.default_rng(0)
    for i in range(5):
        rows = [(f"{k / 100:.2f}", f"{v:.4f}") for k, v in enumerate(generator.normal(size=50))]
        write_table(root / "recordings" / f"r{i}.csv", ("time_s", "x"), *rows)
    events = [(f"r{i}", 0.2, "slam") for i in range(5)]
    write_table(root / "events.csv", ("recording", "onset_s", "label"), *events)
    grid = {"datasets": ["doors"], "architectures": ["event_rnn"], "seeds": [0]}
    dataset = {"source": "folder", "path": str(root), "task": "detection"}
    raw = {"runs": [grid], "baselines": ["metronome"], "datasets": {"doors": dataset}}
    (tmp_path / "doors.yaml").write_text(yaml.safe_dump(raw))
    return root


@pytest.fixture
def check(doors, capsys):
    """Return a function that checks the config, and returns its exit code and lines."""

    def run(*options):
        try:
            main(["check", str(doors.with_suffix(".yaml")), *options])
        except SystemExit as left:
            return left.code, capsys.readouterr().out.splitlines()
        return 0, capsys.readouterr().out.splitlines()

    return run


def test_what_a_sound_folder_holds_is_printed(check):
    code, lines = check()

    assert code == 0
    expected = "doors: every file can be read: 5 recordings, 1 channel, 100 Hz, 5 events, 1 type"
    assert lines[-2] == expected
    assert lines[-1].endswith("doors.yaml: valid")


def test_of_a_large_folder_it_is_stated_what_was_not_looked_at(check, monkeypatch):
    monkeypatch.setattr(lazy_recording, "LARGE_BYTES", 0)
    monkeypatch.setattr(base, "sha256", lambda path: pytest.fail(f"{path} was read to its end"))

    code, lines = check()

    assert code == 0
    assert "the folder is large: samples behind the first ones" in lines[-2]


def test_every_bad_file_is_named_in_a_sentence_of_its_own(check, doors):
    inside = doors / "recordings"
    (inside / "notes.doc").touch()
    (inside / "sub").mkdir()
    (inside / "r0.csv").write_text("time_s,x\n0,1\n0.01,abc\n")
    (inside / "r1.csv").write_text("time_s,x\n")
    (inside / "r2.csv").write_text("time_s,y\n0,1\n0.01,2\n")
    (inside / "r3.csv").write_text("time_s,x\n0,1\n0.02,2\n")

    code, lines = check()

    faults = lines[lines.index("doors: 6 faults") + 1 : -1]
    assert code == 1
    assert len(faults) == 6
    for name, sentence in {
        "notes.doc": "it is no recording in a known format",
        "sub": "it is a folder",
        "r0.csv": "'abc' is not a number",
        "r1.csv": "it holds no samples",
        "r2.csv": "channel 1 is named 'y', but 'x' in recordings/r3.csv",
        "r3.csv": "its sampling rate is 50 Hz, but it is 100 Hz in recordings/r2.csv",
    }.items():
        [of_file] = [line for line in faults if f"/{name}" in line.split(":")[0]]
        assert sentence in of_file


def test_a_file_that_snakemake_cannot_name_is_a_fault(check, doors):
    (doors / "recordings" / "r1.csv").rename(doors / "recordings" / "{r1}.csv")

    code, lines = check()

    assert code == 1
    assert "its path has a word in braces; rename" in lines[-2]


def test_tables_of_labels_and_groups_are_looked_at_both(check, doors):
    (doors / "events.csv").write_text("recording,onset_s,label\nr9,0.1,slam\n")
    (doors / "groups.csv").write_text("recording,group\nr8,a\n")

    code, lines = check()

    assert code == 1
    assert ["r9" in lines[-3], "r8" in lines[-2]] == [True, True]


def test_every_label_file_of_another_program_is_looked_at(check, doors):
    for i in range(3):
        (doors / "recordings" / f"r{i}.textgrid").write_text("damaged")
    config = doors.with_suffix(".yaml")
    raw = yaml.safe_load(config.read_text())
    raw["datasets"]["doors"]["labels"] = {"format": "textgrid"}
    config.write_text(yaml.safe_dump(raw))

    code, lines = check()

    assert code == 1
    assert [line.split("/")[-1].split(":")[0].split(",")[0] for line in lines[-4:-1]] == [
        f"r{i}.textgrid" for i in range(3)
    ]


def test_a_folder_that_is_missing_is_one_fault_and_a_config_without_it_is_not_called_valid(
    check, doors
):
    shutil.rmtree(doors)

    code, lines = check()

    assert (code, lines[-3]) == (1, "doors: 1 fault")
    assert "there is no such folder; correct `path`" in lines[-2]
    assert lines[-1].endswith("doors.yaml: not ready to run; see above for doors")
    assert not any("valid" in line for line in lines)


def test_no_data_opens_no_folder_but_names_those_that_are_missing(check, doors):
    (doors / "events.csv").write_text("damaged")
    assert check("--no-data")[1][-2] == "  doors                        2 runs"

    shutil.rmtree(doors)
    code, lines = check("--no-data")

    assert code == 0
    assert lines[-2] == f"doors: {doors} does not exist on this machine"
    assert lines[-1].endswith("doors.yaml: valid; no folder was opened")


def test_the_first_of_several_faults_is_a_sentence_that_counts_the_others(doors, tmp_path):
    for name in ("r0.csv", "r1.csv"):
        (doors / "recordings" / name).write_text("time_s,x\n")

    with pytest.raises(DataErrors) as two:
        folder(tmp_path, path=str(doors), task="detection")
    (doors / "recordings" / "r0.csv").unlink()
    with pytest.raises(DataError) as one:
        folder(tmp_path, path=str(doors), task="detection")

    assert "(another file is at fault: `seqbench check` lists them)" in str(two.value)
    assert "\n" not in str(two.value)
    assert not isinstance(one.value, DataErrors)
