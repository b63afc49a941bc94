import pytest

from seqbench.datasets.reading.column_names import Meaning, meaning_of


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("time", None),
        ("t", None),
        ("TIME_S", "s"),
        ("Time (s)", "s"),
        ("sec", "s"),
        ("time_ms", "ms"),
        ("timestamp [µs]", "us"),
        ("t_ns", "ns"),
        ("millis", "ms"),
        ("Elapsed Time (min)", "min"),
        ("Unix Timestamp", None),
        ("timeStamp", None),
        ("Date", None),
        ("Phone timestamp", None),
        ("sensor timestamp [ns]", "ns"),
        ("time since start of recording (s)", "s"),
    ],
)
def test_a_time_is_known_by_its_name_with_its_unit(name, unit):
    assert meaning_of(name) == Meaning("time", unit)


@pytest.mark.parametrize("name", ["Unnamed: 0", "index", "Sample Index", "sampleNumber", "row"])
def test_row_numbers_are_known_by_their_name(name):
    assert meaning_of(name) == Meaning("index", "samples")


@pytest.mark.parametrize(
    "name",
    [
        "label", "Class", "class_id", "target", "true label", "activityID", "Subject", "event",
        "Marker", "trigger", "ground_truth", "sleep stage", "trial_nr", "fold", "Status",
        "is_seizure", "isWalking",
    ],
)  # fmt: skip
def test_labels_are_known_by_their_name(name):
    assert meaning_of(name) == Meaning("label")


@pytest.mark.parametrize(
    "name",
    [
        "x",
        "s",
        "ms",
        "h",
        "min",
        "II",
        "T8-P8",
        "ch0",
        "0",
        "temp",
        "EEG time",
        "frame rate",
        "y",
        "steady state",
        "event rate",
    ],
)
def test_other_names_are_channels(name):
    assert meaning_of(name) is None
