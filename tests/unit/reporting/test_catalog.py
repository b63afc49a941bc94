"""Which figures a plan has, and that finding out costs nothing."""

import subprocess
import sys

import pytest

from seqbench import layout
from seqbench.config.benchmark import Benchmark
from seqbench.config.registry import FIGURES, TASKS
from seqbench.plan.plan import Plan
from seqbench.reporting.figures import catalog


def names(raw):
    return [figure for _, figure in catalog.figure_names(Plan(Benchmark.load(raw)))]


@pytest.mark.parametrize(
    ("modules", "heavy"),
    [
        (
            "seqbench.reporting.scores.blocks",  # which figures a plan has
            {"matplotlib", "pandas", "numpy", "torch", "sklearn", "jinja2"},
        ),
        (
            "seqbench.steps.report, seqbench.reporting.page.report,"
            " seqbench.reporting.figures.rendering",
            {"torch", "sklearn"},
        ),
    ],
)
def test_no_package_is_loaded_that_is_not_needed(modules, heavy):
    code = f"import sys, {modules}; print({heavy} & set(sys.modules))"

    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "set()"


def test_every_figure_has_a_title_a_place_and_a_caption_and_names_what_exists():
    for name in FIGURES:
        tags = FIGURES.entry(name).tags
        assert tags["title"], name
        assert catalog.caption(name).endswith("."), name
        assert tags["order"] > 0
        assert set(tags.get("tasks", ())) <= set(TASKS)
        assert tags.get("needs", "pretraining") in catalog.NEEDS


def test_a_figure_of_a_task_is_drawn_of_no_other(config, event_config):
    assert {"confusion", "roc", "calibration"} <= set(names(config()))
    assert {"tolerance", "timeline", "calibration"} <= set(names(event_config()))
    assert not {"tolerance", "timeline"} & set(names(config()))


def test_figures_come_by_dataset(config):
    plan = Plan(Benchmark.load(config(datasets=["waves", "gun_point"])))

    found = catalog.figure_names(plan)

    assert found[:2] == [(layout.MARGINS, "margins"), ("waves", "leaderboard")]
    places = {"waves", "gun_point", layout.MARGINS, layout.PUBLISHED}
    assert {place for place, _ in found} == places
    assert catalog.figures_of(plan, "waves") == catalog.figures_of(plan, "gun_point")


def test_margins_are_drawn_of_two_datasets_or_more_that_have_one(config, event_config):
    assert "margins" in names(config(datasets=["waves", "gun_point"]))
    assert "margins" not in names(config())
    assert "margins" not in names(config((), datasets=["waves", "gun_point"]))
    both = config(("majority", "oracle"), datasets=["waves", "strikes"])  # the ceiling is no rival
    assert "margins" not in names(both | {"datasets": event_config()["datasets"]})


@pytest.mark.parametrize(
    ("figure", "has_it", "has_it_not"),
    [
        ("pretraining", {"arms": ["contrastive_probe"]}, {"arms": ["scratch", "random_frozen"]}),
        ("label_efficiency", {"labels": [0.5, 1.0]}, {"labels": [0.5]}),
        ("examples", {"architectures": ["gru"]}, {"datasets": ["names"], "architectures": ["gru"]}),
    ],
)
def test_a_figure_is_drawn_only_where_it_applies(figure, has_it, has_it_not, config):
    assert figure in names(config(**has_it))
    assert figure not in names(config(**has_it_not))


@pytest.mark.parametrize(
    ("baselines", "architectures", "runs"),
    [
        (("metronome",), ["cnn1d"], set()),
        (("metronome", "oracle"), ["event_specific", "cnn1d"], {("event_specific", 0)}),
        (("matched_filter",), ["cnn1d"], {("matched_filter", 0)}),
    ],
)
def test_templates_are_drawn_of_the_models_that_hold_some(
    baselines, architectures, runs, event_config
):
    raw = event_config(baselines, architectures=architectures, seeds=[0])
    plan = Plan(Benchmark.load(raw))

    found = {(run.architecture, run.seed) for run in plan.template_runs}

    assert found == runs
    assert ("templates" in catalog.figures_of(plan, "strikes")) == bool(runs)


def test_no_model_is_read_for_templates_where_no_figure_shows_them(config):
    plan = Plan(Benchmark.load(config(architectures=["event_specific"])))

    assert plan.template_runs == []
