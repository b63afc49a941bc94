"""What every registered baseline promises."""

import importlib
import os
from dataclasses import replace

import numpy as np
import pytest

from seqbench.registry import BASELINES, TASKS
from seqbench.storage.models import StoredModel, read_model, write_model
from seqbench.storage.windows import WindowSet

# Small legal options of each name, and whether it looks at the windows; a name without an entry
# fails.
TINY = {
    "majority": ({}, False),
    "minirocket": ({"n_kernels": 84}, True),
}
LENGTHS = {"equal": (20,), "unequal": (20, 26, 14), "short": (5, 8)}


def rows(windows: WindowSet, index: list[int]) -> WindowSet:
    """Return some of the windows, in a signal of their own."""
    pieces = [windows.window(i) for i in index]
    length = np.array([len(piece) for piece in pieces])
    return replace(
        windows,
        signal=np.concatenate(pieces),
        start=np.cumsum([0, *length])[:-1],
        length=length,
        label=windows.label[index],
        recording=windows.recording[index],
    )


@pytest.fixture(params=list(BASELINES))
def name(request):
    return request.param


@pytest.fixture
def baseline(name):
    return BASELINES[name](**TINY[name][0])


@pytest.fixture(params=[2, 3])
def n_classes(request):
    return request.param


@pytest.fixture(params=list(LENGTHS))
def parts(make_windows, n_classes, request):
    """Labelled parts to learn from, and test."""
    splits = make_windows(n_classes=n_classes, lengths=LENGTHS[request.param])
    return [splits["train"], splits["val"]], splits["test"]


def test_options_are_the_keyword_only_parameters(name, assert_options_are_the_signature):
    assert_options_are_the_signature(BASELINES, name)


def test_tags_name_known_tasks_and_modules_that_exist(name):
    tags = BASELINES.entry(name).tags

    assert tags["tasks"]
    assert set(tags["tasks"]) <= set(TASKS)
    assert isinstance(tags["stochastic"], bool)
    for module in tags["imports"]:
        importlib.import_module(module)


def test_every_window_gets_a_finite_score_for_every_class(baseline, parts):
    learned, test = parts

    scores = baseline.predict(baseline.fit(learned, seed=0), test)

    assert scores.shape == (len(test), len(test.classes))
    assert scores.dtype == np.float64
    assert np.isfinite(scores).all()
    if baseline.gives_probabilities:
        assert (scores >= 0).all()
        np.testing.assert_allclose(scores.sum(axis=1), 1)


def test_classes_that_differ_in_frequency_are_told_apart(baseline, name, parts):
    learned, test = parts
    looks = TINY[name][1]

    scores = baseline.predict(baseline.fit(learned, seed=0), test)

    accuracy = (scores.argmax(axis=1) == test.label).mean()
    assert accuracy >= (0.9 if looks else 1 / len(test.classes))


def test_arrays_survive_a_file(baseline, parts, tmp_path):
    learned, test = parts
    arrays = baseline.fit(learned, seed=0)
    write_model(tmp_path / "model.safetensors", StoredModel(arrays, {}))

    stored = read_model(tmp_path / "model.safetensors").arrays

    assert {k: (a.shape, a.dtype) for k, a in stored.items()} == {
        k: (np.asarray(a).shape, np.asarray(a).dtype) for k, a in arrays.items()
    }
    np.testing.assert_array_equal(baseline.predict(stored, test), baseline.predict(arrays, test))


def test_the_same_seed_gives_the_same_predictions(baseline, parts):
    learned, test = parts

    first = baseline.predict(baseline.fit(learned, seed=5), test)
    np.random.default_rng().random()  # what happens elsewhere does not matter
    np.random.seed(99)  # noqa: NPY002 (stands for a library that seeds the global generator)
    second = baseline.predict(baseline.fit(learned, seed=5), test)

    np.testing.assert_array_equal(first, second)


def test_another_seed_matters_where_chance_is_said_to_play_a_part(baseline, name, make_windows):
    splits = make_windows(n_classes=3)
    parts = [splits["train"], splits["val"]]

    arrays = [baseline.fit(parts, seed) for seed in (0, 1)]

    same = all(np.array_equal(array, arrays[1][key]) for key, array in arrays[0].items())
    assert same == (not BASELINES.entry(name).tags["stochastic"])


@pytest.mark.parametrize("label", ["shuffled", "none"])
def test_predictions_do_not_depend_on_the_labels_of_test(baseline, parts, label):
    learned, test = parts
    arrays = baseline.fit(learned, seed=0)
    other = np.roll(test.label, 1) if label == "shuffled" else np.full(len(test), -1)

    changed = baseline.predict(arrays, replace(test, label=other))

    np.testing.assert_array_equal(changed, baseline.predict(arrays, test))


def test_predictions_do_not_depend_on_the_other_windows_of_test(baseline, parts):
    learned, test = parts
    arrays = baseline.fit(learned, seed=0)
    chosen = [7, 2, 3]

    together = baseline.predict(arrays, test)[chosen]

    np.testing.assert_allclose(baseline.predict(arrays, rows(test, chosen)), together)
    alone = [baseline.predict(arrays, rows(test, [i]))[0] for i in chosen]
    np.testing.assert_allclose(alone, together)


def test_unlabelled_windows_are_not_learned_from(baseline, make_windows):
    splits = make_windows(n_classes=2)
    train = splits["train"]
    labelled = list(range(8))
    hidden = replace(train, label=np.where(np.arange(len(train)) < 8, train.label, -1))

    with_hidden = baseline.fit([hidden, splits["val"]], seed=0)
    without = baseline.fit([rows(train, labelled), splits["val"]], seed=0)

    np.testing.assert_array_equal(
        baseline.predict(with_hidden, splits["test"]), baseline.predict(without, splits["test"])
    )


def test_fitting_and_predicting_leave_the_windows_as_they_were(baseline, make_windows):
    splits = make_windows(n_classes=3, lengths=LENGTHS["unequal"], mode="per_window")
    before = {split: windows.signal.copy() for split, windows in splits.items()}

    baseline.predict(baseline.fit([splits["train"], splits["val"]], seed=0), splits["test"])

    for split, windows in splits.items():
        np.testing.assert_array_equal(windows.signal, before[split])


# The baselines' own promises.


def test_majority_answers_with_the_frequencies_of_train_and_val(make_windows):
    splits = make_windows(n_classes=2, n_windows=4)
    train = replace(splits["train"], label=np.array([0, 0, 0, -1]))
    val = replace(splits["val"], label=np.array([1, 0, -1, -1]))
    majority = BASELINES["majority"]()

    scores = majority.predict(majority.fit([train, val], seed=0), splits["test"])

    np.testing.assert_allclose(scores, [[0.8, 0.2]] * 4)


def test_minirocket_sees_windows_as_they_are_normalised_one_by_one(make_windows):
    # Gain and offset of each window say nothing where every window is standardised.
    splits = make_windows(n_classes=2, mode="per_window")
    minirocket = BASELINES["minirocket"](n_kernels=84)
    arrays = minirocket.fit([splits["train"], splits["val"]], seed=0)
    test = splits["test"]

    louder = replace(test, signal=test.signal * 4 + 32)  # exact in binary, up to rounding

    np.testing.assert_allclose(
        minirocket.predict(arrays, louder), minirocket.predict(arrays, test), atol=1e-3
    )


def test_the_environment_says_how_many_threads_numba_was_imported_with(monkeypatch):
    from seqbench.baselines.minirocket import keep_numba_threads

    numba = pytest.importorskip("numba")
    monkeypatch.setenv("NUMBA_NUM_THREADS", "77")

    keep_numba_threads()

    assert os.environ["NUMBA_NUM_THREADS"] == str(numba.config.NUMBA_NUM_THREADS)
