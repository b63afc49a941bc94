"""Tables beside the recordings become samples, or one sentence names the row and the fix."""

import time

import pytest

DETECTION = {"task": "detection"}
WITH_END = "recording,onset_s,label,offset_s"


def labels(*rows: str, header: str = "recording,label,start_s,end_s") -> dict[str, str]:
    return {"labels.csv": "\n".join([header, *rows]) + "\n"}


def events(*rows: str, header: str = "recording,onset_s,label") -> dict[str, str | None]:
    return {"labels.csv": None, "events.csv": "\n".join([header, *rows]) + "\n"}


def test_intervals_become_samples(read):
    table = labels(
        "b,run,0.1,0.2",
        "a,walk,0.004,0.2",
        "b,walk,0.0,0.1",
        "b,walk,0.05,0.08",  # within a label of the same class
        "c,run,,",
    )

    recordings = read(table)

    spans = zip(recordings.label_start, recordings.label_stop, strict=True)
    assert recordings.label_recording.tolist() == [0, 1, 1, 1, 2]
    assert list(spans) == [(0, 20), (0, 10), (5, 8), (10, 20), (0, 10)]
    assert [recordings.classes[i][0] for i in recordings.label] == [*"wwwrr"]


def test_thousands_of_overlapping_intervals_of_one_class_are_read_at_once(read):
    rows = [f"a,walk,{i / 1e6},0.2" for i in range(5000)]
    since = time.process_time()

    recordings = read(labels("b,run,,", *rows))

    assert time.process_time() - since < 4  # 0.1; 6 where each is compared with all others
    assert len(recordings.label) == 5001


def test_numbers_in_class_names_are_ordered_by_value(read):
    table = labels("a,bell 10", "b,bell 2", "c,Bell 1", header="recording,label")

    assert read(table).classes == ["Bell 1", "bell 2", "bell 10"]


def test_classes_that_differ_in_capitals_alone_are_remarked(read):
    twins = read(labels("a,Walk", "b,walk", "c,run", header="recording,label"))

    assert twins.source["notes"] == [
        "Classes 'Walk' and 'walk' differ in capitals alone; they are two classes."
    ]
    assert "notes" not in read({}).source


@pytest.mark.parametrize(
    "text",
    [
        "recording,label\na.csv,walk\nb.csv,run\n",
        "\ufeffRecording;Label\r\n a ; walk \r\nb;run\r\n\r\n\r\n",
        "label\tcomment\trecording\nwalk\t\ta\nrun\tfast, loud\tb\n",
        '"recording","label"\n"a","walk"\n"b","run"\n',
        "recording,label,start_s,end_s\na,walk,,\nb,run,,\n",
    ],
)
def test_tables_are_read_in_their_dialects(read, text):
    recordings = read({"labels.csv": text})

    assert [recordings.classes[i] for i in recordings.label] == ["walk", "run"]
    assert recordings.label_recording.tolist() == [0, 1]


def test_events_become_samples(read):
    rows = (
        "b,0.17,2,0.17",
        "a,0.1049,10,",  # the nearest sample is the tenth
        "a.csv,0.05,2,0.12",
        "a,0,10,0.2",
        "a,0.194,2,0.2",  # the last sample
    )

    recordings = read(events(*rows, header=WITH_END), task="detection")

    spans = zip(recordings.label_start, recordings.label_stop, strict=True)
    assert recordings.task == "detection"
    assert recordings.classes == ["2", "10"]
    assert recordings.label_recording.tolist() == [0, 0, 0, 0, 1]
    assert list(spans) == [(0, 20), (5, 12), (10, 11), (19, 20), (17, 18)]
    assert [recordings.classes[i] for i in recordings.label] == ["10", "2", "10", "2", "2"]


def test_events_exactly_the_refractory_time_apart_are_kept(read):
    table = events("b,0.09,bell", "b,0.29,bell", "b,0.19,bell", "b,0.2,gong", "a,0.1,bell")
    assert 0.29 - 0.19 < 0.1  # in binary fractions

    assert len(read(table, task="detection", refractory_s=0.1).label) == 5


@pytest.mark.parametrize("header", ["recording,onset_s,label", WITH_END])
def test_a_row_with_a_name_alone_states_that_no_event_was_found(read, header):
    cells = "," * header.count(",")
    rows = (f"a{cells}", f"b,0.1,bell{cells[2:]}", f"a.csv{cells}")

    recordings = read(events(*rows, header=header), task="detection")

    assert recordings.label_recording.tolist() == [1]
    # a is known to hold nothing, of c nothing is known.
    assert recordings.known_spans.tolist() == [[0, 20], [0, 30], [0, 0]]


@pytest.mark.parametrize(
    ("table", "options", "expected"),
    [
        ("recording,group\na,tower\n", {"ungrouped": "own"}, ["tower", "b", "c"]),
        (None, {}, ["a", "b", "c"]),
    ],
    ids=["half listed", "no table"],
)
def test_recordings_without_a_group_are_groups_of_their_own(read, table, options, expected):
    assert read({"groups.csv": table}, **options).groups == expected


# What to change in a good folder, and what the message must hold (file, place, fix).
BAD_LABELS = {
    "events in place of labels": (
        {**events("a,0.1,bell")},
        "labels.csv: there is no such file*set `task: detection` to read events.csv",
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
    "empty label": (labels("a, ,,"), "labels.csv, row 2, column 'label'*fill in"),
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
    "start not a number": (
        labels('"a","walk","0,1","0,2"'),
        "labels.csv, row 2, column 'start_s'*'0,1'*decimal point",
    ),
    "end not finite": (labels("a,walk,0,inf"), "labels.csv, row 2, column 'end_s'*write"),
    "start after end": (labels("a,walk,0.2,0.1"), "labels.csv, row 2*swap"),
    "shorter than a sample": (labels("a,walk,0.1,0.101"), "labels.csv, row 2*widen"),
    "before the start": (labels("a,walk,-0.1,0.1"), "labels.csv, row 2*0.2 s"),
    "after the end": (labels("a,walk,0.1,0.21"), "labels.csv, row 2*keep within 0 s to 0.2 s"),
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
    "half of the recordings without a group": (
        {"groups.csv": "recording,group\na,g\n"},
        "groups.csv: no row for 2 of 3 recordings (b, c)*add them*`ungrouped: own`",
    ),
    "a group named as a recording without one": (
        {"groups.csv": "recording,group\na,b\n"},
        "groups.csv: recording 'b' has no row, but a group has its name*rename",
        {"ungrouped": "own"},
    ),
    "groups in a file of another name": (
        {"groups.csv": None, "Group.tsv": "recording\tgroup\na\tg\n"},
        "Group.tsv: it holds groups, by its name, but is not read; write it as groups.csv",
    ),
    "labels in a file of another name": (
        {"labels.csv": None, "Label.csv": "recording,label\na,walk\n"},
        "Label.csv: it holds labels, by its name, but is not read; write it as labels.csv",
    ),
    "labels as Label Studio has them": (
        {"labels.csv": None, "labels.json": "[]"},
        "labels.csv: there is no such file, and classification needs it",
    ),
    "a label that pandas wrote of none": (
        labels("a,walk", "b,NaN", header="recording,label"),
        "labels.csv, row 3, column 'label': 'nan' is no label; fill it in",
    ),
    "one number written in two ways": (
        labels("a,1", "b,2", "c,1.0", header="recording,label"),
        "labels.csv, row 4: '1.0' and '1' in row 2 are one number; write each class in one way",
    ),
    "an end by another name": (
        labels("a,walk,0,0.1", header="recording,label,start_s,stop_s"),
        "labels.csv, row 1: column 'stop_s' is unknown; write the end of each row into 'end_s'",
    ),
    "two groups": (
        {"groups.csv": "recording,group\na,g\na,g\na,h\n"},
        "groups.csv, row 4*'g'*keep one",
    ),
}
BAD_EVENTS = {
    "no events": (
        {"labels.csv": None},
        "events.csv: there is no such file*recording,onset_s,label",
    ),
    "events in a file of another name": (
        {"labels.csv": None, "event.csv": "recording,onset_s,label\na,0.1,bell\n"},
        "event.csv: it holds labels, by its name, but is not read; write it as events.csv",
    ),
    "labels in place of events": (
        {},
        "events.csv: there is no such file*set `task: classification` to read labels.csv",
    ),
    "offset by another name": (
        events("a,0.1,bell,0.2", header="recording,onset_s,label,offset"),
        "events.csv, row 1*'offset'*did you mean 'offset_s'?",
    ),
    "durations": (
        events("a,0.1,bell,0.2", header="recording,onset_s,label,duration_s"),
        "events.csv, row 1: column 'duration_s' is unknown; write the end*'offset_s'",
    ),
    "types that are one number": (
        events("a,0.1,7", "b,0.1,7.0"),
        "events.csv, row 3: '7.0' and '7' in row 2 are one number",
    ),
    "event without an onset": (events("a,,bell"), "events.csv, row 2, column 'onset_s'*fill in"),
    "an end without an onset": (
        events("a,,,0.1", header=WITH_END),
        "events.csv, row 2, column 'onset_s'*fill in",
    ),
    "onset without a type": (events("a,0.1,"), "events.csv, row 2, column 'label'*fill in"),
    "no event at all": (
        events("a,,", "b,,"),
        "events.csv: every recording in it holds no event*add",
    ),
    "none found, and one found": (
        events("a,0.1,bell", "b,0.1,bell", "a,,", "a,0.12,bell"),
        "events.csv, row 4: 'a' holds no event, but one is in row 2*keep one",
    ),
    "none found of an unknown recording": (events("z,,"), "events.csv, row 2*'z'*known are"),
    "onset is no number": (
        events("a,soon,bell"),
        "events.csv, row 2, column 'onset_s'*'soon'*decimal point",
    ),
    "onset before the start": (events("a,-0.001,bell"), "events.csv, row 2*0.19 s"),
    "onset at the end": (
        events("a,0.1,bell", "a,0.195,bell"),
        "events.csv, row 3*onset at 0.195 s is not between*0.19 s*correct it",
    ),
    "offset before onset": (
        events("a,0.1,bell,0.09", header=WITH_END),
        "events.csv, row 2*end at 0.09 s is before its onset at 0.1 s*swap",
    ),
    "offset behind the end": (
        events("a,0.1,bell,0.21", header=WITH_END),
        "events.csv, row 2*end at 0.21 s is outside*keep within",
    ),
    "offset is infinite": (
        events("a,0.1,bell,inf", header=WITH_END),
        "events.csv, row 2, column 'offset_s'*write seconds",
    ),
    "events without rate": (
        {f"recordings/{name}.csv": "1,2\n3,4\n" for name in "abc"} | events("a,0,bell"),
        "events.csv, row 2*rate is unknown*set `sampling_rate_hz`",
    ),
    "two events in one sample": (
        events("b,0.1,bell", "b,0.101,gong", "b,0.1009,bell"),
        "events.csv, row 4*at the sample of the one in row 2*remove one",
        DETECTION,
    ),
    "onset beyond any sample": (
        events("a,1e308,bell"),
        "events.csv, row 2*not between",
        {"sampling_rate_hz": 100.0},
    ),
    "events too near": (
        events("b,0.25,bell", "a,0.1,bell", "b,0.2,gong", "b,0.16,bell"),
        "events.csv, row 5*0.09 s from the one in row 2*0.1 s of `refractory_s`*lower",
        {"refractory_s": 0.1},
    ),
}


@pytest.mark.parametrize("case", BAD_LABELS)
def test_bad_labels_are_one_sentence_with_file_place_and_fix(assert_refused, case):
    changes, pattern, *options = BAD_LABELS[case]

    assert_refused(changes, pattern, dict(*options))


@pytest.mark.parametrize("case", BAD_EVENTS)
def test_bad_events_are_one_sentence_with_file_place_and_fix(assert_refused, case):
    changes, pattern, *options = BAD_EVENTS[case]

    assert_refused(changes, pattern, DETECTION | dict(*options))
