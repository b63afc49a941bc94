"""A folder becomes recordings as they were meant, or one sentence names the fix."""

import hashlib
import os
import time
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from seqbench.config.registry import DATASETS
from seqbench.datasets.base import DataError
from seqbench.datasets.folder import folder
from seqbench.storage.recordings import read_recordings, write_recordings

CACHE = Path("unused")


def csv_signal(n_samples: int = 20, rate_hz: float = 100, header: str = "time,x,y") -> str:
    rows = [f"{i / rate_hz},{i},{-i}" for i in range(n_samples)]
    return "\n".join([header, *rows]) + "\n"


GOOD = {
    "recordings/a.csv": csv_signal(),
    "recordings/b.csv": csv_signal(30),
    "recordings/c.csv": csv_signal(10),
    "labels.csv": "recording,label\na,walk\nb,run\n",
    "groups.csv": "recording,group\na,tower\nb,tower\n",
}


def make(root: Path, files: dict[str, str | bytes | np.ndarray | None]) -> Path:
    """Write files below `root`; None leaves one out, a name that ends in / is a folder."""
    root.mkdir(exist_ok=True)
    for name, content in files.items():
        path = root / name
        if content is None:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir(exist_ok=True)
        elif isinstance(content, np.ndarray):
            np.save(path, content)
        else:
            path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return root


def read(root: Path, **options: object):
    return folder(CACHE, path=str(root), **options)


def test_a_folder_becomes_recordings(tmp_path):
    recordings = read(make(tmp_path / "my bells", GOOD))

    assert (recordings.task, recordings.sample) == ("classification", "series")
    assert recordings.names == ["a", "b", "c"]
    assert recordings.groups == ["tower", "tower", "c"]
    assert recordings.splits == ["", "", ""]
    assert (recordings.channels, recordings.units) == (["x", "y"], ["", ""])
    assert recordings.sampling_rate_hz == 100
    assert recordings.lengths.tolist() == [20, 30, 10]
    assert recordings.signals[2][3].tolist() == [3, -3]
    assert recordings.classes == ["run", "walk"]
    assert recordings.label_recording.tolist() == [0, 1]
    assert recordings.label.tolist() == [1, 0]
    assert recordings.label_start.tolist() == [0, 0]
    assert recordings.label_stop.tolist() == [20, 30]


def test_the_source_has_checksums_of_all_that_was_read_and_no_absolute_path(tmp_path):
    root = make(tmp_path / "data", GOOD | {"recordings/notes.txt": "not read"})

    source = read(root).source

    assert source["origin"] == "folder"
    assert source["files"] == {
        name: hashlib.sha256((root / name).read_bytes()).hexdigest() for name in sorted(GOOD)
    }


def test_recordings_of_a_folder_survive_storage(tmp_path):
    recordings = read(make(tmp_path / "data", GOOD))
    write_recordings(tmp_path / "recordings.h5", recordings)

    stored = read_recordings(tmp_path / "recordings.h5")

    assert stored.names == recordings.names
    assert stored.source == recordings.source
    np.testing.assert_array_equal(stored.signals[1], recordings.signals[1])


def test_intervals_become_samples(tmp_path):
    labels = (
        "recording,label,start_s,end_s\n"
        "b,run,0.1,0.2\n"
        "a,walk,0.004,0.2\n"
        "b,walk,0.0,0.1\n"
        "b,walk,0.05,0.08\n"  # within a label of the same class
        "c,run,,\n"
    )
    recordings = read(make(tmp_path, GOOD | {"labels.csv": labels}))

    spans = zip(recordings.label_start, recordings.label_stop, strict=True)
    assert recordings.label_recording.tolist() == [0, 1, 1, 1, 2]
    assert list(spans) == [(0, 20), (0, 10), (5, 8), (10, 20), (0, 10)]
    assert [recordings.classes[i] for i in recordings.label] == [
        "walk",
        "walk",
        "walk",
        "run",
        "run",
    ]


def test_thousands_of_overlapping_intervals_of_one_class_are_read_at_once(tmp_path):
    rows = [f"a,walk,{i / 1e6},0.2" for i in range(5000)]
    since = time.process_time()

    recordings = read(make(tmp_path, GOOD | labels("b,run,,", *rows)))

    assert time.process_time() - since < 4  # 0.1; 6 where each is compared with all others
    assert len(recordings.label) == 5001


def test_numbers_in_class_names_are_ordered_by_value(tmp_path):
    labels = "recording,label\na,bell 10\nb,bell 2\nc,Bell 1\n"

    recordings = read(make(tmp_path, GOOD | {"labels.csv": labels}))

    assert recordings.classes == ["Bell 1", "bell 2", "bell 10"]


@pytest.mark.parametrize(
    "labels",
    [
        "recording,label\na.csv,walk\nb.csv,run\n",
        "\ufeffRecording;Label\r\n a ; walk \r\nb;run\r\n\r\n\r\n",
        "label\tcomment\trecording\nwalk\t\ta\nrun\tfast, loud\tb\n",
        '"recording","label"\n"a","walk"\n"b","run"\n',
        "recording,label,start_s,end_s\na,walk,,\nb,run,,\n",
    ],
)
def test_tables_are_read_in_their_dialects(tmp_path, labels):
    recordings = read(make(tmp_path, GOOD | {"labels.csv": labels}))

    assert [recordings.classes[i] for i in recordings.label] == ["walk", "run"]
    assert recordings.label_recording.tolist() == [0, 1]


def test_names_with_spaces_and_other_scripts_are_found(tmp_path):
    files = {
        "recordings/große Glocke.csv": csv_signal(),
        "recordings/鐘 2.v1.csv": csv_signal(),
        "recordings/cafe\u0301.csv": csv_signal(),  # decomposed, as macOS writes names
        "labels.csv": "recording,label\ngroße Glocke,tief\n鐘 2.v1,hoch\ncaf\u00e9.csv,hoch\n",
        "groups.csv": "recording,group\ncaf\u00e9,é\n",
    }
    recordings = read(make(tmp_path / "Türme & Glocken", files))

    assert recordings.names == ["café", "große Glocke", "鐘 2.v1"]
    assert recordings.groups == ["é", "große Glocke", "鐘 2.v1"]
    assert sorted(recordings.source["files"]) == sorted(files)


def test_formats_may_be_mixed_where_they_say_the_same(tmp_path):
    signal = np.arange(10.0).reshape(5, 2)
    files = {
        "recordings/a.npy": signal,
        "recordings/b.csv": "0,1\n2,3\n4,5\n",
        "recordings/.DS_Store": "",
        "recordings/README.md": "",
        "recordings/a.atr": "",
        "labels.csv": "recording,label\na.npy,one\nb,two\n",
    }
    root = make(tmp_path, files)
    np.savez(root / "recordings/c.npz", signal=signal, sampling_rate_hz=20)
    with h5py.File(root / "recordings/d.H5", "w") as file:
        file["signal"] = signal

    recordings = read(root, sampling_rate_hz=20.0)

    assert recordings.names == ["a", "b", "c", "d"]
    assert recordings.channels == ["ch0", "ch1"]
    assert recordings.sampling_rate_hz == 20
    np.testing.assert_array_equal(recordings.signals[3], signal)


def test_chosen_channels_make_different_files_agree(tmp_path):
    frame = pd.DataFrame({"y": [1, 2], "extra": ["p", "q"], "x": [3, 4]})
    root = make(tmp_path, GOOD)
    frame.to_parquet(root / "recordings/d.parquet")

    recordings = read(root, channels=["x", "y"], sampling_rate_hz=100)

    assert recordings.channels == ["x", "y"]
    assert recordings.signals[3].tolist() == [[3, 1], [4, 2]]


def test_without_any_rate_whole_labels_suffice(tmp_path):
    files = {
        "recordings/a.npy": np.zeros((5, 1)),
        "recordings/b.npy": np.zeros(4),
        "labels.csv": "recording,label\na,one\nb,two\n",
    }

    assert read(make(tmp_path, files)).sampling_rate_hz is None


def test_a_wfdb_header_brings_the_checksum_of_its_signal_file(tmp_path):
    files = (
        GOOD
        | {f"recordings/{name}.csv": None for name in "abc"}
        | {
            "recordings/a.hea": "a 1 10 4\na.dat 16 1/mV 16 0 0 0 0 x\n",
            "recordings/a.dat": np.arange(4, dtype="<i2").tobytes(),
            "recordings/b.hea": "b 1 10 4\nb.dat 16 1/mV 16 0 0 0 0 x\n",
            "recordings/b.dat": np.arange(4, dtype="<i2").tobytes(),
        }
    )
    recordings = read(make(tmp_path, files))

    assert recordings.names == ["a", "b"]
    assert recordings.units == ["mV"]
    assert "recordings/a.dat" in recordings.source["files"]


def test_a_link_to_a_recording_elsewhere_is_followed(tmp_path):
    root = make(tmp_path / "data", GOOD | {"recordings/b.csv": None})
    elsewhere = make(tmp_path / "elsewhere", {"x.csv": csv_signal(7)})
    (root / "recordings/b.csv").symlink_to(elsewhere / "x.csv")

    recordings = read(root)

    assert recordings.lengths.tolist() == [20, 7, 10]
    assert "recordings/b.csv" in recordings.source["files"]


EVENTS = {"labels.csv": None, "events.csv": "recording,onset_s,label\na,0.05,bell\nb,0.1,bell\n"}


def events(*rows: str, header: str = "recording,onset_s,label") -> dict[str, str | None]:
    return {"labels.csv": None, "events.csv": "\n".join([header, *rows]) + "\n"}


def test_events_become_samples(tmp_path):
    rows = (
        "b,0.17,2,0.17",
        "a,0.1049,10,",  # the nearest sample is the tenth
        "a.csv,0.05,2,0.12",
        "a,0,10,0.2",
        "a,0.194,2,0.2",  # the last sample
    )
    table = events(*rows, header="recording,onset_s,label,offset_s")

    recordings = read(make(tmp_path, GOOD | table), task="detection")

    spans = zip(recordings.label_start, recordings.label_stop, strict=True)
    assert recordings.task == "detection"
    assert recordings.classes == ["2", "10"]
    assert recordings.label_recording.tolist() == [0, 0, 0, 0, 1]
    assert list(spans) == [(0, 20), (5, 12), (10, 11), (19, 20), (17, 18)]
    assert [recordings.classes[i] for i in recordings.label] == ["10", "2", "10", "2", "2"]


def test_detection_knows_its_rules_and_which_recordings_have_events(tmp_path):
    root = make(tmp_path, GOOD | EVENTS)

    recordings = read(root, task="detection", refractory_s=0.04, tolerance_ms=10.0)

    assert (recordings.refractory_s, recordings.tolerance_ms) == (0.04, 10.0)
    assert recordings.classes == ["bell"]  # one type is enough
    assert recordings.known_spans.tolist() == [[0, 20], [0, 30], [0, 0]]
    assert recordings.groups == ["tower", "tower", "c"]
    assert sorted(recordings.source["files"]) == [
        "events.csv",
        "groups.csv",
        *(f"recordings/{name}.csv" for name in "abc"),
    ]


def test_events_of_a_folder_survive_storage(tmp_path):
    recordings = read(make(tmp_path / "data", GOOD | EVENTS), task="detection")
    write_recordings(tmp_path / "recordings.h5", recordings)

    stored = read_recordings(tmp_path / "recordings.h5")

    assert (stored.refractory_s, stored.tolerance_ms) == (None, 5.0)
    assert stored.label_start.tolist() == [5, 10]


def test_events_exactly_the_refractory_time_apart_are_kept(tmp_path):
    table = events("b,0.09,bell", "b,0.29,bell", "b,0.19,bell", "b,0.2,gong", "a,0.1,bell")
    assert 0.29 - 0.19 < 0.1  # in binary fractions

    recordings = read(make(tmp_path, GOOD | table), task="detection", refractory_s=0.1)

    assert len(recordings.label) == 5


def test_classes_and_events_may_lie_side_by_side(tmp_path):
    root = make(tmp_path, GOOD | {"events.csv": EVENTS["events.csv"]})

    assert read(root).classes == ["run", "walk"]
    assert read(root).tolerance_ms is None
    assert read(root, task="detection").classes == ["bell"]


def test_the_options_are_described_and_checked_by_the_registry():
    options = DATASETS.entry("folder").options

    assert all(field.description for field in options.model_fields.values())
    assert options.model_validate({"path": "x", "channels": ["a", "b"]}).channels == ("a", "b")
    assert options.model_validate({"path": "x", "task": "detection"}).tolerance_ms == 5
    with pytest.raises(ValueError, match="must be one of"):
        options.model_validate({"path": "x", "tolerance_ms": 7})


def labels(*rows: str, header: str = "recording,label,start_s,end_s") -> dict[str, str]:
    return {"labels.csv": "\n".join([header, *rows]) + "\n"}


def second(text: str | bytes) -> dict[str, str | bytes]:
    return {"recordings/b.csv": text}


# What to change in GOOD, what the message must hold (file, place, fix), and options.
BAD = {
    "no recordings folder": (
        {f"recordings/{name}.csv": None for name in "abc"},
        "recordings: there is no such folder*make it",
    ),
    "nothing readable": (
        {f"recordings/{name}.csv": None for name in "abc"} | {"recordings/x.txt": ""},
        "recordings: it holds no recordings*.csv, .parquet, .npy, .npz, .h5",
    ),
    "same stem": ({"recordings/b.npy": np.zeros((3, 2))}, "recordings/b.npy*b.csv*rename"),
    "unknown suffix": ({"recordings/d.xlsx": ""}, "recordings/d.xlsx*convert it to one of .csv"),
    "folder among recordings": ({"recordings/day1/": ""}, "recordings/day1*move it"),
    "folder named as a file": (
        {"recordings/day1.csv/": ""},
        "recordings/day1.csv: it is a folder*remove",
    ),
    "no labels": ({"labels.csv": None}, "labels.csv*recording,label"),
    "labels without column": (
        labels("a,walk", header="recording,class"),
        "labels.csv, row 1*no column 'label'*recording,label",
    ),
    "labels without header": (
        labels("b,run", header="a,walk"),
        "labels.csv, row 1*no column 'recording'*header needs",
    ),
    "labels with a column twice": (
        labels("a,walk,run", header="recording,label,label"),
        "labels.csv, row 1*two columns 'label'",
    ),
    "labels with a near miss": (
        labels("a,walk,1", header="recording,label,start"),
        "labels.csv, row 1*'start'*did you mean 'start_s'?",
    ),
    "empty labels file": (labels(header=""), "labels.csv*header needs"),
    "labels without rows": (labels(), "labels.csv*no rows*add rows"),
    "unknown recording": (
        labels("a,walk,,", "", "bb,run,,"),
        "labels.csv, row 4*'bb'*did you mean 'b'?",
    ),
    "recording that escapes": (
        labels("../recordings/a,walk,,"),
        "labels.csv, row 2*'../recordings/a' is unknown",
    ),
    "empty label": (labels("a, ,,"), "labels.csv, row 2, column 'label'*fill in"),
    "empty recording cell": (labels(",run,,"), "row 2, column 'recording'*fill in"),
    "ragged label row": (labels("a,walk"), "labels.csv, row 2*2 cells, but 4*quote"),
    "labelled twice": (
        labels("a,walk", "b,run", "a.csv,walk", header="recording,label"),
        "labels.csv, row 4*row 2*remove one",
    ),
    "whole and interval": (
        labels("a,walk,0.1,0.2", "b,run,,", "a,walk,,"),
        "labels.csv, row 4*row 2*remove one",
    ),
    "only a start": (labels("a,walk,0.1,"), "labels.csv, row 2*only start_s*both"),
    "only an end": (labels("a,walk,,0.1"), "labels.csv, row 2*only end_s*both"),
    "start not a number": (
        labels('"a","walk","0,1","0,2"'),
        "labels.csv, row 2, column 'start_s'*'0,1'*decimal point",
    ),
    "end not finite": (labels("a,walk,0,inf"), "labels.csv, row 2, column 'end_s'*write"),
    "end beyond any float": (labels("a,walk,0,1e308"), "labels.csv, row 2*keep within"),
    "start after end": (labels("a,walk,0.2,0.1"), "labels.csv, row 2*swap"),
    "start at end": (labels("a,walk,0.1,0.1"), "labels.csv, row 2*correct"),
    "shorter than a sample": (labels("a,walk,0.1,0.101"), "labels.csv, row 2*widen"),
    "before the start": (labels("a,walk,-0.1,0.1"), "labels.csv, row 2*0.2 s"),
    "after the end": (labels("a,walk,0.1,0.21"), "labels.csv, row 2*keep within its 0.2 s"),
    "overlap": (
        labels("b,run,0,0.3", "b,run,0.05,0.1", "b,walk,0.2,0.3"),
        "labels.csv, row 4*row 2*'run' and 'walk'*shorten",
    ),
    "one class": (labels("a,walk,,", "b,walk,,"), "labels.csv*'walk'*two classes"),
    "unclosed quote": (labels('a,"walk,,', "b,run,,"), "labels.csv, row 2*quotation"),
    "labels not UTF-8": (
        {"labels.csv": "recording,label\na,walk\nb,größe\n".encode("latin-1")},
        "labels.csv, row 3*save it as UTF-8",
    ),
    "labels as UTF-16": (
        {"labels.csv": "recording,label\na,walk\n".encode("utf-16")},
        "labels.csv, row 1*save it as UTF-8",
    ),
    "labels with NUL": ({"labels.csv": "recording,label\na,w\0\n"}, "labels.csv, row 2*save"),
    "labels is a folder": ({"labels.csv": None, "labels.csv/": ""}, "labels.csv*no file*CSV"),
    "intervals without rate": (
        {f"recordings/{name}.csv": "1,2\n3,4\n" for name in "abc"} | labels("a,walk,0,1"),
        "labels.csv, row 2*set `sampling_rate_hz`",
    ),
    "group of unknown recording": (
        {"groups.csv": "recording,group\na,g\nz,g\n"},
        "groups.csv, row 3*'z'*known are a, b, c",
    ),
    "two groups": (
        {"groups.csv": "recording,group\na,g\na,g\na,h\n"},
        "groups.csv, row 4*'g'*keep one",
    ),
    "groups without column": (
        {"groups.csv": "recording,tower\na,g\n"},
        "groups.csv, row 1*no column 'group'*recording,group",
    ),
    "empty groups": ({"groups.csv": ""}, "groups.csv*header needs"),
    "NaN": (
        second("time,x,y\n0,1,2\n0.01,nan,2\n"),
        "b.csv, row 3, column 'x'*not finite*fill it in",
    ),
    "infinity": (second("1,2\n3,-inf\n"), "b.csv, row 2, column 'ch1'*cut it out"),
    "too large": (second("time,x,y\n\n0,1,1e39\n"), "b.csv, row 3, column 'y'*cut it out"),
    "empty cell": (second("time,x,y\n0,1,2\n0.01,,2\n"), "b.csv, row 3, column 'x'*fill"),
    "not a number": (
        second("time,x,y\n0,1,2\n0.01,3,off\n"),
        "b.csv, row 3, column 'y'*'off'*write a number",
    ),
    "decimal comma": (second("x;y\n1,5;2\n"), "b.csv, row 2, column 'x'*decimal point"),
    "digits that data files do not have": (
        second("x,y\n1,1_000\n"),
        "b.csv, row 2, column 'y'*'1_000'*write a number",
    ),
    "long row": (second("time,x,y\n0,1,2\n0.01,3,4,5\n"), "b.csv, row 3*4 cells*same number"),
    "all rows long": (second("time,x,y\n0,1,2,3\n1,2,3,4\n"), "b.csv, row 2*4 cells"),
    "short row": (second("time,x,y\n0,1,2\n0.01,3\n"), "b.csv, row 3*2 cells*same number"),
    "number in header": (second("time,1.5,y\n0,1,2\n"), "b.csv, row 1*'1.5'*names alone"),
    "index of pandas": (second(",x,y\n0,1,2\n"), "b.csv, row 1*column 1*name it"),
    "two clocks": (second("time,t,x\n0,1,2\n"), "b.csv*'time' and 't'*rename"),
    "signal not UTF-8": (
        second("time,x,y\n0,1,2\n0.01,\xb5,4\n".encode("latin-1")),
        "b.csv, row 3*save it as UTF-8",
    ),
    "empty file": (second(""), "b.csv*empty*fill it or remove it"),
    "header alone": (second("time,x,y\n"), "b.csv*no samples*remove"),
    "clock alone": (second("time\n0\n1\n"), "b.csv*no channels*add a column"),
    "time stands still": (
        second("time,x,y\n\n0,1,2\n0.01,1,2\n0.01,1,2\n"),
        "b.csv, row 5, column 'time'*not after*rename the column",
    ),
    "missing sample": (
        second("time,x,y\n0,1,2\n0.01,1,2\n0.02,1,2\n0.04,1,2\n0.05,1,2\n"),
        "b.csv, row 5, column 'time'*not uniform*uniform grid",
    ),
    "drifting clock": (
        second("time,x,y\n" + "".join(f"{i + i * i / 2000},1,2\n" for i in range(200))),
        "b.csv, row*drifts*remove the column",
        {"sampling_rate_hz": 1.0},
    ),
    "NaN in time": (second("time,x,y\n0,1,2\nnan,1,2\n"), "b.csv, row 3, column 'time'"),
    "channel count": (
        second("time,x\n0,1\n0.01,2\n"),
        "b.csv*1 channel, but recordings/a.csv has 2*`channels`",
    ),
    "channel name": (
        second(csv_signal(header="time,x,z")),
        "b.csv*'z'*'y' in recordings/a.csv*rename it",
    ),
    "unknown channel": ({}, "a.csv*'yy'*did you mean 'y'?", {"channels": ("x", "yy")}),
    "mixed rates": (
        second(csv_signal(rate_hz=50)),
        "b.csv*50 Hz*100 Hz in recordings/a.csv*resample",
    ),
    "rate against the option": (
        {},
        "a.csv*100 Hz*200 Hz in `sampling_rate_hz`*correct the rate",
        {"sampling_rate_hz": 200.0},
    ),
    "rate in one file only": (
        second("x,y\n1,2\n"),
        "b.csv*no sampling rate*set `sampling_rate_hz`",
    ),
    "truncated npy": (
        {"recordings/d.npy": b"\x93NUMPY\x01\x00v\x00{'descr': '<f8'"},
        "recordings/d.npy*anew",
    ),
    "pickle": (
        {"recordings/d.npy": np.array([[1, "a"]], dtype=object)},
        "recordings/d.npy*plain numbers",
    ),
}

DETECTION = {"task": "detection"}
BAD |= {
    "no events": (
        {"labels.csv": None},
        "events.csv: there is no such file*recording,onset_s,label",
        DETECTION,
    ),
    "labels in place of events": (
        {},
        "events.csv: there is no such file*set `task: classification` to read labels.csv",
        DETECTION,
    ),
    "events in place of labels": (
        EVENTS,
        "labels.csv: there is no such file*set `task: detection` to read events.csv",
    ),
    "refractory time of classes": (
        {},
        "`refractory_s` belongs to events*set `task: detection`",
        {"refractory_s": 1.0},
    ),
    "events without column": (
        events("a,bell", header="recording,label"),
        "events.csv, row 1*no column 'onset_s'*recording,onset_s,label",
        DETECTION,
    ),
    "offset by another name": (
        events("a,0.1,bell,0.2", header="recording,onset_s,label,offset"),
        "events.csv, row 1*'offset'*did you mean 'offset_s'?",
        DETECTION,
    ),
    "events without rows": (events(), "events.csv*no rows*add rows", DETECTION),
    "event of unknown recording": (
        events("a,0.1,bell", "", "d,0.1,bell"),
        "events.csv, row 4*'d'*known are a, b, c",
        DETECTION,
    ),
    "event without a type": (
        events("a,0.1, "),
        "events.csv, row 2, column 'label'*fill in the label",
        DETECTION,
    ),
    "event without an onset": (
        events("a,,bell"),
        "events.csv, row 2, column 'onset_s'*fill in",
        DETECTION,
    ),
    "onset is NaN": (
        events("a,0.1,bell", "a,nan,bell"),
        "events.csv, row 3, column 'onset_s'*write seconds",
        DETECTION,
    ),
    "onset is no number": (
        events("a,soon,bell"),
        "events.csv, row 2, column 'onset_s'*'soon'*decimal point",
        DETECTION,
    ),
    "onset before the start": (events("a,-0.001,bell"), "events.csv, row 2*0.19 s", DETECTION),
    "onset at the end": (
        events("a,0.1,bell", "a,0.195,bell"),
        "events.csv, row 3*onset_s 0.195 is not between*0.19 s*correct it",
        DETECTION,
    ),
    "onset beyond any sample": (
        events("a,1e308,bell"),
        "events.csv, row 2*not between",
        {"task": "detection", "sampling_rate_hz": 100.0},
    ),
    "offset before onset": (
        events("a,0.1,bell,0.09", header="recording,onset_s,label,offset_s"),
        "events.csv, row 2*offset_s 0.09 is before onset_s 0.1*swap",
        DETECTION,
    ),
    "offset behind the end": (
        events("a,0.1,bell,0.21", header="recording,onset_s,label,offset_s"),
        "events.csv, row 2*offset_s 0.21 is outside*keep within",
        DETECTION,
    ),
    "offset is infinite": (
        events("a,0.1,bell,inf", header="recording,onset_s,label,offset_s"),
        "events.csv, row 2, column 'offset_s'*write seconds",
        DETECTION,
    ),
    "events without rate": (
        {f"recordings/{name}.csv": "1,2\n3,4\n" for name in "abc"} | events("a,0,bell"),
        "events.csv, row 2*rate is unknown*set `sampling_rate_hz`",
        DETECTION,
    ),
    "events too near": (
        events("b,0.25,bell", "a,0.1,bell", "b,0.2,gong", "b,0.16,bell"),
        "events.csv, row 5*0.09 s from the one in row 2*0.1 s of `refractory_s`*lower",
        {"task": "detection", "refractory_s": 0.1},
    ),
    "two events in one sample": (
        events("b,0.1,bell", "b,0.101,gong", "b,0.1009,bell"),
        "events.csv, row 4*at the sample of the one in row 2*remove one",
        DETECTION,
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_with_file_place_and_fix(tmp_path, case):
    changes, pattern, *options = BAD[case]
    root = make(tmp_path / "data", GOOD | changes)

    with pytest.raises(DataError) as caught:
        read(root, **dict(*options))

    message = str(caught.value)
    assert message.startswith(str(root))
    assert "\n" not in message
    for piece in pattern.split("*"):
        assert piece in message


@pytest.mark.parametrize("path", ["nowhere", "nowhere\0", "x" * 5000, "~nobody_of_that_name/x"])
def test_a_missing_folder_is_named(tmp_path, path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(DataError, match="correct `path`"):
        read(Path(path))


def test_units_must_agree(tmp_path):
    headers = {
        f"recordings/{name}.hea": f"{name} 1 10 4\n{name}.dat 16 1/{unit} 16 0 0 0 0 x\n"
        for name, unit in (("a", "mV"), ("b", "uV"))
    }
    data = {f"recordings/{name}.dat": bytes(8) for name in "ab"}
    root = make(tmp_path, headers | data | {"labels.csv": GOOD["labels.csv"]})

    with pytest.raises(DataError, match=r"b\.hea.*'uV', but 'mV' in recordings/a\.hea; convert"):
        read(root)


def test_a_link_that_leads_nowhere_is_named(tmp_path):
    root = make(tmp_path, GOOD)
    (root / "recordings/d.csv").symlink_to(tmp_path / "gone.csv")

    with pytest.raises(DataError, match=r"d\.csv: .* leads nowhere; put a file"):
        read(root)


def test_a_file_name_that_is_not_unicode_is_refused(tmp_path):
    root = make(tmp_path, GOOD)
    try:
        (root / os.fsdecode(b"recordings/\xff.csv")).write_text(csv_signal())
    except OSError:
        pytest.skip("this file system takes Unicode names alone")

    with pytest.raises(DataError, match="rename the file"):
        read(root)


@pytest.mark.parametrize(
    ("table", "head", "options"),
    [
        ("labels.csv", b"recording,label,start_s,end_s\na,walk,0,0.1\nb,run,,", {}),
        ("events.csv", b"recording,onset_s,label,offset_s\na,0.1,walk,0.12\nb,0,run,", DETECTION),
    ],
)
def test_random_tables_are_refused_or_read_but_never_crash(tmp_path, table, head, options):
    rng = np.random.default_rng(0)
    root = make(tmp_path, GOOD)
    alphabet = np.frombuffer(b'ab,,,;\n\n\r"\t.01\xc3\xa4\xff walkrecordinglabel', dtype=np.uint8)
    n_read = 0
    for trial in range(150):
        noise = rng.choice(alphabet, size=rng.integers(1, 80)).tobytes()
        (root / table).write_bytes((head if trial % 2 else b"") + noise)
        with suppress(DataError):
            assert len(read(root, **options).classes) >= 2
            n_read += 1
    assert n_read < 150


def write_series(root: Path) -> Path:
    (root / "recordings").mkdir(parents=True)
    (root / "recordings/r1.csv").write_text("x,v,f\n1,2,3\n4,5,6\n", encoding="utf-8")
    return root


def test_regression_tells_channels_that_models_do_not_see(tmp_path):
    made = read(write_series(tmp_path), task="regression", targets=("f",))

    assert made.channels == ["x", "v"]
    assert made.target_names == ["f"]
    assert made.targets[0].tolist() == [[3.0], [6.0]]
    assert made.signals[0].tolist() == [[1.0, 2.0], [4.0, 5.0]]


def test_forecasting_needs_no_table(tmp_path):
    made = read(write_series(tmp_path), task="forecasting")

    assert made.classes == []
    assert made.signals[0].shape == (2, 3)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"task": "regression"}, "`targets` are the channels that regression predicts; name them"),
        ({"task": "forecasting", "targets": ("f",)}, "for regression alone"),
        ({"task": "regression", "targets": ("g",)}, "no channel 'g', which `targets` names"),
        ({"task": "regression", "targets": ("x", "v", "f")}, "leave no channel as input"),
    ],
)
def test_targets_that_do_not_fit_are_refused(tmp_path, options, sentence):
    with pytest.raises(DataError, match=sentence):
        read(write_series(tmp_path), **options)
