"""Label files of other programs become the samples that people marked."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pyedflib
import pytest
import wfdb

from fixtures.label_files import (
    AUDACITY,
    AUDACITY_IN,
    ELAN,
    LATE,
    NO_TABLES,
    RATE_HZ,
    RAVEN,
    STUDIO,
    TEXTGRID,
    atr,
    edf,
    label_studio,
    marked,
    skip_without_library,
    task,
)
from seqbench.cli.predict import LABEL_FILES
from seqbench.config.options import LABEL_SUFFIXES, LabelFiles
from seqbench.datasets.folder import folder
from seqbench.datasets.labels.formats.edf_annotations import read_edf
from seqbench.datasets.labels.formats.label_file import LabelFile
from seqbench.datasets.labels.label_files import READERS
from seqbench.datasets.reading.recording import read_recording


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


@pytest.mark.parametrize("times", [None, "start"])
def test_samples_count_from_the_first_one_on_any_clock(read, times):
    files = NO_TABLES | LATE | {"recordings/b.atr": atr([2], ["N"], [""], RATE_HZ)}

    labels = LabelFiles(format="wfdb")

    assert read(files, task="detection", labels=labels, times=times).label_start.tolist() == [2]


@pytest.mark.parametrize("rate_hz", [None, RATE_HZ])
@pytest.mark.parametrize("memory", [True, False])
def test_samples_are_those_of_the_file_where_it_is_resampled(read, monkeypatch, rate_hz, memory):
    files = NO_TABLES | {"recordings/b.atr": atr([12], ["N"], [""], rate_hz)}
    if not memory:
        monkeypatch.setattr("seqbench.datasets.reading.lazy_recording.LARGE_BYTES", 0)

    labels = LabelFiles(format="wfdb")
    recordings = read(
        files, task="detection", labels=labels, resample=True, sampling_rate_hz=2 * RATE_HZ
    )

    assert recordings.label_start.tolist() == [24]


def test_the_last_rhythm_lasts_to_the_end_of_a_resampled_recording(read):
    files = {"recordings/b.atr": atr([0, 10], ["+", "+"], ["(N", "(AFIB"], RATE_HZ)}

    recordings = read(
        NO_TABLES | files, labels=LabelFiles(format="wfdb"), resample=True, sampling_rate_hz=50.0
    )

    assert recordings.label_start.tolist() == [0, 5]
    assert recordings.label_stop.tolist() == [5, 15]


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


def test_every_format_has_a_reader_a_test_and_a_row_in_the_docs(pytestconfig):
    tested = {case.split()[0] for case in EVENTS} | {"edf", "wfdb"}
    text = (pytestconfig.rootpath / "docs" / "reference" / "labels.md").read_text(encoding="utf-8")
    cells = [[cell.strip("` ") for cell in row.split("|")[1:-1]] for row in text.splitlines()]
    written = {row[0]: row[4] for row in cells if len(row) == 7 and row[0] in READERS}

    assert set(READERS) == set(LABEL_SUFFIXES) == tested == set(written)
    assert {name for name, cell in written.items() if cell == "yes"} == {*LABEL_FILES}


def test_onsets_of_bids_count_from_the_first_sample_of_a_recording_that_starts_late(tmp_path):
    (tmp_path / "recordings").mkdir()
    rows = [f"{5 + i / 100:.2f},{i % 7},{i % 5}" for i in range(100)]
    (tmp_path / "recordings/a.csv").write_text("\n".join(["time_s,x,y", *rows]))
    table = "onset\tduration\ttrial_type\n0.25\t0\tgo\n"
    (tmp_path / "recordings/a_events.tsv").write_text(table)

    found = folder(tmp_path, path=str(tmp_path), task="detection", labels=LabelFiles(format="bids"))

    assert found.label_start.tolist() == [25]
