"""Figures that would say nothing: the page has a sentence in their place."""

from dataclasses import replace

import pytest

from fixtures.results import material_of
from seqbench.config.registry import FIGURES
from seqbench.reporting.figures.rendering import draw
from seqbench.reporting.page.arrangement import arranged


@pytest.fixture
def material(write_results, config):
    """Return what writes a floor, a baseline and a network, and gathers the results."""

    def write(skill, **settings):
        skills = {"majority": 0.5, "minirocket": skill, "cnn1d": skill}
        plan = write_results(
            config(("majority", "minirocket"), seeds=[0]),
            skill=lambda run: skills[run.architecture],
            **settings,
        )
        return material_of(plan)

    return write


def test_curves_and_matrices_without_an_error_say_nothing(material):
    perfect = material(1.0)
    names = "cnn1d · scratch and minirocket · baseline"

    assert FIGURES["roc"](perfect).left_out == f"AUROC is 1.000 for {names}."
    assert FIGURES["confusion"](perfect).left_out == f"{names}: no error in any run."
    assert "misclassifies no test window" in FIGURES["hardest"](perfect).left_out


def test_curves_and_matrices_with_errors_are_shown(material):
    good = material(0.9)

    assert [FIGURES[name](good).left_out for name in ("roc", "confusion", "hardest")] == 3 * [""]


def test_a_matrix_of_few_windows_says_nothing(material):
    assert FIGURES["confusion"](material(0.8, n_test=6)).left_out == "Test holds 6 predictions."


def test_a_calibration_curve_needs_bins_that_are_filled(material):
    sentence = FIGURES["calibration"](material(0.8, n_test=6)).left_out

    assert sentence.startswith("Of 15 bins, ")
    assert sentence.endswith(" of the 6 test windows of a run.")


def test_learning_curves_need_a_second_epoch(material):
    whole = material(0.9)
    cut = {run: history.iloc[:1] for run, history in whole.histories.items()}

    assert FIGURES["learning_curves"](whole).left_out == ""
    left_out = FIGURES["learning_curves"](replace(whole, histories=cut)).left_out
    assert left_out == "Every training has a single epoch."


def test_files_are_written_of_what_the_page_leaves_out(material):
    drawing = draw("roc", material(1.0))

    assert drawing.element == ""
    assert b"<path" in drawing.svg
    assert drawing.csv.count("\n") > 100


def test_what_is_left_out_leads_no_dataset_and_no_summary_names_it(material):
    made = material(1.0)
    drawings = [draw(name, made) for name in ("leaderboard", "confusion", "roc")]

    found = arranged(drawings)

    assert found.lead is drawings[0]
    assert [topic.drawings for topic in found.topics] == [drawings[1:]]
    assert "confusion" not in found.topics[0].summary


def test_the_axis_of_scores_has_those_that_compete(material):
    plot = FIGURES["leaderboard"](material(0.9))
    [axes] = plot.figure.axes
    low, high = axes.get_xlim()

    assert 0.5 < low < 0.9 < high
    assert [text.get_text() for text in axes.texts] == ["← 0.500"]
    assert max(axes.get_xticks()) <= 1
