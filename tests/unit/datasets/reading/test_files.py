"""Every file of a folder is a recording, belongs to one, or is refused."""

import pytest

from seqbench.datasets.base import DataError
from seqbench.datasets.reading.files import recording_files
from seqbench.datasets.reading.recording import READERS

RECORD = "rec 2 10 4\n# by hand\nrec.xyz 16 1/mV\nrec.mat 16 1/mV\n"


def found(folder, *names, **texts):
    for name in names:
        (folder / name).touch()
    for stem, text in texts.items():
        (folder / f"{stem}.hea").write_text(text)
    return {name: path.name for name, path in recording_files(folder).items()}


def test_a_recording_of_each_format_is_found_with_its_suffix_in_capitals_too(tmp_path):
    names = [f"a{i}{suffix}" for i, suffix in enumerate(READERS)]
    names += [f"b{i}{suffix.upper()}" for i, suffix in enumerate(READERS)]

    assert sorted(found(tmp_path, *names).values()) == sorted(names)


def test_signal_files_and_annotations_belong_to_their_header(tmp_path):
    files = found(
        tmp_path, "rec.xyz", "rec.mat", "rec.atr", "rec.qrs", "a.csv", "a.atr", rec=RECORD
    )

    assert files == {"a": "a.csv", "rec": "rec.hea"}


def test_documents_and_hidden_files_are_left_out(tmp_path):
    documents = ("README.txt", "readme.md", "LICENSE.txt", "notes.md", "RECORDS", "SHA256SUMS.txt")

    assert found(tmp_path, "a.csv", *documents, ".DS_Store", "~$a.csv") == {"a": "a.csv"}


def test_text_is_a_recording(tmp_path):
    assert found(tmp_path, "a.csv", "b.txt") == {"a": "a.csv", "b": "b.txt"}
    with pytest.raises(DataError, match=r"a\.txt: a\.csv is also recording 'a'; rename"):
        found(tmp_path, "a.txt")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("b.xlsx", "no recording in a known format; convert it to one of .csv"),
        ("b", "no recording in a known format"),
        ("b.dat", "no WFDB header .* names it; put the header"),
        ("rec.dat", "no WFDB header .* names it"),
    ],
)
def test_what_is_neither_is_refused(tmp_path, name, sentence):
    with pytest.raises(DataError, match=rf"{name}: .*{sentence}"):
        found(tmp_path, name, rec=RECORD)


def test_a_folder_is_called_a_folder(tmp_path):
    (tmp_path / "sub-01").mkdir()

    with pytest.raises(DataError, match=r"sub-01: it is a folder, .*; move the recordings in it"):
        found(tmp_path, "a.csv")


@pytest.mark.parametrize("name", ["labels.csv", "events.csv", "groups.csv", "events.txt"])
def test_tables_of_labels_among_recordings_are_refused(tmp_path, name):
    with pytest.raises(DataError, match="table of labels, by its name; move it to the folder abo"):
        found(tmp_path, "a.csv", name)
