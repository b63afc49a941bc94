"""Scores beside published ones: what is comparable, the differences, the page and its figure."""

import re
from pathlib import Path

import pandas as pd
import pytest

from seqbench import layout
from seqbench.config.benchmark import Benchmark
from seqbench.config.registry import ARCHITECTURES, BASELINES
from seqbench.plan.plan import Model, Plan
from seqbench.reporting.evidence.material import gather
from seqbench.reporting.evidence.published import gather_published
from seqbench.reporting.figures.catalog import figure_names
from seqbench.reporting.figures.published import against_published
from seqbench.reporting.read.results import collect
from seqbench.reporting.scores.published import COUNTERPARTS, comparable, published_table
from seqbench.reporting.text.published import published_sentences

PROMISED = (layout.PUBLISHED, "against_published")
FCN = {"Beef": 0.68, "Coffee": 1.0, "Adiac": 0.8414}  # as published
AHEAD = {"Beef": 0.12, "Coffee": -0.02, "Adiac": 0.02}
PROBLEMS = {problem.lower(): problem for problem in FCN}


@pytest.fixture
def raw(config):
    """Return what makes a config of the problems, some entries of datasets changed."""

    def make(*, entries=None, **grid):
        made = config(("majority", "minirocket"), **({"datasets": [*PROBLEMS]} | grid))
        ours = {name: {"source": "ucr", "problem": problem} for name, problem in PROBLEMS.items()}
        return made | {"datasets": ours | (entries or {})}

    return make


def plan_of(raw):
    return Plan(Benchmark.load(raw))


def published_of(plan):
    return gather_published(plan, gather(plan, collect(plan, Path()), Path()))


def skill(run):
    if run.architecture != "cnn1d":
        return 0.5
    problem = PROBLEMS[run.dataset]
    return FCN[problem] + AHEAD[problem] + (run.seed - 1) / 100  # seeds 0, 1 and 2


def test_the_table_holds_the_archive_and_a_source_for_every_method():
    table = published_table()

    assert len(table.accuracies) == 128
    assert {method for row in table.accuracies.values() for method in row} == {*table.sources}
    assert {*COUNTERPARTS.values()} <= {*table.sources}
    assert all(0 < one <= 1 for row in table.accuracies.values() for one in row.values())
    assert {p: table.accuracies[p]["FCN"] for p in FCN} == FCN
    assert "MiniRocket" not in table.accuracies["AllGestureWiimoteX"]  # not published


def test_every_counterpart_is_registered(monkeypatch):
    monkeypatch.undo()  # of the made-up names

    assert {*COUNTERPARTS} <= {*ARCHITECTURES, *BASELINES}


def test_models_stand_beside_their_counterparts_under_any_name(raw):
    requested = raw(architectures=["cnn1d", "wide", "gru"])
    found = comparable(plan_of(requested | {"architectures": {"wide": {"of": "cnn1d"}}}))

    assert found.problems == PROBLEMS
    assert found.counterparts == {
        Model("cnn1d", "scratch"): "FCN",
        Model("wide", "scratch"): "FCN",
        Model("minirocket", "baseline"): "MiniRocket",
    }
    assert found.left_out == ()


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"split": {"folds": 3}}, "its `split` is not that of the archive"),
        ({"split": {"test": 0.3}}, "its `split` is not that of the archive"),
        ({"split": {"val": ["train00001"]}}, "its `split` is not that of the archive"),
        ({"window": {"max_samples": 20}}, "its `window` changes the series"),
        ({"rename": {"classes": {"1": "2"}}}, "its `rename` changes the classes"),
        ({"problem": "Mine"}, "no published accuracy of the problem Mine"),
    ],
)
def test_what_differs_from_the_archive_is_left_out_with_a_reason(entry, reason, raw):
    changed = {"beef": {"source": "ucr", "problem": "Beef"} | entry}

    found = comparable(plan_of(raw(entries=changed)))

    assert set(found.problems) == {"coffee", "adiac"}
    [sentence] = found.left_out
    assert sentence.startswith(f"beef: {reason}")


def test_another_draw_of_val_is_comparable(raw):
    changed = {"beef": {"source": "ucr", "problem": "Beef", "split": {"val": 0.1, "seed": 3}}}

    assert comparable(plan_of(raw(entries=changed))).problems == PROBLEMS


def test_runs_with_few_labels_or_pretrained_ones_are_not_compared(raw):
    found = comparable(plan_of(raw(labels=[0.5], arms=["scratch", "contrastive_finetune"])))
    both = comparable(plan_of(raw(labels=[0.5, 1.0], arms=["scratch", "contrastive_finetune"])))

    assert set(found.counterparts) == {Model("minirocket", "baseline")}
    assert set(both.counterparts) == {
        Model("cnn1d", "scratch"),
        Model("minirocket", "baseline"),
    }
    assert both.left_out[0] == "beef: runs with fewer labels are not compared."


def test_without_the_archive_there_is_nothing(config):
    plan = plan_of(config())

    assert comparable(plan) is None
    assert PROMISED not in figure_names(plan)


def test_the_mean_difference_is_paired_over_problems(write_results, raw):
    published = published_of(write_results(raw(), skill=skill))

    cnn, minirocket = published.pairs
    assert (cnn.method, minirocket.method) == ("FCN", "MiniRocket")
    assert dict(zip(cnn.scores["problem"], cnn.scores["published"], strict=True)) == FCN
    assert cnn.scores["n"].tolist() == [3, 3, 3]
    # Differences .12, -.02 and .02: mean .04, sd .0721, and 4.303 is Student's with 2 degrees.
    assert cnn.mean_difference == pytest.approx(0.04)
    assert cnn.interval == pytest.approx((0.04 - 0.1791, 0.04 + 0.1791), abs=2e-4)


def test_scores_of_few_labels_stand_aside(write_results, raw):
    def fewer(run):
        return 0.1 if float(run.labels) < 1 else skill(run)

    published = published_of(write_results(raw(labels=[0.5, 1.0]), skill=fewer))

    assert published.pairs[0].mean_difference == pytest.approx(0.04)


def test_the_figure_names_who_lies_far_off_and_its_table_has_a_problem_a_row(write_results, raw):
    published = published_of(write_results(raw(), skill=skill))

    plot = against_published(published)

    assert len(plot.figure.axes) == 2
    assert plot.figure.axes[0].get_title() == "cnn1d: +0.040"
    assert [text.get_text() for text in plot.figure.axes[0].texts] == ["Beef"]
    assert plot.table.columns.tolist() == [
        "model", "method", "dataset", "problem", "accuracy", "published", "n",
    ]  # fmt: skip
    assert len(plot.table) == 6
    assert "cnn1d · scratch less FCN: +0.040" in plot.shown


def test_a_figure_that_was_promised_says_why_it_is_empty(write_results, raw):
    def edit(run, content):
        content["scores"]["test"]["accuracy"]["value"] = None

    plan = write_results(raw(), skill=skill, edit=edit)
    published = published_of(plan)

    assert PROMISED in figure_names(plan)
    assert "No problem" in against_published(published).figure.texts[0].get_text()
    assert "No dataset" in published_sentences(published)[0]


def test_the_page_has_the_block_and_the_figure_lies_where_the_layout_says(
    write_results, raw, page_without_figures
):
    changed = {"beef": {"source": "ucr", "problem": "Beef", "split": {"folds": 3}}}
    write_results(raw(entries=changed, datasets=["coffee", "adiac"]), skill=skill)

    page = page_without_figures()

    [block] = re.findall(r'<section id="published">.*?</section>', page, re.S)
    assert 'href="#published"' in page
    assert block.count("<figure>") == 1
    assert "Dempster et al. (2021)" in block
    assert "hold out a part of train as val" in block
    assert Path(layout.FIGURE.format(dataset=layout.PUBLISHED, figure=PROMISED[1])).is_file()


def test_the_table_of_the_figure_is_csv(write_results, raw):
    published = published_of(write_results(raw(), skill=skill))

    table = pd.read_csv(pd.io.common.StringIO(against_published(published).csv))

    assert table["published"].tolist()[:3] == list(FCN.values())
