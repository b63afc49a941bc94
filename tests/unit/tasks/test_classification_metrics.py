"""Metrics by hand and against scikit-learn; intervals by their definition."""

import math
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import binomtest
from sklearn import metrics as reference

from fixtures.trainings import network_header
from seqbench.config.registry import ARCHITECTURES, METRICS, TASKS
from seqbench.statistics.bootstrap import cluster_weights, interval
from seqbench.storage.model_header import NetworkHeader
from seqbench.storage.predictions import Predictions
from seqbench.tasks.scoring import score

NAMES = ["accuracy", "balanced_accuracy", "macro_f1", "mcc", "auroc", "log_loss", "ece"]


def predictions(scores, target, *, probabilities: bool = True) -> Predictions:
    scores, target = np.asarray(scores, dtype=np.float64), np.asarray(target)
    n = len(target)
    names = [f"r{i}" for i in range(n)]
    return Predictions(
        scores=scores,
        target=target,
        recording=names,
        group=names,
        start=np.zeros(n, dtype=np.int64),
        length=np.ones(n, dtype=np.int64),
        classes=[f"class{k}" for k in range(scores.shape[1])],
        are_probabilities=probabilities,
    )


def certain(predicted: list[int], target: list[int], n_classes: int) -> Predictions:
    return predictions(np.eye(n_classes)[predicted], target)


def value(name: str, of: Predictions, weights=None) -> float:
    rows = np.ones((1, len(of.target))) if weights is None else np.asarray(weights, float)[None]
    found = METRICS[name](of, rows)
    assert found.shape == (1,)
    return float(found[0])


# By hand.

# True class 0: predicted 0, 0, 0, 1. True class 1: predicted 0, 0, 1, 1, 1, 1.
BINARY = certain([0, 0, 0, 1, 0, 0, 1, 1, 1, 1], [0] * 4 + [1] * 6, 2)


def curve(positive: list[float], target: list[int]) -> Predictions:
    return predictions([[1 - p, p] for p in positive], target)


BY_HAND = {
    "two classes": (
        BINARY,
        {
            "accuracy": 7 / 10,
            "balanced_accuracy": (3 / 4 + 4 / 6) / 2,
            # F1 is 2 hits over predicted and true together: 6 / (5 + 4) and 8 / (5 + 6).
            "macro_f1": (6 / 9 + 8 / 11) / 2,
            # (4 * 3 - 1 * 2) / sqrt(5 * 6 * 4 * 5)
            "mcc": 10 / math.sqrt(600),
        },
    ),
    "all right": (certain([0, 1, 2, 2], [0, 1, 2, 2], 3), dict.fromkeys(NAMES[:4], 1)),
    "one class for everything": (
        certain([0] * 6, [0, 0, 0, 0, 1, 2], 3),
        {"accuracy": 4 / 6, "balanced_accuracy": 1 / 3, "macro_f1": 8 / 10 / 3, "mcc": 0},
    ),
    # Class 2 occurs once and is missed; classes 0 and 1 have 4 / 4 and 2 / 3.
    "a class never found": (
        certain([0, 0, 1, 1], [0, 0, 1, 2], 3),
        {"macro_f1": (1 + 2 / 3 + 0) / 3},
    ),
    "a class only predicted": (certain([0, 0, 1], [0, 0, 0], 2), {"macro_f1": (4 / 5 + 0) / 2}),
    # Positives 0.75 and 0.25 against negatives 0.5 and 0.125: three of four pairs are right.
    "pairs in the right order": (curve([0.75, 0.25, 0.5, 0.125], [1, 1, 0, 0]), {"auroc": 3 / 4}),
    # Pairs: 0.5 > 0.25, 0.5 = 0.5, 0.25 = 0.25, 0.25 < 0.5.
    "ties count half": (curve([0.5, 0.25, 0.25, 0.5], [1, 1, 0, 0]), {"auroc": 0.5}),
    "a curve of one class": (curve([0.5, 0.25], [1, 1]), {"auroc": float("nan")}),
    # Class 0: 0.5 against 0.25 and 0.5, 1.5 of 2. Class 1: (0.5, 0.375) against 0.25, 2 of 2.
    "curves of the classes that occur": (
        predictions([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.5, 0.375, 0.125]], [0, 1, 1]),
        {"auroc": (0.75 + 1) / 2},
    ),
    "the mean surprise in nats": (
        predictions([[0.5, 0.5], [0.75, 0.25]], [0, 1]),
        {"log_loss": (math.log(2) + math.log(4)) / 2},
    ),
    "a certain error is finite": (certain([0], [1], 2), {"log_loss": 52 * math.log(2)}),
    # Bin of 0.9: one of two right, gap 2 * |0.5 - 0.9|. Bin of 0.6: both right, 2 * |1 - 0.6|.
    "confidence and accuracy in each bin": (
        predictions([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.4, 0.6]], [0, 1, 0, 1]),
        {"ece": (0.8 + 0.8) / 4},
    ),
    # Mean confidence 0.75 where three of four are right: calibrated if they share a bin of 15.
    "errors in one bin cancel": (predictions([[0.75, 0.25]] * 4, [0, 0, 0, 1]), {"ece": 0}),
    "errors in two bins do not": (
        predictions([[0.9, 0.1]] * 2 + [[0.6, 0.4]] * 2, [0, 1, 0, 0]),
        {"ece": (2 * 0.4 + 2 * 0.4) / 4},
    ),
}


@pytest.mark.parametrize(("of", "expected"), BY_HAND.values(), ids=BY_HAND)
def test_values_by_hand(of, expected):
    assert {name: value(name, of) for name in expected} == pytest.approx(expected, nan_ok=True)


def test_a_class_that_neither_occurs_nor_is_predicted_does_not_count():
    four, two = (certain([0, 0, 1, 1], [0, 1, 1, 1], n) for n in (4, 2))

    for name in NAMES[:4]:
        assert value(name, four) == pytest.approx(value(name, two))


# Against scikit-learn.


def random_case(seed: int, n_classes: int) -> tuple[Predictions, np.ndarray]:
    """Return predictions with many ties, and integer weights of at least 1."""
    generator = np.random.default_rng(seed)
    n = int(generator.integers(30, 80))
    counts = generator.multinomial(8, np.full(n_classes, 1 / n_classes), size=n)
    target = generator.integers(0, n_classes, n)
    target[:n_classes] = np.arange(n_classes)
    # Eighths are exact in binary, so equal scores are equal in every arrangement.
    return predictions(counts / 8, target), generator.integers(1, 5, n)


def by_scikit_learn(name: str, of: Predictions, weights: np.ndarray) -> float:
    target, predicted, scores = of.target, of.predicted, of.scores
    labels = np.arange(len(of.classes))
    known = {"sample_weight": weights}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # classes that do not occur
        match name:
            case "accuracy":
                return reference.accuracy_score(target, predicted, **known)
            case "balanced_accuracy":
                return reference.balanced_accuracy_score(target, predicted, **known)
            case "macro_f1":
                return reference.f1_score(target, predicted, average="macro", **known)
            case "mcc":
                return reference.matthews_corrcoef(target, predicted, **known)
            case "log_loss":
                return reference.log_loss(target, scores, labels=labels, **known)
            case "auroc" if len(labels) == 2:
                return reference.roc_auc_score(target, scores[:, 1], **known)
            case "auroc":
                # One class against the rest, over the classes that occur.
                occurs = [k for k in labels if 0 < (target == k).sum() < len(target)]
                areas = [
                    reference.roc_auc_score(target == k, scores[:, k], **known) for k in occurs
                ]
                return float(np.mean(areas))
    raise AssertionError(name)


@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize("name", [name for name in NAMES if name != "ece"])
def test_a_metric_agrees_with_scikit_learn_on_weighted_cases(name, n_classes):
    for seed in range(10):
        of, weights = random_case(seed, n_classes)
        kept = np.isin(of.target, [0, 2, 3])
        few = predictions(of.scores[kept], of.target[kept])  # of five classes two are absent
        for one, counts in ((of, weights), (few, weights[kept])):
            if len(set(one.target)) > 1:
                expected = by_scikit_learn(name, one, counts)
                assert value(name, one, counts) == pytest.approx(expected), seed


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n_classes", [2, 4])
def test_a_weight_is_how_often_a_window_counts(name, n_classes):
    for seed in range(5):
        of, weights = random_case(seed, n_classes)
        weights = weights - 1  # some windows are not drawn at all
        again = np.repeat(np.arange(len(weights)), weights)
        repeated = predictions(of.scores[again], of.target[again])
        assert value(name, of, weights) == pytest.approx(value(name, repeated)), seed


@pytest.mark.parametrize("name", NAMES)
def test_resamples_are_scored_row_by_row(name):
    of, _ = random_case(0, 3)
    weights = np.random.default_rng(0).integers(0, 3, size=(4, len(of.target))).astype(float)

    together = METRICS[name](of, weights)

    assert together.shape == (4,)
    np.testing.assert_allclose(together, [value(name, of, row) for row in weights])


# The task.


def test_a_score_has_a_value_and_an_interval_around_it():
    of, _ = random_case(0, 3)

    scores = score(TASKS["classification"](), of, resamples=50)

    assert list(scores) == NAMES
    for name, found in scores.items():
        assert found["value"] == pytest.approx(value(name, of))
        assert found["low"] <= found["high"]
        if name != "ece":  # its resamples are biased upwards
            assert found["low"] <= found["value"] <= found["high"]


def test_the_interval_of_a_perfect_score_is_that_of_as_many_windows():
    of, _ = random_case(0, 3)
    right = replace(of, scores=np.eye(3)[of.target])

    scores = score(TASKS["classification"](), right, resamples=50, headline="accuracy")

    bounds = binomtest(len(right), len(right)).proportion_ci(method="wilson")
    assert (scores["accuracy"]["value"], scores["accuracy"]["high"]) == (1, 1)
    assert scores["accuracy"]["low"] == pytest.approx(bounds.low)
    assert (scores["mcc"]["low"], scores["mcc"]["high"]) == (1, 1)  # no fraction of windows


def test_the_headline_keeps_its_resampled_values_which_the_interval_is_of():
    of, _ = random_case(0, 3)

    scores = score(TASKS["classification"](), of, resamples=50, headline="accuracy")
    resampled = np.array(scores["accuracy"]["resampled"])

    assert [name for name in scores if "resampled" in scores[name]] == ["accuracy"]
    assert len(resampled) == 50
    found = scores["accuracy"]["low"], scores["accuracy"]["high"]
    assert found == pytest.approx(interval(resampled), abs=1e-6)


def test_all_models_are_scored_on_the_same_resamples():
    of, _ = random_case(0, 3)
    always_right = replace(of, scores=np.eye(3)[of.target])
    always_wrong = replace(of, scores=np.eye(3)[(of.target + 1) % 3])

    def resampled(predictions):
        found = score(TASKS["classification"](), predictions, resamples=20, headline="accuracy")
        return found["accuracy"]["resampled"]

    half = np.arange(len(of)) % 2 == 0
    first = np.where(half[:, None], always_right.scores, always_wrong.scores)
    second = np.where(half[:, None], always_wrong.scores, always_right.scores)
    sums = np.add(resampled(replace(of, scores=first)), resampled(replace(of, scores=second)))

    assert sums == pytest.approx(1, abs=2e-6)  # what one gets wrong the other gets right


def test_without_resamples_there_are_no_intervals():
    scores = score(TASKS["classification"](), BINARY, resamples=0)

    assert all(score["low"] is None and score["high"] is None for score in scores.values())


def test_metrics_of_probabilities_are_left_out_for_other_scores():
    of = predictions([[1.0, -1.0], [-2.0, 2.0]], [0, 1], probabilities=False)

    assert list(score(TASKS["classification"](), of, resamples=0)) == NAMES[:5]


def test_a_value_that_is_not_defined_is_null():
    scores = score(TASKS["classification"](), curve([0.5, 0.25], [1, 1]), resamples=10)

    assert scores["auroc"] == {"value": None, "low": None, "high": None}
    assert scores["accuracy"]["value"] == 0.0


# Head.


def header(n_classes: int) -> NetworkHeader:
    return network_header(channels=("x",), classes=tuple(f"class{k}" for k in range(n_classes)))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_head_gives_probabilities_and_a_loss_of_log_k_at_chance(n_classes):
    encoder = ARCHITECTURES["lstm"](1, hidden_size=2)
    head = TASKS["classification"]().head(encoder, header(n_classes))
    torch.nn.init.zeros_(head.output.linear.weight)
    torch.nn.init.zeros_(head.output.linear.bias)

    logits = head(torch.randn(4, 5, encoder.n_features))
    target = torch.tensor([0, 1, 1, 0])

    assert logits.shape == (4, n_classes)
    assert head.loss(logits, target).item() == pytest.approx(math.log(n_classes))
    scores = head.scores(logits)
    torch.testing.assert_close(scores, torch.full_like(scores, 1 / n_classes))


def test_the_head_weighs_classes_in_its_loss():
    head = TASKS["classification"]().head(ARCHITECTURES["rnn"](1), header(2))
    logits = torch.tensor([[0.0, 0.0], [0.0, math.log(3)]])  # the true class has 1/2 and 1/4

    loss = head.loss(logits, torch.tensor([1, 0]), torch.tensor([3.0, 1.0]))

    assert loss.item() == pytest.approx((1 * math.log(2) + 3 * math.log(4)) / 4)
    assert head.measure(logits, torch.tensor([1, 1])).tolist() == [0.0, 1.0]


def test_a_single_class_is_refused():
    with pytest.raises(ValueError, match="at least two classes, got 1"):
        TASKS["classification"]().head(ARCHITECTURES["rnn"](1), header(1))


# Bootstrap.


def test_a_resample_draws_as_many_clusters_as_there_are_and_whole():
    clusters = ["b", "a", "b", "c", "a", "b"]

    weights = cluster_weights(clusters, 200, np.random.default_rng(0))

    assert weights.shape == (200, 6)
    np.testing.assert_array_equal(weights[:, 0], weights[:, 2])
    np.testing.assert_array_equal(weights[:, 0], weights[:, 5])
    np.testing.assert_array_equal(weights[:, 1], weights[:, 4])
    # One window of each of the three clusters: b, a and c.
    np.testing.assert_array_equal(weights[:, [0, 1, 3]].sum(axis=1), 3)


def test_every_cluster_is_drawn_equally_often():
    weights = cluster_weights(["a", "b", "c", "d"], 20_000, np.random.default_rng(0))

    np.testing.assert_allclose(weights.mean(axis=0), 1, atol=0.03)  # standard error 0.006
    np.testing.assert_allclose(weights.var(axis=0), 3 / 4, atol=0.03)  # multinomial: 1 - 1/4


def test_the_interval_holds_the_middle_of_the_resamples():
    assert interval(np.arange(101.0)) == pytest.approx((2.5, 97.5))
    assert interval(np.arange(101.0), confidence=0.8) == pytest.approx((10, 90))


def test_values_that_are_not_defined_are_left_out_if_they_are_few():
    few = np.r_[np.arange(101.0), np.full(20, np.nan)]
    many = np.r_[np.arange(10.0), np.full(11, np.nan)]

    assert interval(few) == pytest.approx((2.5, 97.5))
    assert interval(many) is None
