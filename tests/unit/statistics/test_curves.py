"""ROC and precision-recall curves, by hand and against scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics

from seqbench.statistics.curves import average_precision, precision_at, precision_recall, roc

# From the highest score down: hit, miss, then a tie of a hit with two misses, then a miss.
SCORES = np.array([0.9, 0.8, 0.5, 0.5, 0.5, 0.1])
POSITIVE = np.array([True, False, True, False, False, False])


def test_a_roc_curve_climbs_over_hits_and_goes_aside_over_false_alarms():
    false_alarms, hits = roc(SCORES, POSITIVE)

    assert false_alarms.tolist() == [0, 0, 1 / 4, 3 / 4, 1]
    assert hits.tolist() == [0, 1 / 2, 1 / 2, 1, 1]


def test_precision_stands_at_the_recall_that_a_threshold_reaches():
    recall, precision = precision_recall(SCORES, POSITIVE)

    assert recall.tolist() == [1 / 2, 1 / 2, 1, 1]
    assert precision.tolist() == [1, 1 / 2, 2 / 5, 1 / 3]
    assert average_precision(recall, precision) == 1 / 2 * 1 + 1 / 2 * 2 / 5
    at = precision_at(np.array([0, 0.1, 0.5, 0.51, 1]), recall, precision)
    assert at.tolist() == [1, 1, 1, 2 / 5, 2 / 5]


@pytest.mark.parametrize("decimals", [1, 3, 15], ids=["many ties", "few ties", "no ties"])
def test_curves_and_areas_are_those_of_scikit_learn(decimals):
    generator = np.random.default_rng(decimals)
    positive = generator.random(300) < 0.3
    scores = (generator.normal(size=300) + positive).round(decimals)

    false_alarms, hits = roc(scores, positive)
    recall, precision = precision_recall(scores, positive)

    theirs = metrics.roc_curve(positive, scores, drop_intermediate=False)
    np.testing.assert_allclose((false_alarms, hits), theirs[:2], rtol=1e-12)
    area = metrics.roc_auc_score(positive, scores)
    assert np.trapezoid(hits, false_alarms) == pytest.approx(area, rel=1e-12)
    of_thresholds = metrics.precision_recall_curve(positive, scores)
    np.testing.assert_allclose(precision, of_thresholds[0][:-1][::-1], rtol=1e-12)
    np.testing.assert_allclose(recall, of_thresholds[1][:-1][::-1], rtol=1e-12)
    area = metrics.average_precision_score(positive, scores)
    assert average_precision(recall, precision) == pytest.approx(area, rel=1e-12)


@pytest.mark.parametrize("positive", [np.ones(3, bool), np.zeros(3, bool)])
def test_a_roc_curve_of_one_kind_alone_is_refused(positive):
    with pytest.raises(ValueError, match="windows of the class and others"):
        roc(np.arange(3.0), positive)


def test_recall_of_a_class_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="recall needs windows"):
        precision_recall(np.arange(3.0), np.zeros(3, bool))
