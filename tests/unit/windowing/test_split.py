"""Splits by name, by fraction and as the source has them; groups stay whole."""

import re
from collections import Counter

import numpy as np
import pytest

from seqbench.config.stages import Fold, SplitSettings
from seqbench.datasets.base import DataError
from seqbench.windowing.split import assign_splits


def counts(split: list[str]) -> dict[str, int]:
    return dict(Counter(split))


# Official splits and splits by name.


def test_val_is_carved_out_of_train_where_the_source_has_none(recordings):
    official = ["train"] * 10 + ["test"] * 4
    made = recordings(["a"] * 10 + ["b"] * 4, splits=official)

    split = assign_splits(made, SplitSettings(val=0.2))

    assert split[10:] == ["test"] * 4
    assert counts(split[:10]) == {"train": 8, "val": 2}


OFFICIAL = ["test", "train", "val", "train", "test", "val"]


@pytest.mark.parametrize(
    ("source", "settings", "expected"),
    [
        ({"splits": OFFICIAL}, {"val": 0.5}, OFFICIAL),
        (
            {"splits": ["test"] * 3 + ["train"] * 3},
            {"test": ["r5"], "val": ["r0"]},
            ["val", "train", "train", "train", "train", "test"],
        ),
        (
            {},
            {"val": ["r4"], "test": ["r0", "r1"]},
            ["test", "test", "train", "train", "val", "train"],
        ),
        (
            {"groups": ["x", "y", "x", "z", "z", "w"]},
            {"val": ["x"], "test": ["z"]},
            ["val", "train", "val", "test", "test", "train"],
        ),
        (
            {"groups": ["g"] * 6},
            {"val": ["r3"], "test": ["r0"], "by": "recording"},
            ["test", "train", "train", "val", "train", "train"],
        ),
    ],
    ids=["official", "official replaced", "recordings named", "groups named", "a group cut"],
)
def test_recordings_go_where_the_source_or_the_config_names_them(
    recordings, source, settings, expected
):
    made = recordings(["a", "b"] * 3, **source)

    assert assign_splits(made, SplitSettings(**settings)) == expected


@pytest.mark.parametrize(
    ("source", "settings", "sentence"),
    [
        ({"splits": ["train", "", "test", "test"]}, {}, "official split to some recordings only"),
        (
            {"names": ["touch1", "touch2", "touch4", "touch5"]},
            {"val": ["touch4"], "test": ["touhc5"]},
            "split.test: no recording or group is called 'touhc5'; did you mean 'touch5'?",
        ),
        (
            {},
            {"val": ["r1"], "test": ["r0", "r1"]},
            "split.val: recording 'r1' is in test already",
        ),
        (
            {"splits": ["train", "train", "test", "test"]},
            {"val": ["r2"]},
            "recording 'r2' is in test already",
        ),
        (
            {"groups": ["g", "g", "h", "i"]},
            {"val": ["r3"], "test": ["r0"]},
            "group 'g' would be in test and in train; name the whole group, or set `by: rec",
        ),
        (
            {},
            {"val": ["r2"], "test": ["r3"], "unlabelled": ["r2"]},
            "split.unlabelled: recording 'r2' is in val; only those",
        ),
        (
            {},
            {"val": ["r0", "r1"], "test": ["r2", "r3"]},
            "no recording is left for train",
        ),
    ],
)
def test_an_impossible_split_is_refused(recordings, source, settings, sentence):
    with pytest.raises(DataError, match=re.escape(sentence)):
        assign_splits(recordings(["a", "b"] * 2, **source), SplitSettings(**settings))


# Splits by fraction.


def test_fractions_are_of_all_groups(recordings):
    made = recordings(["a"] * 100)

    split = assign_splits(made, SplitSettings(val=0.2, test=0.2))

    assert counts(split) == {"train": 60, "val": 20, "test": 20}
    assert counts(assign_splits(made, SplitSettings()))["test"] == 20  # by default


def test_every_class_is_drawn_from(recordings):
    made = recordings(["a"] * 40 + ["b"] * 10 + ["c"] * 5)

    split = assign_splits(made, SplitSettings(test=0.2))

    assert counts(split[:40])["test"] == 8
    assert counts(split[40:50])["test"] == 2
    assert counts(split[50:])["test"] == 1


@pytest.mark.parametrize("n", [3, 4])
def test_a_class_of_few_gives_one_to_each_split(recordings, n):
    made = recordings(["a"] * n + ["b"] * n)

    split = assign_splits(made, SplitSettings(val=0.01, test=0.01))

    for part in (split[:n], split[n:]):
        assert counts(part) == {"train": n - 2, "val": 1, "test": 1}


def test_a_large_fraction_leaves_one_of_each_class_to_train(recordings):
    made = recordings(["a"] * 5 + ["b"] * 5)

    split = assign_splits(made, SplitSettings(val=0.58, test=0.4))

    assert "train" in split[:5]
    assert "train" in split[5:]


@pytest.mark.parametrize("seed", range(10))
def test_groups_are_never_cut(recordings, seed):
    groups = [f"g{i // 3}" for i in range(30)]
    made = recordings(["a", "b", "a"] * 10, groups=groups)

    split = assign_splits(made, SplitSettings(seed=seed))

    parts_of = {group: {split[i] for i in range(30) if groups[i] == group} for group in groups}
    assert all(len(parts) == 1 for parts in parts_of.values())
    assert set(split) == {"train", "val", "test"}


def test_a_group_counts_as_its_most_frequent_class(recordings):
    # Every group holds two recordings of its own class and one of the other.
    labels = ["a", "a", "b"] * 5 + ["b", "b", "a"] * 5
    groups = [f"g{i // 3}" for i in range(30)]
    made = recordings(labels, groups=groups)

    split = assign_splits(made, SplitSettings(val=0.2, test=0.2))

    first, second = split[:15:3], split[15::3]
    assert counts(first) == counts(second) == {"train": 3, "val": 1, "test": 1}


def test_the_seed_decides_the_draw(recordings):
    made = recordings(["a"] * 30)

    draws = [assign_splits(made, SplitSettings(seed=seed)) for seed in (0, 0, 1)]

    assert draws[0] == draws[1] != draws[2]


def test_too_few_recordings_are_refused_by_the_split_that_is_empty(recordings):
    with pytest.raises(DataError, match="no recording is left for val; 2 groups are too few"):
        assign_splits(recordings(["a", "b"]), SplitSettings(val=0.2, test=["r0"]))


def test_names_for_val_are_taken_before_test_is_drawn(recordings):
    made = recordings(["a"] * 10 + ["b"] * 10)

    for seed in range(20):
        named = SplitSettings(val=[made.names[0], made.names[10]], test=0.4, seed=seed)
        split = assign_splits(made, named)

        assert (split[0], split[10]) == ("val", "val")
        assert split.count("test") == 8


def test_values_are_drawn_as_if_of_one_class_and_those_unknown_stay_in_train(recordings):
    values = [np.full((10, 1), np.nan if i == 3 else i, dtype=np.float32) for i in range(10)]
    made = recordings(
        ["a"] * 10,
        task="regression",
        classes=[],
        intervals=[],
        targets=values,
        target_names=["v"],
        target_units=[""],
    )

    split = assign_splits(made, SplitSettings(val=0.2, test=0.3))

    assert [split.count(part) for part in ("train", "val", "test")] == [5, 2, 3]
    assert split[3] == "train"


def test_recordings_known_to_hold_no_event_are_drawn_and_those_unknown_stay_in_train(recordings):
    made = recordings(
        ["bell"] * 15,
        task="detection",
        tolerance_ms=5.0,
        intervals=[(i, 0, 2, 3) for i in range(5)],
        known=np.array([[0, 10]] * 10 + [[0, 0]] * 5),
    )

    split = assign_splits(made, SplitSettings(val=0.2, test=0.2))

    for stratum in (split[:5], split[5:10]):
        assert counts(stratum) == {"train": 3, "val": 1, "test": 1}
    assert split[10:] == ["train"] * 5


# Folds.


def folds_of(made, n_folds, repeat=0, **settings):
    return [
        assign_splits(
            made, SplitSettings(**settings), Fold(n_folds=n_folds, repeat=repeat, index=index)
        )
        for index in range(n_folds)
    ]


def in_test(split: list[str]) -> set[int]:
    return {i for i, part in enumerate(split) if part == "test"}


@pytest.mark.parametrize("repeat", [0, 1])
def test_every_recording_is_test_once_in_each_repeat(recordings, repeat):
    made = recordings(["a"] * 31 + ["b"] * 16)

    found = folds_of(made, 5, repeat)

    assert sorted(i for split in found for i in in_test(split)) == list(range(47))


def test_folds_differ_by_one_recording_at_most_in_size_and_in_each_class(recordings):
    made = recordings(["a"] * 31 + ["b"] * 16 + ["c"] * 3)

    found = [in_test(split) for split in folds_of(made, 5)]

    for members in (range(50), range(31), range(31, 47), range(47, 50)):
        sizes = [len(test & set(members)) for test in found]
        assert max(sizes) - min(sizes) <= 1


def test_groups_stay_whole_in_folds(recordings):
    groups = [f"g{i // 3}" for i in range(60)]
    made = recordings(["a", "b", "b"] * 20, groups=groups)

    for split in folds_of(made, 4):
        assert len(set(zip(groups, split, strict=True))) == 20


def test_repeats_are_drawn_anew_and_each_again_alike(recordings):
    made = recordings(["a", "b"] * 20)

    first, second, again = (folds_of(made, 4, repeat) for repeat in (0, 1, 0))

    assert first == again
    assert {frozenset(in_test(s)) for s in first}.isdisjoint(frozenset(in_test(s)) for s in second)


def test_val_is_a_fraction_of_what_is_not_test_drawn_by_class(recordings):
    made = recordings(["a"] * 50 + ["b"] * 50)

    for split in folds_of(made, 5, val=0.25):
        assert counts(split[:50]) == counts(split[50:]) == {"train": 30, "val": 10, "test": 10}


def test_val_is_another_in_every_fold(recordings):
    made = recordings(["a", "b"] * 30)

    found = [split for repeat in (0, 1) for split in folds_of(made, 5, repeat)]

    # Ten times ten of 60: were the same places drawn each time, some would be in all but two.
    times = [sum(split[i] == "val" for split in found) for i in range(60)]
    assert sum(times) == 100
    assert max(times) <= 5


def test_folds_replace_the_official_split(recordings):
    made = recordings(["a", "b"] * 6, splits=["train", "train", "test"] * 4)

    assert sorted(i for split in folds_of(made, 3) for i in in_test(split)) == list(range(12))


def test_recordings_without_a_label_stay_in_train_of_all_folds(recordings):
    intervals = [(i, i % 2, 0, 10) for i in range(8)]
    made = recordings(["a", "b"] * 5, intervals=intervals)

    for split in folds_of(made, 4):
        assert split[8:] == ["train", "train"]


def test_more_folds_than_groups_are_refused(recordings):
    made = recordings(["a", "b"] * 4, groups=["g", "h"] * 4)

    with pytest.raises(DataError, match=r"split.folds: 2 labelled groups are too few for 5 folds"):
        folds_of(made, 5)
