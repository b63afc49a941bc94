"""What is wrong with a label file is one sentence that names the place and the fix."""

import sys

import pyedflib
import pytest
from pydantic import ValidationError

from fixtures.label_files import (
    AUDACITY,
    AUDACITY_IN,
    ELAN,
    LATE,
    NO_TABLES,
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
from seqbench.config.options import LabelFiles

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
    "label studio with other annotations": (
        label_studio(task("b.csv") | {"annotations": {"a": 1}}), STUDIO,
        "labels.json, task 7, annotations: it is no list of objects*export",
    ),
    "label studio with other regions": (
        label_studio(task("b.csv", {"result": [1]})), STUDIO,
        "labels.json, task 7, result: it is no list of objects*export",
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


@pytest.mark.parametrize("note", ["## remark", "## time resolution: 5"])
def test_wfdb_definitions_that_are_not_known_are_refused(assert_refused, note):
    files = {"recordings/b.atr": atr([0, 5], ['"', "N"], [note, ""], 100)}

    pattern = "b.atr: it holds a definition that is not known*write the file anew"
    options = {"task": "detection", "labels": LabelFiles(format="wfdb")}
    assert_refused(NO_TABLES | files, pattern, options)


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


def test_tasks_without_labels_take_none(assert_refused):
    options = {"task": "forecasting", "labels": LabelFiles(**AUDACITY_IN)}
    assert_refused(NO_TABLES, "`labels` are not what forecasting predicts*leave it out", options)


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


def test_a_plain_edf_file_holds_no_annotations(assert_refused):
    pattern = "b.edf: it has no signal for annotations*EDF+"
    options = {"task": "detection", "labels": LabelFiles(format="edf", path="own")}
    data = edf(file_type=pyedflib.FILETYPE_EDF)
    assert_refused(NO_TABLES | {"own/b.edf": data}, pattern, options)


@pytest.mark.parametrize("name", ["bids", "edf", "wfdb"])
def test_labels_that_count_from_the_first_sample_are_on_no_clock(assert_refused, name):
    options = {"task": "detection", "labels": LabelFiles(format=name), "times": "clock"}

    pattern = f"`times: clock` does not fit labels of {name}*leave it out"
    assert_refused(NO_TABLES | LATE, pattern, options)
