"""Errors and skills by horizon, and the truth against what was told."""

from types import SimpleNamespace

import numpy as np
import pytest

from seqbench.reporting.evidence.sequences import PredictedSequences
from seqbench.reporting.figures.sequences import agreement, horizon
from seqbench.storage.sequences import Sequences


def sequences(target, answer, ahead, reference=None):
    target, answer = np.array(target, float)[:, None], np.array(answer, float)[:, None]
    return Sequences(
        prediction=answer,
        target=target,
        sequence=np.arange(len(target)) // 2,
        ahead=np.array(ahead),
        recording=["a", "b"],
        group=["a", "b"],
        start=np.array([0, 10]),
        names=["load"],
        units=["kW"],
        classes=[],
        reference=None if reference is None else np.array(reference, float)[:, None],
    )


def material_of(one, r2=None):
    row = SimpleNamespace(name="lstm · scratch", architecture="lstm", arm="scratch",
                          is_baseline=False)  # fmt: skip
    result = SimpleNamespace(run=SimpleNamespace(seed=3), value=lambda name: r2)
    targets = SimpleNamespace(names=["load"], units=["kW"])
    test = SimpleNamespace(required_targets=targets)
    return SimpleNamespace(
        of=lambda kind: kind(predicted=[PredictedSequences(row, result, one)], test=test),
        colour=lambda row: "#0072b2",
    )


# Two windows of two steps: errors 1, 2 and 3, 2; persistence is off by 2, 4 and 6, 0.
TOLD = {"target": [10, 20, 10, 20], "answer": [11, 22, 13, 22], "ahead": [1, 2, 1, 2]}
LAST = [12, 24, 16, 20]


def test_error_and_skill_stand_at_each_step_ahead():
    table = horizon(material_of(sequences(**TOLD, reference=LAST))).table

    assert table["samples_ahead"].tolist() == [1, 2]
    assert table["rmse"].to_numpy() == pytest.approx([5**0.5, 2.0])  # of 1 and 9, of 4 and 4
    assert table["skill"].to_numpy() == pytest.approx([1 - 5 / 20, 1 - 4 / 8])
    assert table["seed"].tolist() == [3, 3]


def test_without_a_last_value_there_is_no_skill_and_a_perfect_one_gives_none_either():
    assert np.isnan(horizon(material_of(sequences(**TOLD))).table["skill"]).all()
    perfect = sequences(**TOLD, reference=TOLD["target"])
    assert np.isnan(horizon(material_of(perfect)).table["skill"]).all()


def test_answers_stand_against_the_truth():
    plot = agreement(material_of(sequences(**TOLD), r2=0.5))

    assert plot.table["true"].tolist() == [10, 20, 10, 20]
    assert plot.table["predicted"].tolist() == [11, 22, 13, 22]
    (dots,) = plot.figure.axes[0].collections
    assert dots.get_offsets()[:, 0].tolist() == [10, 20, 10, 20]
    assert plot.figure.axes[0].texts[0].get_text() == "R² 0.500, seed 3"


def test_a_stray_answer_stands_at_the_edge_and_hides_nothing():
    n = 400
    truth = np.linspace(0, 1, n)
    told = truth.copy()
    told[0] = 1e6
    plot = agreement(material_of(sequences(truth, told, np.zeros(n, int))))

    assert plot.figure.axes[0].get_xlim()[1] < 2
    assert plot.table["predicted"].max() == 1e6  # the table holds it as it is
