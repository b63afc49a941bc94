"""Labels that lie in a folder."""

import pytest

from seqbench.cli.init.survey import label_sources


@pytest.fixture
def survey(tmp_path):
    """Return a function that writes files, and returns the task and format of what is found."""

    def run(files):
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return [(one.task, one.labels) for one in label_sources(tmp_path)]

    return run


@pytest.mark.parametrize(
    ("name", "content", "labels"),
    [
        ("recordings/a.TextGrid", b"", {"format": "textgrid"}),
        ("tiers/a.eaf", b"", {"format": "elan", "path": "tiers"}),
        ("recordings/a_events.tsv", b"", {"format": "bids"}),
        ("recordings/a.atr", b"", {"format": "wfdb"}),
        ("labels.json", b"[]", {"format": "label_studio"}),
        ("recordings/a.txt", b"0.5\t0.5\tx\n", {"format": "audacity"}),
        ("marks/a.txt", b"0.5\t1\tx\n", {"format": "audacity", "path": "marks"}),
        ("marks/a.txt", b"Selection\tBegin Time (s)\n", {"format": "raven", "path": "marks"}),
        ("recordings/a.edf", b"+0\x14\x14\x00+1.5\x150.5\x14N2\x14\x00", {"format": "edf"}),
    ],
)
def test_label_files_of_every_format_are_found(name, content, labels, survey):
    assert survey({"recordings/a.wav": b"", name: content}) == [(None, labels)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("recordings/b.txt", b"0.5\t0.5\n0.6\t0.7\n"),  # a table of samples
        ("recordings/a.txt", b"recorded in May\n"),
        ("recordings/a.edf", b"+0\x14\x14\x00+1\x14\x14\x00"),  # EDF+ without annotations
        ("notes/readme.txt", b"recorded in May\n"),
        (".hidden/a.atr", b""),
    ],
)
def test_other_files_are_no_labels(name, content, survey):
    assert survey({"recordings/a.wav": b"", name: content}) == []


def test_tables_come_first_and_each_place_once(survey):
    files = {f"recordings/{name}": b"" for name in ("a.wav", "a.textgrid", "b.textgrid")}

    assert survey(files | {"labels.csv": b"", "events.csv": b""}) == [
        ("detection", None),
        ("classification", None),
        (None, {"format": "textgrid"}),
    ]
