"""What every registered baseline promises."""

import copy
import importlib
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest

from seqbench.config.registry import BASELINES, DATASETS, TASKS
from seqbench.storage.detections import Candidates
from seqbench.storage.model_header import DataHeader, data_fields
from seqbench.storage.normalization import Normalization
from seqbench.storage.windows import WindowSet
from seqbench.tasks.scoring import score

# Small legal options of each name, and whether it looks at the signal; a name without an entry
# fails.
TINY = {
    "beat_types": ({"n_trees": 5, "least": 2}, True),
    "catch22": ({"n_trees": 30}, True),
    "char_ngrams": ({"longest": 3, "inverse_penalty": 30.0}, True),
    "circus_omp": ({}, True),
    "khamis": ({}, True),
    "log_ar": ({"lags": (1, 2)}, True),
    "logistic_regression": ({"n_folds": 3}, True),
    "majority": ({}, False),
    "matched_filter": ({}, True),
    "mean": ({}, False),
    "mean_frame": ({}, False),
    "metronome": ({}, False),
    "minirocket": ({"n_kernels": 84}, True),
    "multirocket_hydra": ({"n_kernels": 84, "n_groups": 4}, True),
    "neurokit": ({}, True),
    "neurokit_waves": ({}, False),
    "oracle": ({}, True),
    "persistence": ({}, True),
    "physiology_forest": ({"n_trees": 30}, False),
    "quant": ({"depth": 2, "n_trees": 30}, True),
    "seasonal_naive": ({"season_samples": 2}, True),
    "wobble": ({}, True),
    "xqrs": ({}, True),
}
pytestmark = pytest.mark.usefixtures("spikeinterface")
TASKS_OF = {name: BASELINES.entry(name).tags["tasks"] for name in BASELINES}
# Each classifier with each kind of sample that it takes.
CLASSIFIERS = [
    (name, sample)
    for name, tasks in TASKS_OF.items()
    if "classification" in tasks
    for sample in BASELINES.entry(name).tags["accepts"]
]
DETECTORS = [name for name, tasks in TASKS_OF.items() if "detection" in tasks]
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


def as_tokens(windows: WindowSet) -> WindowSet:
    """Return windows whose first channel is written in four letters, one for each level."""
    level = np.digitize(windows.signal[:, :1], [-0.5, 0.0, 0.5]) + 1
    return replace(
        windows,
        sample="tokens",
        signal=level.astype(np.float32),
        channels=["other", "a", "b", "c", "d"],
        normalization=Normalization.neutral(1),
    )


def as_video(windows: WindowSet) -> WindowSet:
    """Return windows whose samples are frames of one pixel."""
    return replace(
        windows,
        sample="video",
        signal=windows.signal[:, :1, None, None],
        channels=windows.channels[:1],
        normalization=Normalization.neutral(1),
    )


def as_skin(windows: WindowSet) -> WindowSet:
    """Return windows whose first channel is stated to be skin conductance."""
    return replace(windows, source=windows.source | {"physiology": {windows.channels[0]: "eda"}})


CHANGES = {"series": as_skin, "tokens": as_tokens, "video": as_video}


@pytest.fixture(params=CLASSIFIERS, ids="-".join)
def classifier(request):
    return request.param


@pytest.fixture
def name(classifier):
    return classifier[0]


@pytest.fixture
def make_classes(make_windows, classifier):
    """Make windows of the kind of sample that the classifier is tried with."""
    change = CHANGES[classifier[1]]
    return lambda **how: {split: change(one) for split, one in make_windows(**how).items()}


@pytest.fixture
def baseline(name):
    return BASELINES[name](**TINY[name][0])


@pytest.fixture(params=[2, 3])
def n_classes(request):
    return request.param


@pytest.fixture(params=list(LENGTHS))
def learned_and_test(make_classes, n_classes, request):
    """Labelled splits to learn from, and test."""
    splits = make_classes(n_classes=n_classes, lengths=LENGTHS[request.param])
    return [splits["train"], splits["val"]], splits["test"]


@pytest.mark.parametrize("name", list(BASELINES))
def test_tags_name_known_tasks_and_needs_and_modules_that_exist(name):
    tags = BASELINES.entry(name).tags

    assert tags["tasks"]
    assert set(tags["tasks"]) <= set(TASKS)
    assert tags["accepts"]
    assert set(tags["accepts"]) <= {DATASETS.entry(source).tags["sample"] for source in DATASETS}
    assert set(tags.get("floor_of", ())) <= set(tags["tasks"])
    offered = {
        offer for source in DATASETS for offer in DATASETS.entry(source).tags.get("offers", ())
    }
    assert set(tags.get("needs", ())) <= offered
    assert isinstance(tags.get("stochastic", False), bool)
    for module in tags.get("imports", ()):
        importlib.import_module(module)


# All of them.

BEATS = {"n_samples": (2500, 2100), "window_samples": 1000, "sampling_rate_hz": 250.0}
COLUMNS = ("place", "time", "type", "score")


class Case(NamedTuple):
    """A baseline with windows to learn from and to predict."""

    baseline: Any
    is_stochastic: bool
    learned: list[WindowSet]
    test: WindowSet

    def predicted(self, test: WindowSet, seed: int = 0) -> dict[str, np.ndarray]:
        found = self.baseline.predict(self.baseline.fit(self.learned, seed=seed), test)
        return columns(found)


def columns(found: Candidates | np.ndarray) -> dict[str, np.ndarray]:
    if isinstance(found, np.ndarray):
        return {"score": found}
    return {name: getattr(found, name) for name in COLUMNS}


@pytest.fixture(params=[*CLASSIFIERS, *((name, "recordings") for name in DETECTORS)], ids="-".join)
def case(request, make_windows, make_event_windows):
    name, sample = request.param
    if sample == "recordings":
        splits = make_event_windows(**BEATS)
        learned = [splits["train"]]
    else:
        splits = make_windows(n_classes=3, lengths=LENGTHS["unequal"], mode="per_window")
        splits = {split: CHANGES[sample](one) for split, one in splits.items()}
        learned = [splits["train"], splits["val"]]
    is_stochastic = BASELINES.entry(name).tags.get("stochastic", False)
    return Case(BASELINES[name](**TINY[name][0]), is_stochastic, learned, splits["test"])


def test_arrays_survive_a_file(case, through_a_file):
    arrays = case.baseline.fit(case.learned, seed=0)

    stored = through_a_file(arrays)

    assert {k: (a.shape, a.dtype) for k, a in stored.items()} == {
        k: (np.asarray(a).shape, np.asarray(a).dtype) for k, a in arrays.items()
    }
    first, second = (columns(case.baseline.predict(one, case.test)) for one in (stored, arrays))
    np.testing.assert_equal(first, second)


def test_the_seed_alone_decides_the_predictions(case):
    first = case.predicted(case.test, seed=5)
    np.random.seed(99)  # noqa: NPY002 (stands for a library that seeds the global generator)

    np.testing.assert_equal(case.predicted(case.test, seed=5), first)


def test_another_seed_matters_where_chance_plays_a_role(case):
    first, second = (case.predicted(case.test, seed) for seed in (0, 1))

    same = all(np.array_equal(array, second[key]) for key, array in first.items())
    assert same == (not case.is_stochastic)


@pytest.mark.parametrize("label", ["shuffled", "none"])
def test_predictions_do_not_depend_on_the_labels_of_test(case, label):
    test = case.test
    other = np.roll(test.label, 1) if label == "shuffled" else np.full(len(test), -1)
    blind = replace(test, label=other, truth={})
    if test.timeline:
        blind = replace(blind, timeline=test.timeline.without_events())

    np.testing.assert_equal(case.predicted(blind), case.predicted(test))


def test_fitting_and_predicting_leave_the_windows_as_they_were(case):
    before = copy.deepcopy([*case.learned, case.test])

    case.predicted(case.test)

    for one, windows in zip(before, [*case.learned, case.test], strict=True):
        np.testing.assert_array_equal(windows.signal, one.signal)
        np.testing.assert_equal(windows.truth, one.truth)
        if one.timeline:
            np.testing.assert_equal(vars(windows.timeline), vars(one.timeline))


# Classification.


def test_every_window_gets_a_finite_score_for_every_class(baseline, learned_and_test):
    learned, test = learned_and_test

    scores = baseline.predict(baseline.fit(learned, seed=0), test)

    assert scores.shape == (len(test), len(test.classes))
    assert scores.dtype == np.float64
    assert np.isfinite(scores).all()
    if baseline.gives_probabilities:
        assert (scores >= 0).all()
        np.testing.assert_allclose(scores.sum(axis=1), 1)


def test_classes_that_differ_in_frequency_are_separated(baseline, name, learned_and_test):
    learned, test = learned_and_test
    looks = TINY[name][1]

    scores = baseline.predict(baseline.fit(learned, seed=0), test)

    accuracy = (scores.argmax(axis=1) == test.label).mean()
    assert accuracy >= (0.9 if looks else 1 / len(test.classes))


def test_predictions_do_not_depend_on_the_other_windows_of_test(baseline, learned_and_test):
    learned, test = learned_and_test
    arrays = baseline.fit(learned, seed=0)
    chosen = [7, 2, 3]

    together = baseline.predict(arrays, test)[chosen]

    np.testing.assert_allclose(baseline.predict(arrays, rows(test, chosen)), together)
    alone = [baseline.predict(arrays, rows(test, [i]))[0] for i in chosen]
    np.testing.assert_allclose(alone, together)


def test_unlabelled_windows_are_not_learned_from(baseline, make_classes):
    splits = make_classes(n_classes=2)
    train = splits["train"]
    labelled = list(range(8))
    hidden = replace(train, label=np.where(np.arange(len(train)) < 8, train.label, -1))

    with_hidden = baseline.fit([hidden, splits["val"]], seed=0)
    without = baseline.fit([rows(train, labelled), splits["val"]], seed=0)

    np.testing.assert_array_equal(
        baseline.predict(with_hidden, splits["test"]), baseline.predict(without, splits["test"])
    )


# Detection.


def recordings_of(windows: WindowSet, places: list[int]) -> WindowSet:
    """Return some recordings of a split in another order, in a signal and timeline of their own."""
    timeline = windows.timeline
    rows = [np.arange(timeline.start[i], timeline.stop[i]) for i in places]
    stop = np.cumsum([len(own) for own in rows])
    start = stop - [len(own) for own in rows]
    moved = start - timeline.start[places]
    events = [np.flatnonzero(timeline.place == i) for i in places]
    shift = np.repeat(moved, [len(own) for own in events])
    chosen = np.concatenate(events)
    of_place = [np.flatnonzero(windows.recording == timeline.recording[i]) for i in places]
    cuts = np.concatenate(of_place)
    return replace(
        windows,
        signal=windows.signal[np.concatenate(rows)],
        start=windows.start[cuts] + np.repeat(moved, [len(own) for own in of_place]),
        length=windows.length[cuts],
        label=windows.label[cuts],
        recording=windows.recording[cuts],
        timeline=replace(
            timeline,
            recording=timeline.recording[places],
            start=start,
            stop=stop,
            known_start=timeline.known_start[places] + moved,
            known_stop=timeline.known_stop[places] + moved,
            onset=timeline.onset[chosen] + shift,
            offset=timeline.offset[chosen] + shift,
            type=timeline.type[chosen],
        ),
    )


def assert_same_found(first: Candidates, place: int, second: Candidates, other: int) -> None:
    """Hold two recordings against each other, up to the rounding of sums."""
    for column in COLUMNS[1:]:
        one, two = (
            getattr(found, column)[found.place == at]
            for found, at in ((first, place), (second, other))
        )
        np.testing.assert_allclose(one, two, rtol=1e-9, err_msg=column)


def assert_legal(found: Candidates, windows: WindowSet) -> None:
    timeline = windows.timeline
    assert (found.place.dtype, found.type.dtype) == (np.int64, np.int64)
    assert (found.time.dtype, found.score.dtype) == (np.float64, np.float64)
    assert {len(getattr(found, column)) for column in COLUMNS} == {len(found)}
    assert np.isfinite(found.time).all()
    assert np.isin(found.place, np.arange(len(timeline))).all()
    assert np.isin(found.type, np.arange(len(windows.classes))).all()
    assert (found.time >= 0).all()
    assert (found.time < (timeline.stop - timeline.start)[found.place]).all()
    assert ((found.score > 0) & (found.score < 1)).all()
    order = np.lexsort((found.time, found.type, found.place))
    np.testing.assert_array_equal(order, np.arange(len(found)))


@pytest.fixture(params=DETECTORS)
def detector_name(request):
    return request.param


@pytest.fixture
def detector(detector_name):
    return BASELINES[detector_name](**TINY[detector_name][0])


@pytest.fixture
def beats(make_event_windows):
    """Train, val and test of two recordings each, like two kinds of heartbeat at 250 Hz."""
    return make_event_windows(**BEATS)


@pytest.mark.parametrize("n_types", [1, 2])
@pytest.mark.parametrize("n_channels", [1, 3])
def test_candidates_lie_in_order_inside_their_recordings(
    detector, make_event_windows, n_types, n_channels
):
    splits = make_event_windows(**BEATS, n_types=n_types, n_channels=n_channels)

    found = detector.predict(detector.fit([splits["train"]], seed=0), splits["test"])

    assert_legal(found, splits["test"])
    assert set(found.place.tolist()) == {0, 1}


def test_events_that_stand_out_are_found(detector, detector_name, make_event_windows):
    splits = make_event_windows(**BEATS, n_types=1)
    task = TASKS["detection"]()
    certain = {"are_probabilities": detector.gives_probabilities}
    data = DataHeader(**data_fields(splits["train"]))

    arrays = detector.fit([splits["train"]], seed=0)
    tuned = task.tune(splits["val"], detector.predict(arrays, splits["val"]), data=data, **certain)
    candidates = detector.predict(arrays, splits["test"])
    found = task.join(splits["test"], candidates, tuned=tuned, **certain)

    f1 = score(task, found, resamples=0)["f1_at_20ms"]["value"]
    assert f1 >= (0.95 if TINY[detector_name][1] else 0)


def test_recordings_do_not_influence_each_other(detector, beats):
    arrays = detector.fit([beats["train"]], seed=0)

    together = detector.predict(arrays, beats["test"])
    swapped = detector.predict(arrays, recordings_of(beats["test"], [1, 0]))
    alone = detector.predict(arrays, recordings_of(beats["test"], [1]))

    assert_same_found(together, 1, alone, 0)
    assert_same_found(together, 1, swapped, 0)
    assert_same_found(together, 0, swapped, 1)


def test_what_is_not_known_is_not_learned_from(detector, beats):
    timeline = beats["train"].timeline
    # Nothing is known behind a middle of the first recording, nor of the second one.
    middle = int(timeline.onset[6]) - 80
    known = replace(
        timeline,
        known_stop=np.array([middle, timeline.start[1]]),
        onset=timeline.onset[:6],
        offset=timeline.offset[:6],
        type=timeline.type[:6],
    )
    train = replace(beats["train"], timeline=known)
    garbage = train.signal.copy()
    garbage[middle:] = np.random.default_rng(9).normal(scale=1e3, size=garbage[middle:].shape)

    arrays = detector.fit([train], seed=0)

    for other in (replace(train, signal=garbage), recordings_of(train, [0])):
        found = detector.fit([other], seed=0)
        assert arrays.keys() == found.keys()
        for key, array in arrays.items():
            np.testing.assert_array_equal(array, found[key], key)


@pytest.mark.parametrize("value", [0.0, 3.0])
def test_recordings_that_are_silent_or_shorter_than_an_event_do_no_harm(
    detector, make_event_windows, value
):
    splits = make_event_windows(**BEATS | {"n_samples": (2500, 1500, 4, 1)})
    test = splits["test"]
    signal = test.signal.copy()
    signal[test.timeline.start[1] : test.timeline.stop[1]] = value

    arrays = detector.fit([splits["train"]], seed=0)
    found = detector.predict(arrays, replace(test, signal=signal))

    assert_legal(found, test)
