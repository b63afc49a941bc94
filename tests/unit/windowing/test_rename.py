"""Channels and classes under other names, and classes that become one."""

import numpy as np
import pytest

from fixtures.windows import job
from seqbench.config.stages import RenameSettings
from seqbench.datasets.base import DataError
from seqbench.windowing.leakcheck import find_leaks
from seqbench.windowing.rename import renamed
from seqbench.windowing.windows import make_windows

SOURCE = {"origin": "made up", "ecg": "x", "physiology": {"x": "ecg", "y": "eda"}}


@pytest.fixture
def six(recordings):
    return recordings(["l", "n", "r"] * 2, source=SOURCE)


def test_names_change_and_nothing_else(six, assert_same):
    settings = RenameSettings(channels={"x": "ecg"}, classes={"n": "normal"})

    found = renamed(six, settings)

    assert found.channels == ["ecg", "y"]
    assert found.classes == ["l", "normal", "r"]
    assert found.source["ecg"] == "ecg"
    assert found.source["physiology"] == {"ecg": "ecg", "y": "eda"}
    assert_same(renamed(found, RenameSettings(channels={"ecg": "x"}, classes={"normal": "n"})), six)


def test_classes_of_one_name_become_one(six):
    found = renamed(six, RenameSettings(classes={"l": "normal", "r": "normal"}))

    assert found.classes == ["normal", "n"]
    assert found.label.tolist() == [0, 1, 0] * 2


def test_windows_and_their_leak_check_have_the_new_names(recordings):
    six = recordings(["l", "r", "n"] * 2)
    rename = RenameSettings(channels={"y": "z"}, classes={"l": "n", "r": "right"})
    settings = job().model_copy(update={"rename": rename})

    splits = make_windows(six, settings)

    assert splits["test"].channels == ["x", "z"]
    assert splits["test"].classes == ["n", "right"]
    assert splits["train"].label.tolist() == [0, 1]
    assert splits["test"].label.tolist() == [1, 0]
    assert find_leaks(six, splits, settings).n_windows["test"] == 2


@pytest.mark.parametrize(
    ("settings", "changes", "sentence"),
    [
        ({"channels": {"z": "x"}}, {}, "rename.channels: there is no channel 'z'; known are x, y"),
        ({"classes": {"nn": "x"}}, {}, "rename.classes: there is no class 'nn'; did you mean 'n'"),
        ({"channels": {"x": "y"}}, {}, "two channels would be called 'y'"),
        (
            {"classes": {"l": "n"}},
            {"truth": {"templates": np.zeros(3)}},
            "a generator that knows the shape of each class",
        ),
    ],
)
def test_what_cannot_be_is_refused(recordings, settings, changes, sentence):
    with pytest.raises(DataError, match=sentence):
        renamed(recordings(["l", "n", "r"] * 2, **changes), RenameSettings(**settings))
