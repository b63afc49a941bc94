"""Curves, calibration and hardest windows, by hand and against scikit-learn."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn import metrics
from sklearn.calibration import calibration_curve

from fixtures.results import material_of
from seqbench.config.registry import FIGURES
from seqbench.errors import FormatError
from seqbench.reporting.evidence.classification import curves, hardest_windows
from seqbench.reporting.figures.classification import text_of
from seqbench.storage.normalization import Normalization
from seqbench.storage.predictions import Predictions
from seqbench.storage.windows import WindowSet
from seqbench.tasks.classification.metrics import ece, reliability

ROW = SimpleNamespace(name="cnn1d · scratch")


def predictions(scores, target, classes=None, **changes):
    scores = np.asarray(scores, dtype=float)
    n, k = scores.shape
    names = [f"w{i}" for i in range(n)]
    whole = {
        "scores": scores,
        "target": np.asarray(target),
        "recording": names,
        "group": names,
        "start": np.arange(n) * 2,
        "length": np.full(n, 2),
        "classes": classes or [f"c{i}" for i in range(k)],
        "are_probabilities": True,
    }
    return Predictions(**(whole | changes))


def random_predictions(seed, n=200, k=4):
    generator = np.random.default_rng(seed)
    target = generator.integers(0, k, n)
    logits = generator.normal(size=(n, k)) + 1.5 * np.eye(k)[target]
    return predictions(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), target)


def windows_of(predictions, n_samples=2):
    n = len(predictions)
    return WindowSet(
        task="classification", sample="series", split="test",
        signal=np.arange(n * n_samples, dtype=np.float32)[:, None],
        start=predictions.start, length=predictions.length, label=predictions.target,
        recording=np.arange(n), names=predictions.recording, groups=predictions.group,
        channels=["x"], classes=predictions.classes,
        normalization=Normalization("none", np.zeros(1), np.ones(1)), sampling_rate_hz=None,
    )  # fmt: skip


def test_areas_of_each_class_are_means_over_runs_of_those_of_scikit_learn():
    runs = [random_predictions(seed) for seed in (0, 1)]
    found = curves(ROW, runs)

    for k in range(4):
        auroc = [metrics.roc_auc_score(run.target == k, run.scores[:, k]) for run in runs]
        areas = [metrics.average_precision_score(run.target == k, run.scores[:, k]) for run in runs]
        assert found.auroc[k] == pytest.approx(np.mean(auroc), rel=1e-12)
        assert found.average_precision[k] == pytest.approx(np.mean(areas), rel=1e-12)
        assert np.trapezoid(found.hits[k], found.levels) == pytest.approx(found.auroc[k], abs=0.01)
    by_class = [np.mean([(run.target == k).mean() for run in runs]) for k in range(4)]
    assert found.share == pytest.approx(by_class)


def test_curves_of_runs_are_averaged_at_equal_levels():
    right = predictions([[0.9, 0.1], [0.2, 0.8]], [0, 1])
    wrong = predictions([[0.1, 0.9], [0.8, 0.2]], [0, 1])
    found = curves(ROW, [right, wrong])

    assert found.classes == ["c1"]
    assert found.auroc.tolist() == [0.5]
    # One run finds the class at once, the other after the only false alarm.
    assert found.hits[0, :-1].tolist() == [0.5] * 200
    assert found.hits[0, -1] == 1.0
    assert found.precision[0].tolist() == [0.75] * 201


def test_a_class_that_test_does_not_hold_has_no_curve():
    found = curves(ROW, [predictions([[0.7, 0.2, 0.1], [0.3, 0.4, 0.3]], [0, 1])])

    assert found.classes == ["c0", "c1"]
    assert curves(ROW, [predictions([[1.0], [1.0]], [0, 0])]).classes == []


def test_points_of_calibration_are_those_of_scikit_learn():
    one = random_predictions(3, n=500)
    confidence, right, count = reliability(one)
    held = count > 0

    is_right = one.scores.argmax(axis=1) == one.target
    theirs = calibration_curve(is_right, one.scores.max(axis=1), n_bins=15)
    np.testing.assert_allclose(right[held], theirs[0], rtol=1e-12)
    np.testing.assert_allclose(confidence[held], theirs[1], rtol=1e-12)
    assert np.isnan(right[~held]).all()
    by_hand = np.nansum(count * np.abs(right - confidence)) / count.sum()
    assert by_hand == pytest.approx(ece(one, np.ones((1, 500)))[0], rel=1e-12)


def test_the_hardest_windows_have_the_highest_mean_loss():
    first = predictions([[0.51, 0.49], [0.4, 0.6], [0.01, 0.99]], [0, 0, 0], classes=["a", "b"])
    second = replace(first, scores=np.array([[0.51, 0.49], [0.6, 0.4], [0.03, 0.97]]))
    found = hardest_windows(windows_of(first), [first, second])

    assert [one.recording for one in found] == ["w2", "w1"]  # no run gets w0 wrong
    worst, middle = found
    assert (worst.true, worst.predicted, worst.n_wrong, worst.n_runs) == ("a", "b", 2, 2)
    assert worst.p_predicted == pytest.approx(0.98)
    assert worst.loss == pytest.approx(-(np.log(0.01) + np.log(0.03)) / 2)
    assert worst.values.ravel().tolist() == [4.0, 5.0]
    assert (middle.predicted, middle.n_wrong, middle.p_true) == ("a", 1, pytest.approx(0.5))


def test_predictions_of_other_windows_are_refused():
    one = random_predictions(0, n=5)

    with pytest.raises(FormatError, match="not of the windows of test"):
        hardest_windows(windows_of(one), [replace(one, start=one.start + 1)])


@pytest.mark.parametrize(
    ("vocabulary", "text"),
    [(["<unknown>", "a", "b"], "ab<unknown>"), (["<unknown>", "one", "two"], "one two <unknown>")],
)
def test_tokens_read_as_letters_or_as_words(vocabulary, text):
    assert text_of(np.array([1.0, 2.0, 0.0]), vocabulary) == text


@pytest.fixture
def material(write_results, config):
    def make(skill=lambda run: 0.5 if run.arm == "baseline" else 0.8, **settings):
        return material_of(write_results(config(), skill=skill, **settings))

    return make


def test_the_bold_curve_is_the_mean_of_the_pale_ones(material):
    plot = FIGURES["roc"](material(classes={"waves": ["a", "b", "c"]}))
    left = plot.figure.axes[0]
    model = [line for line in left.lines if line.get_color() == "#0072b2"]
    pale, bold = model[:3], model[3]

    mean = np.mean([line.get_ydata() for line in pale], axis=0)
    np.testing.assert_allclose(bold.get_ydata(), mean, rtol=1e-12)
    rows = plot.table.query("curve == 'roc' and of == 'mean of classes' and model != 'majority'")
    np.testing.assert_array_equal(rows["y"].to_numpy()[-201:], bold.get_ydata())


def test_the_hardest_windows_are_drawn_with_truth_and_prediction(material):
    made = material()
    figure = FIGURES["hardest"](made).figure

    titles = [axes.get_title() for axes in figure.axes]
    for title, one in zip(titles, made.evidence.hardest, strict=True):
        assert title.startswith(f"{one.true} → {one.predicted} (")
    wheres = [axes.texts[0].get_text() for axes in figure.axes]
    assert all(where.startswith("t") and "wrong in" in where for where in wheres)


def test_a_model_that_is_never_wrong_has_no_hardest_windows(material):
    plot = FIGURES["hardest"](material(skill=lambda run: 1.0))

    assert "misclassifies no test window" in plot.figure.texts[0].get_text()
    assert plot.table.empty


def test_what_is_no_probability_is_not_drawn_as_one(material):
    made = material()
    silent = replace(made.evidence, calibration=None, hardest=[])
    made = replace(made, evidence=silent)

    for name in ("calibration", "hardest"):
        plot = FIGURES[name](made)
        assert "no probabilities" in plot.figure.texts[0].get_text()
        assert plot.table.empty
