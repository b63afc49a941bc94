"""The Pareto fronts of what accuracy costs."""

import pytest

from fixtures.results import material_of
from seqbench.config.registry import FIGURES

# Parameters and test score; nothing cheaper beats `rnn` and `gru`.
MODELS = {"rnn": (100, 0.7), "lstm": (200, 0.6), "gru": (300, 0.9), "cnn1d": (400, 0.9)}
FLOOR, BASELINE = 0.5, 0.65


@pytest.fixture
def material(write_results, config):
    def skill(run):
        if run.arm == "baseline":
            return FLOOR if run.architecture == "majority" else BASELINE
        return MODELS[run.architecture][1]

    def edit(run, content):
        n_parameters = MODELS.get(run.architecture, (50, 0))[0]
        content["cost"] = {"n_parameters": n_parameters, "train_cpu_s": 1.0 + n_parameters}

    raw = config(("majority", "minirocket"), architectures=list(MODELS), seeds=[0])
    return material_of(write_results(raw, skill=skill, edit=edit))


def test_the_front_holds_the_models_that_nothing_cheaper_matches(material):
    plot = FIGURES["cost"](material)

    of_size = plot.table[plot.table["cost"] == "n_parameters"]
    front = of_size[of_size["is_on_front"].astype(bool)].sort_values("value")
    assert front["architecture"].tolist() == ["minirocket", "rnn", "gru"]
    steps = plot.figure.axes[-1].lines[0]
    assert steps.get_xdata()[:3].tolist() == [50, 100, 300]
    assert steps.get_ydata()[:3].tolist() == [BASELINE, 0.7, 0.9]


def test_only_what_was_measured_has_a_panel(material):
    figure = FIGURES["cost"](material).figure

    labels = [axes.get_xlabel() for axes in figure.axes]
    assert labels == ["processor time of a training", "parameters"]  # no memory


def test_models_on_the_front_are_named_inside_the_panel(material):
    figure = FIGURES["cost"](material).figure
    figure.draw_without_rendering()

    for axes in figure.axes:
        frame = axes.get_window_extent()
        names = [text for text in axes.texts if not text.get_text().startswith("below")]
        assert {text.get_text() for text in names} == {"minirocket", "rnn", "gru"}
        for text in names:
            box = text.get_window_extent()
            assert frame.x0 - 5 < box.x0 < box.x1 < frame.x1 + 5  # pixels


def test_a_floor_far_below_is_noted_and_does_not_press_models_together(material):
    axes = FIGURES["cost"](material).figure.axes[0]

    assert axes.get_ylim()[0] > FLOOR
    assert "below: majority 0.500" in {text.get_text() for text in axes.texts}


def test_the_ceiling_competes_with_nobody(write_events, event_config):
    plan = write_events(event_config(), skill=lambda run: 0.97 if run.arm == "baseline" else 0.6)
    table = FIGURES["cost"](material_of(plan)).table

    assert "oracle" in set(table["architecture"])
    assert not table[table["architecture"] == "oracle"]["is_on_front"].any()


def test_models_that_all_score_1_have_an_axis_that_ends_there(write_results, config):
    plan = write_results(config(), skill=lambda run: 0.5 if run.arm == "baseline" else 1.0)
    axes = FIGURES["cost"](material_of(plan)).figure.axes[0]

    assert max(axes.get_yticks()) == pytest.approx(1)
    assert min(axes.get_yticks()) < 0.97
