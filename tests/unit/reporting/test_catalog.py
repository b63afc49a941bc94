"""Which figures a plan has, and that asking costs nothing."""

import subprocess
import sys

from seqbench.config import Benchmark
from seqbench.plan import Plan
from seqbench.registry import TASKS
from seqbench.reporting import catalog


def names(raw):
    return [figure for _, figure in catalog.figure_names(Plan(Benchmark.load(raw)))]


def test_asking_for_figures_loads_nothing_heavy():
    heavy = "{'matplotlib', 'pandas', 'numpy', 'torch', 'sklearn', 'jinja2'}"
    code = f"import sys, seqbench.reporting.catalog; print({heavy} & set(sys.modules))"

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "set()"


def test_the_whole_report_needs_neither_torch_nor_scikit_learn():
    code = "import sys, seqbench.steps.report; print({'torch', 'sklearn'} & set(sys.modules))"

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "set()"


def test_every_figure_has_a_caption_and_a_function():
    from seqbench.reporting.figures import FIGURES

    wanted = {name for task in TASKS for name in TASKS.entry(task).tags["figures"]}
    assert wanted == set(catalog.CAPTIONS) == set(FIGURES)


def test_figures_come_by_dataset(config):
    plan = Plan(Benchmark.load(config(datasets=["waves", "gun_point"])))

    found = catalog.figure_names(plan)

    assert found[0] == ("waves", "leaderboard")
    assert {dataset for dataset, _ in found} == {"waves", "gun_point"}
    assert catalog.figures_of(plan, "waves") == catalog.figures_of(plan, "gun_point")


def test_pretraining_is_drawn_only_if_there_is_some(config):
    assert "pretraining" not in names(config(arms=["scratch", "random_frozen"]))
    assert "pretraining" in names(config(arms=["contrastive_probe"]))


def test_label_efficiency_is_drawn_only_with_several_fractions(config):
    assert "label_efficiency" not in names(config(labels=[0.5]))
    assert "label_efficiency" in names(config(labels=[0.5, 1.0]))
