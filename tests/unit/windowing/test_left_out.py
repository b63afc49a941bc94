"""What serves no split is counted in log and notes, and refused where the config names it."""

import numpy as np
import pytest

from fixtures.windows import job
from seqbench.datasets.base import DataError
from seqbench.storage.windows import SPLITS
from seqbench.windowing.windows import make_windows

OFFICIAL = ["train"] * 4 + ["val"] * 3 + ["test"] * 3


def notes(made, settings) -> list[str]:
    """Return what the windows of every split note beside the source."""
    splits = make_windows(made, settings)
    (found,) = {tuple(splits[split].source.get("notes", ())) for split in SPLITS}
    return list(found)


@pytest.fixture
def ten(recordings):
    """Return ten recordings of two classes."""

    def make(lengths=10, **changes):
        return recordings(["a", "b"] * 5, lengths=lengths, splits=OFFICIAL, **changes)

    return make


def test_recordings_shorter_than_a_window_are_counted_in_log_and_notes(ten, caplog):
    made = ten([10, 10, 3, 3, 10, 10, 3, 10, 10, 9])

    sentence = (
        "Left out, as shorter than a window of 10 samples: 4 of 10 recordings (r2, r3, r6, r9)."
    )
    assert notes(made, job({}, length_samples=10)) == [sentence]
    assert [record.getMessage() for record in caplog.records] == [sentence]


def test_what_the_source_notes_stays_in_front(ten):
    made = ten([10] * 9 + [3], source={"origin": "made up", "notes": ["One day."]})

    assert notes(made, job({}, length_samples=4)) == [
        "One day.",
        "Left out, as shorter than a window of 4 samples: 1 of 10 recordings (r9).",
    ]
    assert made.source["notes"] == ["One day."]


def test_nothing_is_noted_where_all_recordings_serve(ten, caplog):
    for settings in (
        job({}),
        job({}, length_samples=4),
        job({}, length_samples=11, remainder="keep"),
    ):
        assert notes(ten(), settings) == []
    assert not caplog.records


def test_recordings_without_a_label_serve_pretraining_in_train_and_nothing_elsewhere(ten):
    labelled = [(i, i % 2, 0, 10) for i in (0, 1, 4, 5, 7, 8)]

    assert notes(ten(intervals=labelled), job({})) == [
        "Serve pretraining alone, as unlabelled: 2 of 10 recordings (r2, r3).",
        "Left out, as unlabelled: 2 of 10 recordings (r6, r9).",
    ]


def test_labels_that_the_config_puts_aside_are_not_counted(ten):
    assert notes(ten(), job({"unlabelled": ["r2", "r3"]}, length_samples=4)) == []


def test_labelled_intervals_shorter_than_a_window_are_counted(ten):
    intervals = [(i, i % 2, 0, 5) for i in range(10)]
    intervals += [(1, 1, 5, 8), (2, 0, 5, 9), (9, 1, 7, 10)]

    assert notes(ten(intervals=intervals), job({}, length_samples=5)) == [
        "Shorter than a window of 5 samples: 3 of 13 labelled intervals."
    ]
    only_short = [one for one in intervals if one[0] != 9 or one[3] == 10]
    assert notes(ten(intervals=only_short), job({}, length_samples=5)) == [
        "Left out, as labelled in intervals shorter than a window of 5 samples:"
        " 1 of 10 recordings (r9).",
        "Shorter than a window of 5 samples: 2 of 12 labelled intervals.",
    ]


def test_recordings_that_nobody_searched_for_events_are_counted(ten):
    known = np.array([[0, 10]] * 8 + [[0, 0]] * 2)
    events = [(i, 0, 5, 6) for i in (0, 1, 4, 7)]
    made = ten(intervals=events, task="detection", tolerance_ms=5.0, known=known, classes=["bell"])

    assert notes(made, job({})) == [
        "Left out, as neither labelled nor stated to hold no event: 2 of 10 recordings (r8, r9)."
    ]


def test_of_a_forecast_a_window_and_its_horizon_must_fit(ten):
    made = ten([10] * 9 + [5], intervals=[], classes=[], task="forecasting")

    assert notes(made, job({}, length_samples=4, horizon_samples=2)) == [
        "Left out, as shorter than a window of 4 samples and its horizon of 2:"
        " 1 of 10 recordings (r9)."
    ]


def test_many_names_are_cut_short(recordings):
    made = recordings(
        ["a", "b"] * 10,
        lengths=[10] * 8 + [3] * 12,
        splits=["train", "train", "val", "val", "test", "test"] + ["train"] * 14,
    )

    (sentence,) = notes(made, job({}, length_samples=10))

    assert sentence.endswith("12 of 20 recordings (r8, r9, r10, r11, r12 and 7 more).")


@pytest.mark.parametrize(
    ("key", "name", "changes", "reason"),
    [
        (
            "test",
            "r8",
            {"lengths": [10] * 8 + [3, 10]},
            "recording 'r8' has no window that serves there, being shorter than a window of 4"
            " samples; shorten the window, or take the name out",
        ),
        (
            "val",
            "r8",
            {"intervals": [(i, i % 2, 0, 10) for i in range(8)]},
            "recording 'r8' has no window that serves there, being unlabelled; label it, or",
        ),
        (
            "test",
            "r8",
            {"intervals": [(i, i % 2, 0, 10 if i < 8 else 3) for i in range(10)]},
            "recording 'r8' has no window that serves there, being labelled in intervals shorter",
        ),
        (
            "unlabelled",
            "r8",
            {"lengths": [10] * 8 + [3, 10]},
            "recording 'r8' has no window that serves there, being shorter",
        ),
        (
            "test",
            "pair",
            {
                "lengths": [10] * 8 + [3, 3],
                "groups": [*(f"r{i}" for i in range(8)), "pair", "pair"],
            },
            "group 'pair' has no window that serves there, being shorter",
        ),
    ],
)
def test_a_name_of_the_config_that_serves_nothing_is_refused(
    recordings, key, name, changes, reason
):
    made = recordings(["a", "b"] * 5, **{"lengths": 10} | changes)
    split = {"val": ["r2", "r3"], "test": ["r4", "r5"]} | {key: ["r7", "r6", name]}

    with pytest.raises(DataError) as caught:
        make_windows(made, job(split, length_samples=4))

    assert f"split.{key}: {reason}" in str(caught.value)


def test_a_group_that_is_named_may_hold_a_short_recording(recordings):
    groups = ["r0", "r1", "r2", "r3", "pair", "pair"]
    made = recordings(["a", "b"] * 3, lengths=[10] * 5 + [3], groups=groups)

    assert notes(made, job({"val": ["r2", "r3"], "test": ["pair"]}, length_samples=4)) == [
        "Left out, as shorter than a window of 4 samples: 1 of 6 recordings (r5)."
    ]


@pytest.mark.parametrize("task", ["labelling", "regression"])
def test_recordings_of_tasks_with_a_target_for_each_sample_are_counted_too(ten, task):
    lengths = [10] * 9 + [3]
    values = [np.full((n, 1), np.nan if i == 6 else i, np.float32) for i, n in enumerate(lengths)]
    intervals = [(i, i % 2, 0, n) for i, n in enumerate(lengths) if i != 6]
    made = ten(
        lengths,
        task=task,
        **(
            {"intervals": intervals}
            if task == "labelling"
            else {
                "intervals": [],
                "classes": [],
                "targets": values,
                "target_names": ["v"],
                "target_units": [""],
            }
        ),
    )

    assert notes(made, job({}, length_samples=5)) == [
        "Left out, as unlabelled: 1 of 10 recordings (r6).",
        "Left out, as shorter than a window of 5 samples: 1 of 10 recordings (r9).",
    ]


def test_of_a_split_in_time_pieces_are_counted(recordings):
    made = recordings(["a", "b"] * 3, lengths=[40] * 5 + [20])

    assert notes(made, job({"by": "time"}, length_samples=8)) == [
        "Left out, as shorter than a window of 8 samples: 2 of 18 pieces (r5 (val), r5 (test))."
    ]
