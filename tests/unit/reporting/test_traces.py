"""Every number of the page's tables is worked out again from the summary that lies beside it."""

from itertools import product
from pathlib import Path

import pandas as pd
import pytest

from fixtures.pages import Page
from seqbench import layout
from seqbench.reporting.scores.metrics import metric_label
from seqbench.steps import report
from seqbench.storage.predictions import read_predictions

MODEL = ["dataset", "architecture", "arm", "labels"]
# Columns of the tables of models whose heading is not the name of a metric.
COLUMNS = {
    "on val": ("val", "accuracy"),
    "parameters": ("cost", "n_parameters"),
    "MACs a window": ("cost", "macs_per_window"),
    "training": ("cost", "train_s"),
    "processor time": ("cost", "train_cpu_s"),
    "GPU time": ("cost", "train_gpu_s"),
    "energy, estimated": ("cost", "energy_wh"),
    "pretraining": ("cost", "pretrain_s"),
    "prediction": ("cost", "predict_s"),
    "peak memory": ("cost", "peak_memory_bytes"),
    "epochs": ("cost", "epochs"),
    "kept": ("cost", "best_epoch"),
    "score": ("test", "accuracy"),
    "score on test": ("test", "accuracy"),
}


@pytest.fixture
def made(write_results, rich_config, without_figures):
    """Return the plan, the values of the page's tables, and the summary."""
    raw = rich_config(seeds=[0, 1, 2])
    plan = write_results(raw, skill=lambda run: (len(run.fill(layout.RUN)) % 30 + run.seed) / 40)
    report.main(["--root", ".", "--summary", layout.SUMMARY, "--page", layout.REPORT])
    page = Page(Path(layout.REPORT).read_text(encoding="utf-8")).values
    return plan, page, pd.read_csv(layout.SUMMARY)


def mean_of(summary, model, split, metric):
    """Return the mean over runs of a model, None where the summary has no such value."""
    named = dict(zip(MODEL, model, strict=True), split=split, metric=metric)
    rows = summary[(summary[list(named)] == pd.Series(named)).all(axis=1)]
    return None if rows.empty else rows["value"].mean()


def test_every_number_of_the_tables_of_models_follows_from_the_summary(made):
    plan, page, summary = made
    models = {run.fill(layout.RUN): tuple(vars(run)[name] for name in MODEL) for run in plan.runs}
    scored = summary[summary["split"] == "test"]["metric"].unique()
    metrics = {metric_label(name): ("test", name) for name in scored}
    n_checked = 0

    for section, run, heading, value in page:
        column = (COLUMNS | metrics).get(heading.removesuffix(" ↓"))
        if column is None:
            assert heading in ("labels", "margin", "± over runs")
            continue
        expected = mean_of(summary, (*models[run][:3], float(models[run][3])), *column)
        assert value == pytest.approx(expected), (section, run, heading)
        n_checked += 1

    assert n_checked > 2 * 10 * len(metrics)


def test_spreads_and_margins_of_leaderboards_follow_from_the_summary(made):
    plan, page, summary = made
    models = {run.fill(layout.RUN): tuple(vars(run)[name] for name in MODEL) for run in plan.runs}
    test = summary[(summary["split"] == "test") & (summary["metric"] == "accuracy")]
    scores = test.groupby(MODEL)["value"]
    best = scores.mean().xs("baseline", level="arm").groupby("dataset").max()
    shown = {heading: {} for heading in ("margin", "± over runs")}
    for section, run, heading, value in page:
        if section == "datasets" and heading in shown:
            shown[heading][(*models[run][:3], float(models[run][3]))] = value

    spreads, margins = shown["± over runs"], shown["margin"]
    alone = {model: None for model, n in scores.size().items() if n == 1}
    assert spreads == pytest.approx(scores.std()[scores.size() > 1].to_dict() | alone)
    assert len(margins) == len(scores) > 15
    for model, value in margins.items():
        margin = scores.mean()[model] - best[model[0]]
        is_best = model[2] == "baseline" and margin == 0
        assert value == (None if is_best else pytest.approx(margin)), model


def test_the_result_follows_from_the_summary(made):
    _, page, summary = made
    result = {}
    for section, run, heading, value in page:
        if section == "result":
            result.setdefault(run.split("/")[0], {})[heading] = value
    with_all = summary[(summary["metric"] == "accuracy") & (summary["labels"] == 1)]
    means = with_all.groupby(["dataset", "split", "architecture", "arm"])["value"].mean()

    assert set(result) == {"waves", "gun_point"}
    for dataset, shown in result.items():
        selected = means[dataset, "test"][means[dataset, "val"].idxmax()]
        best_baseline = means[dataset, "test"].xs("baseline", level="arm").max()
        pair = [selected, best_baseline]
        if shown["score on test"] == pytest.approx(best_baseline):
            pair.reverse()
        assert shown["score on test"] == pytest.approx(pair[0])
        assert shown["margin"] == pytest.approx(pair[0] - pair[1])


@pytest.fixture
def drawn(write_results, rich_config):
    """Return a plan, what gives the table behind a figure of waves, and the summary."""
    raw = rich_config(datasets=["waves"])
    plan = write_results(raw, skill=lambda run: (len(run.fill(layout.RUN)) % 30 + run.seed) / 40)
    report.main(["--root", ".", "--summary", layout.SUMMARY, "--page", layout.REPORT])
    return (
        plan,
        lambda figure: pd.read_csv(layout.FIGURE_TABLE.format(dataset="waves", figure=figure)),
        pd.read_csv(layout.SUMMARY),
    )


def test_figures_of_scores_and_costs_draw_what_the_summary_holds(drawn):
    _, table, summary = drawn
    leaderboard, cost, labels = map(table, ("leaderboard", "cost", "label_efficiency"))
    test = summary[(summary["split"] == "test") & (summary["metric"] == "accuracy")]
    with_all = test[test["labels"] == 1]
    by_run, by_model = ["architecture", "arm", "seed"], ["architecture", "arm"]
    runs = leaderboard[leaderboard["shows"] == "run"].astype({"seed": int})

    assert (
        runs.set_index(by_run)["value"].to_dict() == with_all.set_index(by_run)["value"].to_dict()
    )
    means = leaderboard[leaderboard["shows"] == "mean"].set_index(by_model)["value"].to_dict()
    assert means == pytest.approx(with_all.groupby(by_model)["value"].mean().to_dict())
    for key, of_cost in cost.groupby("cost"):
        spent = summary[(summary["metric"] == key) & (summary["labels"] == 1)]
        expected = spent.groupby(by_model)["value"].mean().to_dict()
        found = of_cost.set_index(by_model)["value"].to_dict()
        assert found == pytest.approx({model: expected[model] for model in found})
    few = test[(test["labels"] == 0.2) & (test["architecture"] == "gru")]
    shown = labels[(labels["labels_percent"] == 20) & (labels["architecture"] == "gru")]
    assert shown.set_index("arm")["mean"].to_dict() == pytest.approx(
        few.groupby("arm")["value"].mean().to_dict()
    )


def test_learning_curves_draw_what_trainings_wrote(drawn):
    plan, table, _ = drawn
    curves, pretraining = table("learning_curves"), table("pretraining")
    run = next(run for run in plan.trained if run.arm != "scratch" and run.labels == "1")
    own = curves[
        (curves["architecture"] == run.architecture)
        & (curves["arm"] == run.arm)
        & (curves["seed"] == run.seed)
    ]
    history = pd.read_csv(run.fill(layout.HISTORY))
    path = plan.pretraining(run).fill(layout.PRETRAIN_HISTORY)
    of_objective = pretraining[
        (pretraining["architecture"] == run.architecture) & (pretraining["seed"] == run.seed)
    ]

    assert own["val_loss"].tolist() == history["val_loss"].tolist()
    assert own["train_loss"].tolist() == history["train_loss"].tolist()
    assert own.loc[own["is_kept"], "epoch"].tolist() == [history["val_loss"].idxmin() + 1]
    assert of_objective["held_out_loss"].tolist() == pd.read_csv(path)["monitor_loss"].tolist()


def test_the_confusion_matrix_counts_the_stored_predictions(drawn):
    plan, table, _ = drawn
    confusion = table("confusion")
    assert confusion["model"].nunique() == 2
    for name, cells in confusion.groupby("model"):
        architecture, arm = name.split(" · ")
        runs = [
            run
            for run in plan.runs
            if (run.architecture, run.arm, run.labels) == (architecture, arm, "1")
        ]
        counted = dict.fromkeys(product("ab", repeat=2), 0)
        for run in runs:
            stored = read_predictions(Path(run.fill(layout.PREDICTIONS)), "test")
            for true, predicted in zip(stored.target, stored.scores.argmax(axis=1), strict=True):
                counted[stored.classes[true], stored.classes[predicted]] += 1
        assert cells.set_index(["true", "predicted"])["windows"].to_dict() == counted
