"""Test of another dataset is cut as a model sees it, and refused where scores mean nothing."""

from dataclasses import replace

import numpy as np
import pytest

from fixtures.windows import job
from seqbench.datasets.base import DataError
from seqbench.errors import UserError
from seqbench.windowing.comparable import check_comparable
from seqbench.windowing.windows import make_windows, windows_of_test

LABELS = ["a", "b"] * 3


@pytest.fixture
def learned(recordings):
    """Return windows of train of one dataset, of the given settings."""

    def make(settings, **changes):
        return make_windows(recordings(LABELS, lengths=60, **changes), settings)["train"]

    return make


def test_test_is_in_the_scale_and_of_the_length_that_the_model_knows(recordings, learned):
    like_job = job(length_samples=20, normalization="robust")
    like = learned(like_job)
    theirs = recordings(LABELS, lengths=50, seed=1)
    signals = [5 + 3 * signal for signal in theirs.signals]

    made = windows_of_test(replace(theirs, signals=signals), job(length_samples=7), like, like_job)

    assert made.split == "test"
    assert set(made.recording) == {4, 5}
    assert set(made.length) == {20}
    assert made.cutting == like_job.window
    expected = (signals[4][:20] - like.normalization.centre) / like.normalization.scale
    np.testing.assert_allclose(made.window(0), expected, rtol=1e-5)


@pytest.mark.parametrize("mode", ["per_recording", "per_window", "none"])
def test_what_needs_no_train_is_of_test_itself(recordings, learned, mode):
    own = recordings(LABELS, lengths=60, seed=1)
    settings = job(normalization=mode)

    made = windows_of_test(own, job(normalization="zscore"), learned(settings), settings)

    np.testing.assert_array_equal(made.signal, make_windows(own, settings)["test"].signal)


def test_classes_have_the_order_that_the_model_knows(recordings, learned):
    like = learned(job())
    theirs = recordings(["b", "a"] * 3, lengths=60, seed=1)
    swapped = replace(theirs, classes=["b", "a"], label=1 - theirs.label)

    made = [windows_of_test(one, job(), like, job()) for one in (theirs, swapped)]

    for one in made:
        assert one.classes == ["a", "b"]
        assert one.label.tolist() == [1, 0]


def test_tokens_have_the_ids_that_the_model_knows(recordings):
    def words(*spelt):
        return recordings(
            LABELS,
            signals=[np.array([[ord(c)] for c in word], np.float32) for word in spelt],
            sample="tokens",
            channels=["letter"],
            units=[""],
        )

    like = make_windows(words("ac", "ca", "a", "c", "a", "c"), job())["train"]

    made = windows_of_test(words("xy", "yx", "x", "y", "cab", "a"), job(), like, job())

    assert made.signal[:, 0].tolist() == [2, 1, 0, 1]  # a has the id 1, c 2, b is none of train
    assert made.channels == like.channels


def test_forecasts_of_another_series_go_by_the_transform_of_the_model(recordings):
    def series(seed):
        made = recordings(
            ["", ""],
            lengths=80,
            intervals=[],
            task="forecasting",
            classes=[],
            targets=None,
            seed=seed,
        )
        return replace(made, signals=[np.exp(one) for one in made.signals])

    split = {"by": "time", "val": 0.1, "test": 0.25}
    like_job = job(
        split, transform={"log": True, "difference_samples": (2,)}, length_samples=6,
        horizon_samples=3,
    )  # fmt: skip
    like = make_windows(series(0), like_job)["train"]

    made = windows_of_test(series(1), job(split, length_samples=9), like, like_job)

    expected = make_windows(series(1), like_job)["test"]
    assert made.targets.transform == like_job.transform
    assert made.start.tolist() == expected.start.tolist()
    np.testing.assert_array_equal(made.targets.values, expected.targets.values)
    raw = expected.signal * expected.normalization.scale + expected.normalization.centre
    known = (raw - like.normalization.centre) / like.normalization.scale
    np.testing.assert_allclose(made.signal, known, rtol=1e-3, atol=1e-4)


def test_a_test_that_is_too_short_is_refused(recordings, learned):
    settings = job(length_samples=55)

    with pytest.raises(DataError, match="no labelled window of the length that the model was trai"):
        windows_of_test(recordings(LABELS, lengths=50), job(), learned(settings), settings)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"channels": ["x", "z"]}, r"state which is which in `datasets\.here\.rename\.channels`"),
        (
            {"units": ["mV", "uV"]},
            "channel 'y' of dataset 'here' is in uV, but .* 'there', .*in mV",
        ),
        ({"sampling_rate_hz": 50.0}, "'here' has 50 Hz, but 'there'"),
        ({"source": {"subtracted": [1e9, 0]}}, "are stored less different offsets"),
    ],
)
def test_signals_of_another_kind_are_refused(recordings, learned, changes, sentence):
    like = learned(job())

    check_comparable(recordings(LABELS, units=["", "mV"]), "here", like, "there")
    with pytest.raises(UserError, match=sentence):
        check_comparable(recordings(LABELS, **changes), "here", like, "there")


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (["a", "b", "c"] * 2, "'here' has the class 'c', but 'there' has not, .*rename.classes`"),
        (["a"] * 6, "'there' has the class 'b', but 'here' has not"),
    ],
)
def test_other_classes_are_refused(recordings, learned, labels, sentence):
    with pytest.raises(UserError, match=sentence):
        check_comparable(recordings(labels), "here", learned(job()), "there")


def test_events_that_rank_otherwise_are_refused(recordings, make_event_windows):
    like = make_event_windows()["train"]
    events = {
        "intervals": [(0, 0, 1, 2), (1, 1, 1, 2)],
        "classes": like.classes,
        "channels": like.channels,
        "units": ["", ""],
        "task": "detection",
    }

    check_comparable(recordings(**events, tolerance_ms=20.0), "here", like, "there")
    with pytest.raises(UserError, match="`tolerance_ms` or `ranked_types` of datasets 'here' and"):
        check_comparable(recordings(**events, tolerance_ms=50.0), "here", like, "there")


def test_targets_that_a_model_does_not_predict_are_refused(recordings):
    def made(name):
        return recordings(
            [""] * 6,
            lengths=20,
            intervals=[],
            classes=[],
            task="regression",
            targets=[np.ones((20, 1), np.float32)] * 6,
            target_names=[name],
            target_units=["N"],
        )

    like = make_windows(made("force"), job())["train"]

    check_comparable(made("force"), "here", like, "there")
    with pytest.raises(UserError, match=r"'here' has the targets weight \(N\), but .* force \(N\)"):
        check_comparable(made("weight"), "here", like, "there")
