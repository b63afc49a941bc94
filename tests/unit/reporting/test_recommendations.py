"""Which method the first screen recommends, and the margins beside it."""

from pathlib import Path

import pytest

from fixtures.pages import Page
from seqbench import layout
from seqbench.config.registry import FIGURES
from seqbench.plan.plan import Plan
from seqbench.reporting.evidence.margins import gather_margins
from seqbench.reporting.evidence.material import gather
from seqbench.reporting.read.results import collect
from seqbench.reporting.scores.leaderboards import leaderboard
from seqbench.reporting.scores.recommendations import recommendation
from seqbench.reporting.text.overview import lede
from seqbench.storage.metrics import read_metrics, write_metrics

RIVALS = ("majority", "minirocket")


def change_cost(path, **costs):
    """Write other costs into the metrics of a run."""
    metrics = read_metrics(path)
    cost = metrics.cost.model_copy(update=costs)
    write_metrics(path, metrics.model_copy(update={"cost": cost}))


@pytest.fixture
def recommend(write_results, config):
    """Return what makes the recommendation of waves from scores by name."""

    def make(scores, baselines=RIVALS):
        plan = write_results(config(baselines), skill=lambda run: scores[run.architecture])
        return recommendation(leaderboard(collect(plan, Path()), "waves", "1"))

    return make


@pytest.mark.parametrize(
    ("cnn1d", "minirocket", "names", "verdict"),
    [
        (0.9, 0.8, ("cnn1d", "minirocket"), "ahead"),
        (0.8, 0.8, ("cnn1d", "minirocket"), "tie"),  # val's choice stands
        (0.6, 0.9, ("minirocket", "cnn1d"), "ahead"),
    ],
)
def test_a_baseline_is_recommended_where_test_shows_it_ahead(
    cnn1d, minirocket, names, verdict, recommend
):
    found = recommend({"cnn1d": cnn1d, "minirocket": minirocket, "majority": 0.5})

    assert (found.taken.architecture, found.runner_up.architecture) == names
    assert found.verdict == verdict
    assert found.lead.mean == pytest.approx(abs(cnn1d - minirocket))


def test_nothing_is_recommended_where_nothing_beats_the_floor(recommend):
    found = recommend({"cnn1d": 0.3, "majority": 0.5}, ("majority",))

    assert (found.taken, found.runner_up, found.verdict) == (None, None, "")


def test_without_baselines_the_selected_model_has_no_runner_up(recommend):
    found = recommend({"cnn1d": 0.3}, ())

    assert found.taken.architecture == "cnn1d"
    assert (found.runner_up, found.lead) == (None, None)


def test_the_first_table_names_method_cost_and_command(
    write_results, rich_config, page_without_figures
):
    scores = {"cnn1d": 0.9, "gru": 0.8, "minirocket": 0.85, "majority": 0.5}

    def skill(run):
        is_hard = run.dataset == "gun_point" and not run.is_baseline
        return scores[run.architecture] - (0.3 if is_hard else 0)

    write_results(rich_config(arms=["scratch"]), skill=skill)
    header, waves, gun_point = Page(page_without_figures()).tables[
        "The recommended method of each dataset"
    ]

    first, second = (dict(zip(header, row, strict=True)) for row in (waves, gun_point))
    assert first["recommended, runner-up"] == "cnn1d scratch minirocket baseline"
    assert second["recommended, runner-up"] == "minirocket baseline cnn1d scratch"
    assert first["margin"].startswith("+0.050 [")
    assert first["margin"].endswith("ahead")
    assert first["prediction"] == "3 ms a window 0.25 ms a window"  # 0.12 s and 0.01 s, 40 windows
    assert first["use"] == "seqbench predict --model results/best/waves --recording FILE"
    assert "--model results/best/gun_point/baseline " in second["use"]


def test_the_training_of_a_pretrained_model_counts_its_pretraining(
    write_results, config, page_without_figures
):
    plan = write_results(config(arms=["contrastive_finetune"], seeds=[0]), skill=lambda run: 0.9)
    [path] = [Path(run.fill(layout.METRICS)) for run in plan.trained]
    change_cost(path, train_s=3.0, pretrain_s=20.0)
    [header, row] = Page(page_without_figures()).tables["The recommended method of each dataset"]

    assert row[header.index("training")].startswith("23.0 s ")


@pytest.mark.parametrize(
    ("seconds_per_second", "shown"), [(0.004, "250"), (0.3, "3.3"), (4.0, "0.25")]
)
def test_recordings_are_predicted_so_many_times_faster_than_they_last(
    seconds_per_second, shown, write_events, event_config, page_without_figures
):
    plan = write_events(event_config(seeds=[0]), skill=lambda run: 0.7)
    for run in plan.runs:
        change_cost(Path(run.fill(layout.METRICS)), predict_s_per_s=seconds_per_second)
    [header, row] = Page(page_without_figures()).tables["The recommended method of each dataset"]

    words = f"{shown} \N{MULTIPLICATION SIGN} real time"
    assert row[header.index("prediction")].startswith(words)


def test_without_a_score_the_floor_is_not_called_better(
    write_results, config, page_without_figures
):
    def without_score(run, content):
        content["scores"]["test"]["accuracy"] = {"value": None}

    write_results(config(("majority",)), skill=lambda run: 0.5, edit=without_score)
    [header, row] = Page(page_without_figures()).tables["The recommended method of each dataset"]

    assert row[header.index("recommended, runner-up")] == "no score on test"


@pytest.fixture
def margins(write_results, config):
    """Return what makes the margins of two datasets from what cnn1d scores on them."""

    def make(baselines=RIVALS, **scores):
        raw = config(baselines, datasets=list(scores))
        others = {"minirocket": 0.8, "majority": 0.5}
        plan: Plan = write_results(
            raw, skill=lambda run: others.get(run.architecture, scores[run.dataset])
        )
        return gather_margins(gather(plan, collect(plan, Path()), Path()))

    return make


@pytest.mark.parametrize(
    ("scores", "sentence"),
    [
        ({"waves": 0.9}, "The model selected on val beats the best baseline beyond chance."),
        ({"waves": 0.7}, "The model selected on val is behind the best baseline beyond chance."),
        ({"waves": 0.8}, "The model selected on val does not beat the best baseline."),
        (
            {"waves": 0.9, "gun_point": 0.7},
            "The model selected on val beats the best baseline on 1 of 2 datasets, beyond chance"
            " on 1. It is behind beyond chance on 1.",
        ),
    ],
)
def test_the_first_sentence_says_what_chance_can_explain(scores, sentence, margins):
    assert lede(margins(**scores)) == sentence


def test_the_forest_plot_draws_the_margins_of_the_tables(margins):
    found = margins(waves=0.9, gun_point=0.7)
    plot = FIGURES["margins"](found)

    table = plot.table.set_index("dataset")
    assert table["margin"].to_dict() == pytest.approx({"waves": 0.1, "gun_point": -0.1})
    assert table["baseline"].tolist() == ["minirocket", "minirocket"]
    assert table[["low", "high"]].loc["waves"].tolist() == pytest.approx(
        found.rows[0].lead.interval
    )
    assert table["counts"].all()
    (axes,) = plot.figure.axes
    drawn = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "o"]
    assert drawn == pytest.approx([-0.1, 0.1])  # from below
    assert "waves, accuracy: cnn1d · scratch less minirocket +0.100" in plot.shown


def test_margins_over_the_floor_alone_are_hollow_and_extremes_are_arrows(margins):
    plot = FIGURES["margins"](margins(("majority",), waves=0.9, gun_point=-4.0))
    (axes,) = plot.figure.axes

    marks = [line for line in axes.lines if line.get_marker() in "o<>"]
    assert [line.get_marker() for line in marks] == ["<", "o"]
    assert all(line.get_markerfacecolor() == "white" for line in marks)
    assert not plot.table["counts"].any()
    assert axes.get_xlim()[0] > -1.5
