"""Label files of other programs become the samples that people marked, or one sentence."""

import json
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import pyedflib
import pytest
import wfdb
from pydantic import ValidationError

from seqbench.cli.predict import FORMATS
from seqbench.config.options import LABEL_SUFFIXES, LabelFiles
from seqbench.datasets.labels.formats.edf_annotations import read_edf
from seqbench.datasets.labels.formats.label_file import LabelFile
from seqbench.datasets.labels.label_files import READERS
from seqbench.datasets.reading.recording import read_recording

RATE_HZ = 100  # of the recordings a, b, c: 20, 30 and 10 samples
NO_TABLES = {"labels.csv": None, "groups.csv": None}
TEXTGRID = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = {xmin}
xmax = 0.3
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "gait"
        xmin = {xmin}
        xmax = 0.3
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 0.1
            text = "walk"
        intervals [2]:
            xmin = 0.1
            xmax = 0.2
            text = ""
        intervals [3]:
            xmin = 0.2
            xmax = 0.3
            text = "große ""Glocke"" hier"
    item [2]:
        class = "TextTier"
        name = "bells"
        xmin = 0
        xmax = 0.3
        points: size = 2
        points [1]:
            number = 0.05
            mark = "bell"
        points [2]:
            number = 0.17
            mark = "{mark}"
"""
ELAN = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="" DATE="2024-01-01T00:00:00+00:00" FORMAT="3.0" VERSION="3.0"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">
  <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">
    <MEDIA_DESCRIPTOR MEDIA_URL="file:///b.wav" MIME_TYPE="audio/x-wav"{origin}/>
  </HEADER>
  <TIME_ORDER>
    <TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="50"/>
    <TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="120"/>
    <TIME_SLOT TIME_SLOT_ID="ts3"{unaligned}/>
    <TIME_SLOT TIME_SLOT_ID="ts4" TIME_VALUE="300"/>
  </TIME_ORDER>
  <TIER LINGUISTIC_TYPE_REF="t" TIER_ID="gait">
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
      <ANNOTATION_VALUE>walk</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts3" TIME_SLOT_REF2="ts4">
      <ANNOTATION_VALUE>run</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
  </TIER>
  <TIER LINGUISTIC_TYPE_REF="r" PARENT_REF="gait" TIER_ID="remarks">
    <ANNOTATION><REF_ANNOTATION ANNOTATION_ID="a3" ANNOTATION_REF="a1">
      <ANNOTATION_VALUE>slow</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION>
  </TIER>
</ANNOTATION_DOCUMENT>
"""
RAVEN = (
    "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tAnnotation\n"
    "1\tWaveform 1\t1\t0.050000\t0.120000\t0\twalk\n"
    "1\tSpectrogram 1\t1\t0.050000\t0.120000\t0\twalk\n"
    "2\tSpectrogram 1\t1\t0.200000\t0.300000\t0\trun\n"
)


LIBRARIES = {"elan": "pympi"}


def skip_without_library(label_format: str) -> None:
    if label_format in LIBRARIES:
        pytest.importorskip(LIBRARIES[label_format])


def edf(
    *annotations: tuple[float, float, str],
    names: tuple[str, ...] = ("x", "y"),
    start: datetime = datetime(2024, 1, 1),
    file_type: int = pyedflib.FILETYPE_EDFPLUS,
) -> bytes:
    """Return a file of 3 s with annotations: onset, duration (-1 for none), text."""
    path = Path("written.edf")
    with pyedflib.EdfWriter(str(path), len(names), file_type) as writer:
        writer.setStartdatetime(start)
        for i, name in enumerate(names):
            writer.setSignalHeader(
                i,
                {
                    **{"label": name, "dimension": "uV", "sample_frequency": RATE_HZ},
                    **{"physical_min": -1000, "physical_max": 1000},
                    **{"digital_min": -32768, "digital_max": 32767},
                    **{"transducer": "", "prefilter": ""},
                },
            )
        writer.writeSamples([np.arange(300.0)] * len(names))
        for annotation in annotations:
            writer.writeAnnotation(*annotation)
    return path.read_bytes()


def atr(samples: list[int], symbols: list[str], notes: list[str], fs: float | None) -> bytes:
    wfdb.wrann("written", "atr", np.array(samples), symbol=symbols, aux_note=notes, fs=fs)
    return Path("written.atr").read_bytes()


def task(file: str, *annotations: dict[str, object]) -> dict[str, object]:
    return {"id": 7, "data": {"csv": file}, "annotations": list(annotations)}


def marked(*regions: tuple[object, object, str], **beside: object) -> dict[str, object]:
    """Return an annotation of Label Studio with regions: start, end, label."""
    values = [
        {"start": start, "end": end, "instant": start == end, "timeserieslabels": [label]}
        for start, end, label in regions
    ]
    regions = [{"id": "r", "type": "timeserieslabels", "value": value} for value in values]
    return {"result": regions, "was_cancelled": False, "ground_truth": False} | beside


def label_studio(*tasks: object) -> dict[str, str]:
    return {"labels.json": json.dumps(list(tasks))}


@pytest.fixture(autouse=True)
def _in_folder(tmp_path, monkeypatch):
    (tmp_path / "written").mkdir()
    monkeypatch.chdir(tmp_path / "written")


@pytest.fixture
def found(read):
    """Return a function that reads a folder with label files as (recording, label, span)."""

    def read_labels(files, task="detection", **settings):
        skip_without_library(settings["format"])
        recordings = read(NO_TABLES | files, task=task, labels=LabelFiles(**settings))
        return [
            (recordings.names[i], recordings.classes[k], int(start), int(stop))
            for i, k, start, stop in zip(
                recordings.label_recording,
                recordings.label,
                recordings.label_start,
                recordings.label_stop,
                strict=True,
            )
        ]

    return read_labels


WALK_AND_RUN = [("b", "walk", 5, 12), ("b", "run", 20, 30)]
AUDACITY = "0.050000\t0.120000\twalk\n\\\t-1.0\t8000.0\n0.2\t0.3\trun\n"
# Files, settings, and the events they hold: (recording, label, first sample, the one behind).
EVENTS = {
    "audacity": (
        {"recordings/b.txt": AUDACITY + "0.15\t0.15\tbig\tbell\r\n"},
        {},
        [WALK_AND_RUN[0], ("b", "big\tbell", 15, 16), WALK_AND_RUN[1]],
    ),
    "audacity in a folder": (
        {"marks/b.csv.txt": AUDACITY, "marks/a.TXT": "0.19\t0.19\tbell\n", "marks/notes.md": ""},
        {"path": "marks"},
        [("a", "bell", 19, 20), *WALK_AND_RUN],
    ),
    "textgrid": (
        {"recordings/b.TextGrid": TEXTGRID.format(xmin=0, mark="gong")},
        {"tier": "gait"},
        [("b", "walk", 0, 10), ("b", 'große "Glocke" hier', 20, 30)],
    ),
    "textgrid in the short form": (
        {
            "recordings/b.TextGrid": '"ooTextFile short"\n"TextGrid"\n\n0 ! s\n0.3\n'
            '<exists>\n1\n"TextTier"\n"my bells"\n0\n0.3\n2\n1e-05\n"a ""b"" ! c"\n0.2\n"2"\n'
        },
        {},
        [("b", 'a "b" ! c', 0, 1), ("b", "2", 20, 21)],
    ),
    "textgrid of points in UTF-16": (
        {"recordings/b.TextGrid": TEXTGRID.format(xmin=0, mark="größe").encode("utf-16")},
        {"tier": "bells"},
        [("b", "bell", 5, 6), ("b", "größe", 17, 18)],
    ),
    "raven": ({"recordings/b.Table.1.selections.txt": RAVEN}, {}, WALK_AND_RUN),
    "raven of several recordings": (
        {
            "all.txt": "Selection\tBegin Time (s)\tEnd Time (s)\tBegin File\tFile Offset (s)"
            "\tCall\n"
            "1\t0.05\t0.12\ta.csv\t0.05\ta\n2\t0.3\t0.4\tb.csv\t0.1\ta\n"
        },
        {"path": "all.txt", "column": "call"},
        [("a", "a", 5, 12), ("b", "a", 10, 20)],
    ),
    "elan": (
        {"recordings/b.eaf": ELAN.format(origin="", unaligned=' TIME_VALUE="200"')},
        {"tier": "gait"},
        WALK_AND_RUN,
    ),
    "bids": (
        {
            "recordings/b_events.tsv": "onset\tduration\ttrial_type\tvalue\n"
            "0.05\t0.07\twalk\t1\n0.15\t0\tbell\t2\n0.17\tn/a\tbell\t3\n0.2\t0.1\trun\tn/a\n",
            "recordings/b_eeg.json": "{}",
        },
        {},
        [WALK_AND_RUN[0], ("b", "bell", 15, 16), ("b", "bell", 17, 18), WALK_AND_RUN[1]],
    ),
    "bids of intervals": (
        {"recordings/b_events.tsv": "onset\tduration\tstate\n0.05\t0.07\twalk\n0.2\t0.1\trun\n"},
        {"column": "State"},
        WALK_AND_RUN,
    ),
    "bids with n/a that is left out": (
        {"recordings/b_events.tsv": "onset\tduration\tvalue\n0.1\t0\tn/a\n0.2\t0\tbell\n"},
        {"only": ("bell",)},
        [("b", "bell", 20, 21)],
    ),
    "label_studio": (
        label_studio(
            task("/data/upload/3/0a1b2c3d-b.csv", marked((5, 12, "walk"), (20, 30, "run"))),
            task("s3://bucket/a.csv?x=1", marked((3, 3, "bell")), marked((9, 9, "bell"),
                 was_cancelled=True)),
        ),
        {"unit": "samples"},
        [("a", "bell", 3, 4), *WALK_AND_RUN],
    ),
    "label_studio in ms, one annotation true": (
        label_studio(
            task("b.csv", marked((50, 120, "x")), marked((50, 120, "walk"), ground_truth=True))
        ),
        {"unit": "ms"},
        [("b", "walk", 5, 12)],
    ),
    "label_studio of audio": (
        label_studio(
            task("b.csv", {"result": [{"type": "labels", "value": {
                "start": 0.05, "end": 0.12, "channel": 0, "labels": ["walk"]}}]})
        ),
        {},
        [("b", "walk", 5, 12)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", EVENTS)
def test_events_lie_where_the_other_program_put_them(found, case):
    files, settings, expected = EVENTS[case]

    assert found(files, format=case.split()[0], **settings) == expected


def test_wfdb_annotations_are_events_by_symbol_or_note(found):
    symbols, notes = ["N", "V", '"', "+"], ["", "", "große Glocke", "(AFIB"]
    files = {"recordings/b.qrs": atr([5, 12, 20, 29], symbols, notes, RATE_HZ)}

    events = found(files, format="wfdb", extension="qrs")

    assert events == [
        ("b", "N", 5, 6), ("b", "V", 12, 13), ("b", "große Glocke", 20, 21), ("b", "(AFIB", 29, 30),
    ]  # fmt: skip


def test_wfdb_samples_count_at_the_rate_of_the_annotation_file(found):
    files = {"recordings/b.atr": atr([125], ["N"], [""], 1000)}

    assert found(files, format="wfdb") == [("b", "N", 12, 13)]


def test_wfdb_samples_without_a_rate_count_at_that_of_the_config(read):
    rows = {f"recordings/{name}.csv": "1,2\n3,4\n" for name in "abc"}
    files = NO_TABLES | rows | {"recordings/b.atr": atr([1], ["N"], [""], None)}

    labels = LabelFiles(format="wfdb")
    recordings = read(files, task="detection", sampling_rate_hz=50.0, labels=labels)

    assert recordings.label_start.tolist() == [1]


def test_wfdb_annotations_count_frames_where_a_signal_has_several_samples_in_each(read):
    frames = [np.arange(40) % 7, np.arange(40) % 7]
    scale = {"fmt": ["16"] * 2, "adc_gain": [1, 1], "baseline": [0, 0], "units": ["mV"] * 2}
    names = {"sig_name": ["x", "y"], "samps_per_frame": [2, 2]}
    wfdb.wrsamp("b", fs=50, e_d_signal=frames, **scale, **names)
    files = {
        **dict.fromkeys((f"recordings/{name}.csv" for name in "abc"), None),
        **{f"recordings/b.{suffix}": Path(f"b.{suffix}").read_bytes() for suffix in ("hea", "dat")},
        "beats/b.atr": atr([15], ["N"], [""], None),
    }

    labels = LabelFiles(format="wfdb", path="beats")
    recordings = read(NO_TABLES | files, task="detection", labels=labels)

    assert recordings.sampling_rate_hz == 100
    assert recordings.label_start.tolist() == [30]


LATE = {f"recordings/{name}.csv": "time,x\n5.0,1\n5.01,2\n5.02,3\n" for name in "abc"}


@pytest.mark.parametrize("times", [None, "start"])
def test_samples_count_from_the_first_one_on_any_clock(read, times):
    files = NO_TABLES | LATE | {"recordings/b.atr": atr([2], ["N"], [""], RATE_HZ)}

    labels = LabelFiles(format="wfdb")

    assert read(files, task="detection", labels=labels, times=times).label_start.tolist() == [2]


def test_samples_are_on_no_clock(assert_refused):
    options = {"task": "detection", "labels": LabelFiles(format="wfdb"), "times": "clock"}

    pattern = "`times: clock` does not fit labels of wfdb*leave it out"
    assert_refused(NO_TABLES | LATE, pattern, options)


@pytest.mark.parametrize(("times", "onset"), [("start", "0.02"), ("clock", "5.02")])
def test_label_files_use_the_clock_that_the_config_states(read, times, onset):
    files = NO_TABLES | LATE | {"recordings/b.txt": f"{onset}\t{onset}\tbell\n"}

    recordings = read(files, task="detection", labels=LabelFiles(**AUDACITY_IN), times=times)

    assert recordings.label_start.tolist() == [2]


def test_wfdb_rhythms_last_until_the_next_one(found):
    rhythms = (["+", "N", "+", "+"], ["(N", "", "(AFIB", "(N"])
    files = {"recordings/b.atr": atr([0, 3, 10, 25], *rhythms, RATE_HZ)}

    labels = found(files, task="classification", format="wfdb")

    assert labels == [("b", "(N", 0, 10), ("b", "(AFIB", 10, 25), ("b", "(N", 25, 30)]


def test_edf_annotations_of_the_recordings_themselves(read):
    files = {
        "recordings/a.edf": edf((0.05, 0.07, "walk"), (0.5, -1, "größe")),
        "recordings/b.edf": edf(),
        **dict.fromkeys((f"recordings/{name}.csv" for name in "abc"), None),
        **NO_TABLES,
    }

    recordings = read(files, task="detection", labels=LabelFiles(format="edf"))

    assert recordings.classes == ["größe", "walk"]
    assert recordings.label.tolist() == [1, 0]
    assert recordings.label_start.tolist() == [5, 50]
    assert recordings.label_stop.tolist() == [12, 51]
    assert recordings.label_recording.tolist() == [0, 0]


@pytest.mark.parametrize("start", [datetime(2024, 1, 1), datetime(2024, 1, 1, 0, 0, 0, 250_000)])
def test_edf_annotations_are_those_of_pyedflib(make, start):
    written = [(0.0001, -1, "a"), (0.5, 1.25, "b, größe"), (1.9999, 0.0001, "c"), (2.5, -1, "a")]
    make({"recordings/a.edf": edf(*written, start=start)}, alone=True)
    (path,) = make({}, alone=True).rglob("a.edf")
    with pyedflib.EdfReader(str(path)) as reader:
        theirs = list(zip(*reader.readAnnotations(), strict=True))

    recordings = {"a": read_recording(path)}
    file = LabelFile(path=path, recordings=recordings, times={"a": None}, intervals=False)
    ours = list(read_edf(file, LabelFiles(format="edf")))

    assert [one.label for one in ours] == [text for _, _, text in theirs]
    assert [one.onset_s for one in ours] == pytest.approx([onset for onset, _, _ in theirs])
    lengths = [one.offset_s and one.offset_s - one.onset_s for one in ours]
    assert lengths == [None if of <= 0 else pytest.approx(of) for _, of, _ in theirs]


def test_a_plain_edf_file_holds_no_annotations(assert_refused):
    pattern = "b.edf: it has no signal for annotations*EDF+"
    options = {"task": "detection", "labels": LabelFiles(format="edf", path="own")}
    data = edf(file_type=pyedflib.FILETYPE_EDF)
    assert_refused(NO_TABLES | {"own/b.edf": data}, pattern, options)


def test_edf_annotations_in_files_of_their_own(found):
    files = {"hypnograms/b.edf": edf((0.05, 0.07, "walk"), (0.2, 0.1, "run"), names=("z",))}

    assert found(files, format="edf", path="hypnograms") == WALK_AND_RUN
    assert found(files, "classification", format="edf", path="hypnograms") == WALK_AND_RUN


@pytest.mark.parametrize(
    "case",
    ["audacity in a folder", "bids of intervals", "raven", "elan", "label_studio", "textgrid"],
)
def test_intervals_are_classes(found, case):
    files, settings, expected = EVENTS[case]
    if case == "label_studio":
        files = label_studio(task("b.csv", marked((5, 12, "walk"), (20, 30, "run"))))

    labels = found(
        files | {"marks/a.TXT": None}, "classification", format=case.split()[0], **settings
    )

    assert labels == [label for label in expected if label[1] != "bell"]


def test_label_files_are_among_the_checksums(read):
    labels = LabelFiles(format="audacity")

    source = read(NO_TABLES | {"recordings/b.txt": AUDACITY}, labels=labels).source

    assert "recordings/b.txt" in source["files"]


def test_a_bids_table_is_of_every_recording_of_its_run(found):
    files = {
        **dict.fromkeys((f"recordings/{name}.csv" for name in "abc"), None),
        "recordings/sub-1_task-x_eeg.csv": "time,x\n0,1\n0.01,2\n0.02,3\n",
        "recordings/sub-1_task-x_ecg.csv": "time,x\n0,1\n0.01,2\n0.02,3\n",
        "recordings/sub-1_task-x_events.tsv": "onset\tduration\tvalue\n0.01\t0\tbell\n",
    }

    events = found(files, format="bids")

    assert events == [(f"sub-1_task-x_{kind}", "bell", 1, 2) for kind in ("ecg", "eeg")]


AUDACITY_IN = {"format": "audacity"}
STUDIO = {"format": "label_studio", "unit": "s"}
# Files, settings, and what the message must hold, split at `*`.
REFUSED = {
    "no label files": ({}, AUDACITY_IN, "recordings: it holds no label files (.txt)*`path`"),
    "no such folder": ({}, AUDACITY_IN | {"path": "marks"}, "marks: there is no such*`path`"),
    "empty files": ({"recordings/a.txt": ""}, AUDACITY_IN, "recordings*hold no labels"),
    "of an unknown recording": (
        {"recordings/aa.txt": AUDACITY}, AUDACITY_IN,
        "aa.txt: there is no recording 'aa'*did you mean 'a'?",
    ),
    "two for a recording": (
        {"recordings/a.txt": AUDACITY, "recordings/a.csv.txt": AUDACITY}, AUDACITY_IN,
        "a.txt: a.csv.txt has labels of 'a', too*keep one",
    ),
    "one file for all": (
        {"all.txt": AUDACITY}, AUDACITY_IN | {"path": "all.txt"},
        "all.txt: a file of audacity is of one recording*into a folder",
    ),
    "empty label": ({"recordings/b.txt": "0.1\t0.2\t \n"}, AUDACITY_IN, "b.txt, row 1: the label"),
    "no label": ({"recordings/b.txt": "0.1\t0.2\n"}, AUDACITY_IN, "b.txt, row 1*no label*tab"),
    "decimal comma": (
        {"recordings/b.txt": "0,1\t0,2\tbell\n"}, AUDACITY_IN,
        "b.txt, row 1: '0,1' is not a number*decimal point",
    ),
    "latin-1": (
        {"recordings/b.txt": "0\t1\ta\n0\t1\tgröße\n".encode("latin-1")}, AUDACITY_IN,
        "b.txt, row 2: it is not UTF-8*save it as UTF-8",
    ),
    "outside": (
        {"recordings/a.txt": "0.1\t0.1\tx\n0.2\t0.3\tx\n"}, AUDACITY_IN,
        "a.txt, row 2: its onset at 0.2 s is not between*correct it",
    ),
    "too close": (
        {"recordings/b.Table.1.selections.txt": RAVEN + "3\tWaveform 1\t1\t0.053\t0.06\t0\twalk\n"},
        {"format": "raven"}, "b.Table.1.selections.txt, row 5: 'walk' is at the sample*row 2",
    ),
    "a label that is not there": (
        {"recordings/b.txt": AUDACITY}, AUDACITY_IN | {"only": ("walks",)},
        "no label is 'walks', which `only`*did you mean 'walk'?",
    ),
    "raven without the column": (
        {"recordings/b.txt": RAVEN}, {"format": "raven", "column": "Species"},
        "b.txt: it has no column 'species'*`column` of `labels`*annotation",
    ),
    "raven without times": (
        {"recordings/b.txt": "Selection\tAnnotation\n1\ta\n"}, {"format": "raven"},
        "b.txt, row 1: there is no column 'begin time (s)'",
    ),
    "raven of several without files": (
        {"all.txt": RAVEN}, {"format": "raven", "path": "all.txt"},
        "all.txt, row 2: it names no sound file*Begin File",
    ),
    "raven of several without offsets": (
        {
            "all.txt": "Begin Time (s)\tEnd Time (s)\tBegin File\tAnnotation\n"
            "0.05\t0.12\ta.csv\ta\n0.3\t0.4\tb.csv\ta\n"
        },
        {"format": "raven", "path": "all.txt"},
        "all.txt: its times are of several sound files end to end*File Offset (s)",
    ),
    "raven with a selection twice": (
        {"recordings/b.txt": RAVEN + "2\tWaveform 1\t1\t0.2\t0.3\t0\twalk\n"}, {"format": "raven"},
        "b.txt, row 5: selection 2 stands in row 4 already, otherwise*one view",
    ),
    "textgrid of two tiers": (
        {"recordings/b.TextGrid": TEXTGRID.format(xmin=0, mark="x")}, {"format": "textgrid"},
        "b.TextGrid: it has the tiers gait, bells*name the one to read in `tier`",
    ),
    "textgrid without the tier": (
        {"recordings/b.TextGrid": TEXTGRID.format(xmin=0, mark="x")},
        {"format": "textgrid", "tier": "bell"}, "b.TextGrid: it has no tier 'bell'*mean 'bells'?",
    ),
    "textgrid of another clock": (
        {"recordings/b.TextGrid": TEXTGRID.format(xmin=-5, mark="x")},
        {"format": "textgrid", "tier": "bells"}, "its time begins at -5 s, not at 0*shift",
    ),
    "textgrid with an empty point": (
        {"recordings/b.TextGrid": TEXTGRID.format(xmin=0, mark=" ")},
        {"format": "textgrid", "tier": "bells"}, "tier 'bells', point 2: the label is empty",
    ),
    "textgrid in latin-1": (
        {"recordings/b.TextGrid": TEXTGRID.format(xmin=0, mark="größe").encode("latin-1")},
        {"format": "textgrid", "tier": "bells"}, "b.TextGrid: it is neither UTF-8*choose UTF-8",
    ),
    "textgrid cut short": (
        {"recordings/b.TextGrid": TEXTGRID.format(xmin=0, mark="x")[:-30]},
        {"format": "textgrid", "tier": "gait"}, "b.TextGrid: it ends before all*was cut short*anew",
    ),
    "textgrid with a number missing": (
        {"recordings/b.TextGrid": TEXTGRID.format(xmin=0, mark="x").replace("= 0.05", "= ?")},
        {"format": "textgrid", "tier": "bells"}, "b.TextGrid, row 35: there is no number*anew",
    ),
    "textgrid with more than it counts": (
        {"recordings/b.TextGrid": TEXTGRID.format(xmin=0, mark="x") + "number = 1\n"},
        {"format": "textgrid", "tier": "bells"}, "b.TextGrid, row 39: there is no end*anew",
    ),
    "textgrid of a negative time": (
        {"recordings/b.TextGrid": TEXTGRID.format(xmin=0, mark="x").replace("0.05", "-0.05")},
        {"format": "textgrid", "tier": "bells"},
        "tier 'bells', point 1: its onset at -0.05 s is not between",
    ),
    "binary textgrid": (
        {"recordings/b.TextGrid": b"ooBinaryFile\x08TextGrid"}, {"format": "textgrid"},
        "b.TextGrid: it is a binary file*as text file",
    ),
    "no textgrid": (
        {"recordings/b.TextGrid": '"ooTextFile" "PitchTier" 0 1'}, {"format": "textgrid"},
        "b.TextGrid: it is no TextGrid",
    ),
    "elan of a later start": (
        {"recordings/b.eaf": ELAN.format(origin=' TIME_ORIGIN="250"', unaligned="")},
        {"format": "elan", "tier": "gait"}, "b.eaf: its time begins 250 ms into*set the offset",
    ),
    "elan without times": (
        {"recordings/b.eaf": ELAN.format(origin="", unaligned="")},
        {"format": "elan", "tier": "gait"}, "b.eaf, tier 'gait', annotation 2*no time*align",
    ),
    "elan of a tier that depends": (
        {"recordings/b.eaf": ELAN.format(origin="", unaligned="")},
        {"format": "elan", "tier": "remarks"}, "b.eaf, tier 'remarks'*have no times*name the tier",
    ),
    "no XML": ({"recordings/b.eaf": "<a>"}, {"format": "elan"}, "b.eaf: it cannot be read"),
    "bids without labels": (
        {"recordings/b_events.tsv": "onset\tduration\tkind\n0\t1\ta\n"}, {"format": "bids"},
        "b_events.tsv: it has neither trial_type nor value*onset, duration, kind",
    ),
    "bids with n/a": (
        {"recordings/b_events.tsv": "onset\tduration\ttrial_type\n0.1\t0\tn/a\n"},
        {"format": "bids"}, "b_events.tsv, row 2: the trial_type is n/a*`only`",
    ),
    "bids without onset": (
        {"recordings/b_events.tsv": "onset\tduration\ttrial_type\nn/a\t0\tx\n"},
        {"format": "bids"}, "b_events.tsv, row 2: 'n/a' is not a number",
    ),
    "bids before the start": (
        {"recordings/b_events.tsv": "onset\tduration\ttrial_type\n-1\t0\tx\n"},
        {"format": "bids"}, "b_events.tsv, row 2: its onset at -1 s is not between",
    ),
    "bids of negative duration": (
        {"recordings/b_events.tsv": "onset\tduration\ttrial_type\n0.1\t-1\tx\n"},
        {"format": "bids"}, "b_events.tsv, row 2: the duration -1 is below 0",
    ),
    "edf without EDF": ({}, {"format": "edf"}, "no recording is an EDF file*`path`"),
    "label studio without unit": (
        label_studio(task("b.csv", marked((1, 2, "x")))), {"format": "label_studio"},
        "labels.json, task 7, region 1: the unit of its times is unknown*set `unit`",
    ),
    "label studio with dates": (
        label_studio(task("b.csv", marked(("2024-01-01", "2024-01-02", "x")))), STUDIO,
        "task 7, region 1: its time '2024-01-01' is not a number*seconds",
    ),
    "label studio of two people": (
        label_studio(task("b.csv", marked((0, 0, "x")), marked((1, 1, "x")))), STUDIO,
        "labels.json, task 7: it has 2 annotations*ground truth",
    ),
    "label studio of an unknown file": (
        label_studio(task("z.csv", marked((0, 0, "x")))), STUDIO,
        "labels.json, task 7: its data name no recording*it has z.csv",
    ),
    "label studio with a recording twice": (
        label_studio(
            {**task("b.csv", marked((0, 0, "x"))), "id": 1},
            {**task("b", marked((0, 0, "x"))), "id": 2},
        ), STUDIO, "labels.json, task 2: recording 'b' is of task 1 already*remove one",
    ),
    "label studio with an empty label": (
        label_studio(task("b.csv", marked((0, 0, "")))), STUDIO, "region 1: the label is empty",
    ),
    "label studio of pictures": (
        label_studio(task("b.csv", {"result": [{"type": "rectanglelabels", "value": {}}]})), STUDIO,
        "task 7, region 1: it is of the type 'rectanglelabels'*time series",
    ),
    "label studio as JSON_MIN": (
        label_studio({"csv": "b.csv", "label": []}), STUDIO, "task 1: it is no task*JSON_MIN",
    ),
    "no JSON": ({"labels.json": "{"}, STUDIO, "labels.json: it is no JSON*export it"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_bad_label_files_are_one_sentence_with_place_and_fix(assert_refused, case):
    files, settings, pattern = REFUSED[case]
    skip_without_library(settings["format"])

    options = {"task": "detection", "labels": LabelFiles(**settings)}
    assert_refused(NO_TABLES | files, pattern, options)


def test_a_file_without_labels_states_that_there_is_no_event(read):
    files = {"recordings/a.txt": "", "recordings/b.txt": AUDACITY}

    recordings = read(
        NO_TABLES | files, task="detection", labels=LabelFiles(format="audacity", only=("run",))
    )

    assert recordings.known.tolist() == [[0, 20], [0, 30], [0, 0]]
    assert recordings.classes == ["run"]


def test_a_recording_with_other_labels_alone_holds_none_of_those_kept(read):
    files = {"recordings/a.txt": "0.1\t0.1\tbell\n", "recordings/b.txt": AUDACITY}

    recordings = read(
        NO_TABLES | files, task="detection", labels=LabelFiles(format="audacity", only=("run",))
    )

    assert recordings.known.tolist() == [[0, 20], [0, 30], [0, 0]]


def test_an_empty_annotation_of_label_studio_states_that_there_is_no_event(read):
    files = label_studio(task("a.csv", marked()), task("b.csv", marked((0.1, 0.1, "bell"))))

    recordings = read(NO_TABLES | files, task="detection", labels=LabelFiles(**STUDIO))

    assert recordings.known.tolist() == [[0, 20], [0, 30], [0, 0]]


def test_a_point_is_no_class(assert_refused):
    files = {"recordings/b.txt": AUDACITY + "0.15\t0.15\tbell\n"}

    options = {"labels": LabelFiles(**AUDACITY_IN)}
    pattern = "b.txt, row 4: 'bell' at 0.15 s is no interval*give it an end*`task: detection`"
    assert_refused(NO_TABLES | files, pattern, options)


def test_edf_text_that_is_not_utf8_is_refused(assert_refused):
    data = edf((0.1, -1, "größe")).replace("größe".encode(), "größexx".encode("latin-1"))

    pattern = "b.edf, annotation 1*its text*is not UTF-8*UTF-8, as EDF+ has them"
    options = {"task": "detection", "labels": LabelFiles(format="edf", path="own")}
    assert_refused(NO_TABLES | {"own/b.edf": data}, pattern, options)


def test_wfdb_without_any_rate_is_refused(assert_refused):
    rows = {f"recordings/{name}.csv": "1,2\n3,4\n" for name in "abc"}
    files = rows | {"recordings/b.atr": atr([1], ["N"], [""], None)}

    pattern = "b.atr, annotation 1: its times are samples*'b' has no sampling rate*set `sampling"
    assert_refused(
        NO_TABLES | files, pattern, {"task": "detection", "labels": LabelFiles(format="wfdb")}
    )


def test_a_missing_library_is_named_with_its_extra(assert_refused, monkeypatch):
    monkeypatch.setitem(sys.modules, "pympi.Elan", None)

    pattern = "b.eaf: .eaf files are read by the package pympi*pip install 'seqbench[elan]'"
    options = {"task": "detection", "labels": LabelFiles(format="elan")}
    assert_refused(NO_TABLES | {"recordings/b.eaf": ELAN}, pattern, options)


@pytest.mark.parametrize("form", ["long_textgrid", "short_textgrid"])
def test_textgrids_are_read_as_praatio_wrote_them(found, form):
    praat = pytest.importorskip("praatio.textgrid")
    grid = praat.Textgrid(0, 0.3)
    intervals = [(0.05, 0.12, "walk"), (0.2, 0.3, 'a "b"')]
    grid.addTier(praat.IntervalTier("gait", intervals, 0, 0.3))
    grid.addTier(praat.PointTier("bells", [(0.07, "größe"), (0.25, 'c "d"')], 0, 0.3))
    grid.save("grid", form, includeBlankSpaces=True)
    files = {"recordings/b.TextGrid": Path("grid").read_bytes()}

    walks = found(files, format="textgrid", tier="gait")
    bells = found(files, format="textgrid", tier="bells")

    assert walks == [("b", "walk", 5, 12), ("b", 'a "b"', 20, 30)]
    assert bells == [("b", "größe", 7, 8), ("b", 'c "d"', 25, 26)]


def test_tasks_without_labels_take_none(assert_refused):
    options = {"task": "forecasting", "labels": LabelFiles(**AUDACITY_IN)}
    assert_refused(NO_TABLES, "`labels` are not what forecasting predicts*leave it out", options)


def test_every_format_has_a_reader_a_test_and_a_row_in_the_docs(pytestconfig):
    tested = {case.split()[0] for case in EVENTS} | {"edf", "wfdb"}
    text = (pytestconfig.rootpath / "docs" / "labels.md").read_text(encoding="utf-8")
    cells = [[cell.strip("` ") for cell in row.split("|")[1:-1]] for row in text.splitlines()]
    written = {row[0]: row[4] for row in cells if len(row) == 7 and row[0] in READERS}

    assert set(READERS) == set(LABEL_SUFFIXES) == tested == set(written)
    assert {name for name, cell in written.items() if cell == "yes"} == {*FORMATS[1:]}


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"format": "praat"}, "textgrid"),
        ({"format": "audacity", "tier": "x"}, "tier belongs to elan and textgrid"),
        ({"format": "textgrid", "unit": "s"}, "unit belongs to label_studio"),
        ({"format": "audacity", "path": "../x"}, "path is below the folder of the dataset"),
        ({"format": "audacity", "path": "/x"}, "path is below the folder of the dataset"),
        ({"format": "wfdb", "extension": ".atr"}, "letters and digits, without a dot"),
        ({"format": "audacity", "only": ()}, "at least 1"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, problem):
    with pytest.raises(ValidationError, match=problem):
        LabelFiles(**settings)
