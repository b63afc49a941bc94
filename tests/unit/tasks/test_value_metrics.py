"""Metrics of values and of labelled samples, held against scikit-learn and hand-made cases."""

import numpy as np
import pytest
from sklearn import metrics as sk

from seqbench.storage.sequences import Sequences
from seqbench.tasks.classification.metrics import accuracy, confusion, macro_f1
from seqbench.tasks.forecasting.metrics import skill
from seqbench.tasks.labelling.metrics import sequence_accuracy
from seqbench.tasks.regression.metrics import mae, r2, rmse

LENGTHS = [3, 5, 1, 4]


def sequences(predicted: np.ndarray, target: np.ndarray, **changes) -> Sequences:
    n = len(LENGTHS)
    values = {
        "prediction": predicted,
        "target": target,
        "sequence": np.repeat(np.arange(n), LENGTHS),
        "ahead": np.zeros(len(predicted), dtype=np.int64),
        "recording": [f"r{i}" for i in range(n)],
        "group": [f"r{i}" for i in range(n)],
        "start": np.zeros(n, dtype=np.int64),
        "names": ["v"] * target.shape[1],
        "units": [""] * target.shape[1],
        "classes": [],
    }
    return Sequences(**values | changes)


@pytest.fixture
def values():
    generator = np.random.default_rng(0)
    target = generator.normal(5, 2, (sum(LENGTHS), 2))
    return sequences(target + generator.normal(size=target.shape), target)


@pytest.fixture
def labels():
    generator = np.random.default_rng(1)
    scores = generator.random((sum(LENGTHS), 3))
    target = generator.integers(0, 3, (sum(LENGTHS), 1)).astype(float)
    return sequences(scores, target, classes=["a", "b", "c"])


ONCE = np.ones((1, len(LENGTHS)))


def test_values_are_scored_as_scikit_learn_does(values):
    found, target = values.prediction, values.target

    assert r2(values, ONCE)[0] == pytest.approx(sk.r2_score(target, found))
    assert rmse(values, ONCE)[0] == pytest.approx(np.sqrt(sk.mean_squared_error(target, found)))
    assert mae(values, ONCE)[0] == pytest.approx(sk.mean_absolute_error(target, found))


def test_the_mean_explains_nothing_and_the_truth_all(values):
    mean = np.broadcast_to(values.target.mean(axis=0), values.target.shape)

    assert r2(sequences(mean, values.target), ONCE)[0] == pytest.approx(0)
    assert r2(sequences(values.target, values.target), ONCE)[0] == 1
    assert np.isnan(r2(sequences(values.prediction, np.ones_like(values.target)), ONCE)[0])


@pytest.mark.parametrize("metric", [r2, rmse, mae, skill])
def test_a_window_that_counts_twice_is_a_window_that_is_there_twice(values, metric):
    again = np.flatnonzero(values.sequence == 1)
    last = np.zeros_like(values.target)
    once = sequences(values.prediction, values.target, reference=last)
    twice = sequences(
        np.concatenate([values.prediction, values.prediction[again]]),
        np.concatenate([values.target, values.target[again]]),
        sequence=np.concatenate([values.sequence, np.full(len(again), 4)]),
        start=np.zeros(5, dtype=np.int64),
        reference=np.zeros((len(values.target) + len(again), 2)),
    )

    weighted = metric(once, np.array([[1.0, 2.0, 1.0, 1.0]]))

    assert weighted[0] == pytest.approx(metric(twice, np.ones((1, 5)))[0])


def test_skill_is_one_less_the_error_over_that_of_the_last_value():
    target = np.arange(13.0)[:, None]
    last = target - 2

    assert skill(sequences(last, target, reference=last), ONCE)[0] == 0
    assert skill(sequences(target, target, reference=last), ONCE)[0] == 1
    assert skill(sequences(target + 1, target, reference=last), ONCE)[0] == pytest.approx(0.75)
    assert skill(sequences(target + 4, target, reference=last), ONCE)[0] == pytest.approx(-3)
    assert np.isnan(skill(sequences(target, target, reference=target), ONCE)[0])


def test_samples_are_counted_by_class(labels):
    target, found = labels.label, labels.predicted

    np.testing.assert_array_equal(confusion(labels, ONCE)[0], sk.confusion_matrix(target, found))
    assert accuracy(labels, ONCE)[0] == pytest.approx(sk.accuracy_score(target, found))
    assert macro_f1(labels, ONCE)[0] == pytest.approx(sk.f1_score(target, found, average="macro"))


def test_a_sequence_is_right_when_all_of_it_is(labels):
    right = np.eye(3)[labels.label]
    one_wrong = right.copy()
    one_wrong[4] = np.roll(one_wrong[4], 1)

    for scores, expected in ((right, 1.0), (one_wrong, 0.75)):
        made = sequences(scores, labels.target, classes=labels.classes)
        assert sequence_accuracy(made, ONCE)[0] == expected
    assert sequence_accuracy(made, np.array([[1.0, 3.0, 0.0, 0.0]]))[0] == 0.25
