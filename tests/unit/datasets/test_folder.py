"""A folder becomes recordings as they were meant, or one sentence names the fix."""

import hashlib
import os
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pyedflib
import pytest

from seqbench.config.registry import DATASETS
from seqbench.datasets.base import DataError
from seqbench.datasets.folder import folder

SHORT = "1,2\n3,4\n"  # without names or times
EVENTS = {"labels.csv": None, "events.csv": "recording,onset_s,label\na,0.05,bell\nb,0.1,bell\n"}


def read_at(root: Path, **options: object):
    return folder(Path("unused"), path=str(root), **options)


def test_a_folder_becomes_recordings(read):
    recordings = read({})

    assert (recordings.task, recordings.sample) == ("classification", "series")
    assert recordings.names == ["a", "b", "c"]
    assert recordings.groups == ["tower", "tower", "c"]
    assert recordings.splits == ["", "", ""]
    assert (recordings.channels, recordings.units) == (["x", "y"], ["", ""])
    assert recordings.sampling_rate_hz == 100
    assert recordings.lengths.tolist() == [20, 30, 10]
    assert recordings.signals[2][3].tolist() == [9, -9]
    assert recordings.classes == ["run", "walk"]
    assert recordings.label_recording.tolist() == [0, 1]
    assert recordings.label.tolist() == [1, 0]
    assert recordings.label_start.tolist() == [0, 0]
    assert recordings.label_stop.tolist() == [20, 30]


def test_the_source_has_checksums_of_all_that_was_read_and_no_absolute_path(make):
    root = make({"recordings/README.txt": "not read"})

    source = read_at(root).source

    names = ["groups.csv", "labels.csv", *(f"recordings/{name}.csv" for name in "abc")]
    assert source["origin"] == "folder"
    assert source["files"] == {
        name: hashlib.sha256((root / name).read_bytes()).hexdigest() for name in names
    }


def test_names_with_spaces_and_other_scripts_are_found(make):
    files = {
        "recordings/große Glocke.csv": SHORT,
        "recordings/鐘 2.v1.csv": SHORT,
        "recordings/cafe\u0301.csv": SHORT,  # decomposed, as macOS writes names
        "labels.csv": "recording,label\ngroße Glocke,tief\n鐘 2.v1,hoch\ncaf\u00e9.csv,hoch\n",
        "groups.csv": "recording,group\ncaf\u00e9,é\n",
    }
    recordings = read_at(make(files, alone=True), ungrouped="own")

    assert recordings.names == ["café", "große Glocke", "鐘 2.v1"]
    assert recordings.groups == ["é", "große Glocke", "鐘 2.v1"]
    assert sorted(recordings.source["files"]) == sorted(files)


def test_formats_may_be_mixed_where_they_say_the_same(make):
    signal = np.arange(10.0).reshape(5, 2)
    files = {
        "recordings/a.npy": signal,
        "recordings/b.csv": "0.,1\n2,3\n4,5\n",
        "recordings/.DS_Store": "",
        "recordings/README.md": "",
        "recordings/a.atr": "",
        "labels.csv": "recording,label\na.npy,one\nb,two\n",
    }
    root = make(files, alone=True)
    np.savez(root / "recordings/c.npz", signal=signal, sampling_rate_hz=20)
    with h5py.File(root / "recordings/d.H5", "w") as file:
        file["signal"] = signal

    recordings = read_at(root, sampling_rate_hz=20.0)

    assert recordings.names == ["a", "b", "c", "d"]
    assert recordings.channels == ["ch0", "ch1"]
    assert recordings.sampling_rate_hz == 20
    np.testing.assert_array_equal(recordings.signals[3], signal)


def test_chosen_channels_make_different_files_agree(make):
    frame = pd.DataFrame({"y": [1, 2], "extra": ["p", "q"], "x": [3, 4]})
    root = make({"groups.csv": None})
    frame.to_parquet(root / "recordings/d.parquet")

    recordings = read_at(root, channels=["x", "y"], sampling_rate_hz=100)

    assert recordings.channels == ["x", "y"]
    assert recordings.signals[3].tolist() == [[3, 1], [4, 2]]


def test_without_any_rate_whole_labels_suffice(make):
    files = {
        "recordings/a.npy": np.zeros((5, 1)),
        "recordings/b.npy": np.zeros(4),
        "labels.csv": "recording,label\na,one\nb,two\n",
    }

    assert read_at(make(files, alone=True)).sampling_rate_hz is None


def header(name: str, unit: str = "mV") -> dict[str, str | bytes]:
    """Return a WFDB record of four samples."""
    text = f"{name} 1 10 4\n{name}.dat 16 1/{unit} 16 0 0 0 0 x\n"
    return {f"recordings/{name}.hea": text, f"recordings/{name}.dat": bytes(8)}


def test_a_wfdb_header_brings_the_checksum_of_its_signal_file(make):
    table = {"labels.csv": "recording,label\na,walk\nb,run\n"}

    recordings = read_at(make(header("a") | header("b") | table, alone=True))

    assert recordings.names == ["a", "b"]
    assert recordings.units == ["mV"]
    assert "recordings/a.dat" in recordings.source["files"]


def test_units_must_agree(make):
    root = make(header("a") | header("b", "uV"), alone=True)

    with pytest.raises(DataError, match=r"b\.hea.*'uV', but 'mV' in recordings/a\.hea; convert"):
        read_at(root, task="forecasting")


def test_micro_is_micro_however_it_is_written(make):
    root = make({"recordings/": ""}, alone=True)
    for name, unit in {
        "a": b"\xb5V",
        "b": b"uV",
        "c": "\N{GREEK SMALL LETTER MU}V".encode(),
    }.items():
        path = root / f"recordings/{name}.edf"
        with pyedflib.EdfWriter(str(path), 1) as file:
            file.setSignalHeader(0, {"label": "x", "sample_frequency": 10, "dimension": "uV",
                "physical_min": -1, "physical_max": 1, "digital_min": -100, "digital_max": 100,
                "transducer": "", "prefilter": ""})  # fmt: skip
            file.writeSamples([np.sin(np.arange(40.0))])
        path.write_bytes(path.read_bytes().replace(b"uV      ", unit.ljust(8), 1))

    assert read_at(root, task="forecasting").units == ["µV"]


def test_a_link_to_a_recording_elsewhere_is_followed(make, tmp_path):
    root = make({"recordings/b.csv": None})
    (tmp_path / "x.csv").write_text("time,x,y\n0,1,2\n0.01,3,4\n")
    (root / "recordings/b.csv").symlink_to(tmp_path / "x.csv")

    recordings = read_at(root)

    assert recordings.lengths.tolist() == [20, 2, 10]
    assert "recordings/b.csv" in recordings.source["files"]


def test_detection_knows_its_rules_and_which_recordings_have_events(read):
    recordings = read(EVENTS, task="detection", refractory_s=0.04, tolerance_ms=10.0)

    assert (recordings.refractory_s, recordings.tolerance_ms) == (0.04, 10.0)
    assert recordings.classes == ["bell"]  # one type is enough
    assert recordings.known_spans.tolist() == [[0, 20], [0, 30], [0, 0]]
    assert recordings.groups == ["tower", "tower", "c"]
    assert sorted(recordings.source["files"]) == [
        "events.csv",
        "groups.csv",
        *(f"recordings/{name}.csv" for name in "abc"),
    ]


def test_classes_and_events_may_lie_side_by_side(read):
    both = {"events.csv": EVENTS["events.csv"]}

    assert read(both).classes == ["run", "walk"]
    assert read(both).tolerance_ms is None
    assert read(both, task="detection").classes == ["bell"]


def test_the_types_that_rank_are_some_of_the_events(read):
    assert read(EVENTS, task="detection", ranked_types=("bell",)).ranked_types == ["bell"]
    assert read(EVENTS, task="detection").ranked_types is None

    with pytest.raises(DataError, match=r"`ranked_types` names 'drum', which no event is; .*bell"):
        read(EVENTS, task="detection", ranked_types=("bell", "drum"))
    with pytest.raises(DataError, match="`ranked_types` names 'bell' twice; name each type once"):
        read(EVENTS, task="detection", ranked_types=("bell", "bell"))
    with pytest.raises(DataError, match="`ranked_types` belongs to events"):
        read({}, task="forecasting", ranked_types=("bell",))


def test_the_channel_that_is_an_ecg_is_stated_to_baselines(read):
    assert read(EVENTS, task="detection", ecg="y").source["ecg"] == "y"
    assert "ecg" not in read(EVENTS, task="detection").source


def test_what_channels_measure_is_stated_to_baselines(read):
    assert read({}, physiology={"y": "pulse"}).source["physiology"] == {"y": "pulse"}
    assert read({}, physiology={}).source["physiology"] == {}
    assert "physiology" not in read({}).source


def test_the_options_are_checked_by_the_registry():
    options = DATASETS.entry("folder").options

    assert options.model_validate({"path": "x", "channels": ["a", "b"]}).channels == ("a", "b")
    assert options.model_validate({"path": "x", "task": "detection"}).tolerance_ms == 5
    with pytest.raises(ValueError, match="must be one of"):
        options.model_validate({"path": "x", "tolerance_ms": 7})


# What to change in a good folder, what the message must hold (file, place, fix), and options.
BAD = {
    "no recordings folder": (
        {f"recordings/{name}.csv": None for name in "abc"},
        "recordings: there is no such folder*make it",
    ),
    "nothing readable": (
        {f"recordings/{name}.csv": None for name in "abc"} | {"recordings/x.md": ""},
        "recordings: it holds no recordings*.csv, .txt, .parquet, .npy, .npz, .h5",
    ),
    "same stem": ({"recordings/b.npy": np.zeros((3, 2))}, "recordings/b.npy*b.csv*rename"),
    "unknown suffix": ({"recordings/d.xlsx": ""}, "recordings/d.xlsx*convert it to one of .csv"),
    "folder among recordings": (
        {"recordings/day1/": ""},
        "recordings/day1: it is a folder*move the recordings in it",
    ),
    "folder named as a file": ({"recordings/day1.csv/": ""}, "recordings/day1.csv: it is a folder"),
    "text that is no table": (
        {"recordings/notes.txt": "cold\nwet\ndry\n"},
        "notes.txt, row 3*'dry'",
    ),
    "signals without a header": (
        {"recordings/d.dat": "1"},
        "recordings/d.dat: no WFDB header*put the header",
    ),
    "channel count": (
        {"recordings/b.csv": "time,x\n0,1\n0.01,2\n"},
        "b.csv*1 channel, but recordings/a.csv has 2*`channels`",
    ),
    "channel name": (
        {"recordings/b.csv": "time,x,z\n0,1,2\n0.01,1,2\n"},
        "b.csv*'z'*'y' in recordings/a.csv*rename it",
    ),
    "unknown channel": ({}, "a.csv*'yy'*did you mean 'y'?", {"channels": ("x", "yy")}),
    "mixed rates": (
        {"recordings/b.csv": "time,x,y\n0,1,2\n0.02,1,2\n"},
        "b.csv*50 Hz*100 Hz in recordings/a.csv*`resample: true`*`sampling_rate_hz: 100`",
    ),
    "no rate to resample to": (
        {},
        "*`resample` has no rate*`sampling_rate_hz`",
        {"resample": True},
    ),
    "rate against the option": (
        {},
        "a.csv*100 Hz*200 Hz in `sampling_rate_hz`*correct the rate",
        {"sampling_rate_hz": 200.0},
    ),
    "rate in one file only": (
        {"recordings/b.csv": "x,y\n1,2\n"},
        "b.csv*no sampling rate*set `sampling_rate_hz`",
    ),
    "refractory time of classes": (
        {},
        "`refractory_s` belongs to events*set `task: detection`",
        {"refractory_s": 1.0},
    ),
    "an option before any file is read": (
        {"recordings/b.csv": ""},
        "`refractory_s` belongs to events*set `task: detection`",
        {"refractory_s": 1.0},
    ),
    "an ECG of classes": ({}, "`ecg` belongs to events*set `task: detection`", {"ecg": "y"}),
    "an ECG that is no channel": (
        EVENTS,
        "'yy'*did you mean 'y'?",
        {"task": "detection", "ecg": "yy"},
    ),
    "a pulse of events": (
        EVENTS,
        "`physiology` belongs to classification, not to detection; leave it out",
        {"task": "detection", "physiology": {}},
    ),
    "a pulse that is no channel": (
        {},
        "no channel 'yy', which `physiology` names*did you mean 'y'?",
        {"physiology": {"yy": "pulse"}},
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_with_file_place_and_fix(assert_refused, case):
    assert_refused(*BAD[case])


@pytest.mark.parametrize("path", ["nowhere", "nowhere\0", "x" * 5000, "~nobody_of_that_name/x"])
def test_a_missing_folder_is_named(tmp_path, path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(DataError, match="correct `path`"):
        read_at(Path(path))


def test_a_link_that_leads_nowhere_is_named(make, tmp_path):
    root = make({})
    (root / "recordings/d.csv").symlink_to(tmp_path / "gone.csv")

    with pytest.raises(DataError, match=r"d\.csv: .* leads nowhere, or no file; put a file"):
        read_at(root)


def test_a_file_name_that_is_not_unicode_is_refused(make):
    root = make({})
    try:
        (root / os.fsdecode(b"recordings/\xff.csv")).write_text(SHORT)
    except OSError:
        pytest.skip("this file system takes Unicode names alone")

    with pytest.raises(DataError, match="rename the file"):
        read_at(root)


@pytest.fixture
def series(make):
    return make({"recordings/r1.csv": "x,v,f\n1,2,3\n4,5,6\n"}, alone=True)


def test_targets_of_regression_are_no_channels(series):
    made = read_at(series, task="regression", targets=("f",))

    assert made.channels == ["x", "v"]
    assert made.target_names == ["f"]
    assert made.targets[0].tolist() == [[3.0], [6.0]]
    assert made.signals[0].tolist() == [[1.0, 2.0], [4.0, 5.0]]


def test_forecasting_needs_no_table(series):
    made = read_at(series, task="forecasting")

    assert made.classes == []
    assert made.signals[0].shape == (2, 3)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"task": "regression"}, "`targets` are the channels that regression predicts; name them"),
        ({"task": "forecasting", "targets": ("f",)}, "for regression alone"),
        ({"task": "regression", "targets": ("g",)}, "no channel 'g', which `targets` names"),
        ({"task": "regression", "targets": ("f", "f")}, "`targets` names 'f' twice"),
        ({"task": "regression", "targets": ("x", "v", "f")}, "leave no channel as input"),
    ],
)
def test_targets_that_do_not_fit_are_refused(series, options, sentence):
    with pytest.raises(DataError, match=sentence):
        read_at(series, **options)


PULSES = (5, 12, 19)
WAYS = {
    "seconds": ("time_s", lambda t: f"{t:.4f}", {}),
    "milliseconds": ("time_ms", lambda t: f"{t * 1e3:.1f}", {}),
    "a stated rate": ("time", lambda t: f"{t * 1e6:.0f}", {"sampling_rate_hz": 100.0}),
    "a stated unit": (
        "when",
        lambda t: f"{t / 60:.9f}",
        {"time_column": "when", "time_unit": "min"},
    ),
    "since 1970": ("timestamp", lambda t: f"{1.7e12 + t * 1e3:.1f}", {}),
    "dates": ("date", lambda t: f"2024-05-01T12:00:{t:09.6f}+02:00", {}),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("start_s", [0.0, 5.0])
@pytest.mark.parametrize("rate_hz", [100.0, 99.93])
def test_an_event_on_a_pulse_lands_on_it_whatever_the_clock(make, way, start_s, rate_hz):
    name, written, options = WAYS[way]
    times_s = start_s + np.arange(25) / rate_hz
    rows = [f"{written(t)},{i in PULSES:d}" for i, t in enumerate(times_s)]
    since_start = [f"a,{i / rate_hz:.4f},beat" for i in PULSES]
    on_clock = [f"a,{written(times_s[i])},beat" for i in PULSES]
    if way not in ("dates", "since 1970"):
        on_clock = [f"a,{times_s[i]:.4f},beat" for i in PULSES]
    elif way == "since 1970":
        on_clock = [f"a,{1.7e9 + times_s[i]:.4f},beat" for i in PULSES]
    table = "\n".join([f"{name},x", *rows])

    for origin, events in (("start", since_start), ("clock", on_clock)):
        files = {
            "recordings/a.csv": table,
            "events.csv": "\n".join(["recording,onset_s,label", *events]),
        }
        found = read_at(make(files, alone=True), task="detection", times=origin, **options)
        assert found.label_start.tolist() == list(PULSES)
        assert found.channels == ["x"]
        assert found.signals[0][list(PULSES)].all()


def test_events_that_may_be_on_either_clock_are_refused(make):
    table = "\n".join(["time_s,x", *(f"{5 + i / 10},{i % 3}" for i in range(200))])
    files = {"recordings/a.csv": table, "events.csv": "recording,onset_s,label\na,7,beat\n"}
    root = make(files, alone=True)

    with pytest.raises(DataError, match=r"row 2: the clock of recording 'a' starts at 5 s; set"):
        read_at(root, task="detection")
    (root / "events.csv").write_text("recording,onset_s,label\na,2,beat\n")
    assert read_at(root, task="detection").label_start.tolist() == [20]
