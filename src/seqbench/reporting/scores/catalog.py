"""Which figures the report draws, and the words it uses. Imports nothing that plots or computes.

The Snakefile asks `figure_names` for the outputs of the report, so this module
must stay cheap to import.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seqbench import layout
from seqbench.config.registry import BASELINES, TASK_PROFILES, TASKS
from seqbench.tasks.metric_names import expand, family_of

if TYPE_CHECKING:
    from seqbench.plan.plan import Plan

LEADERBOARD_TOLERANCES_MS = (0.5, 1.0, 5.0, 10.0, 20.0, 150.0)


@dataclass(frozen=True)
class Caption:
    """Heading of a figure and the sentences under it."""

    title: str
    text: str


CAPTIONS = {
    "leaderboard": Caption(
        "Every model, every run",
        "A dot is one run on test, of one seed and fold, the bar their mean; a thin line is the"
        " 95 % interval of the mean. Dashed: the best baseline. Dotted: the floor. Dash-dotted: the"
        " ceiling, where the truth is known.",
    ),
    "confusion": Caption(
        "What is taken for what",
        "Test windows, or samples where each has a label of its own, of the model picked on val and"
        " of the best baseline, summed over runs: numbers count them, the shade is their part of"
        " the true class.",
    ),
    "roc": Caption(
        "What a threshold trades",
        "Each class against the rest on test, of the model picked on val (pale: one class; bold:"
        " their mean) and of the best baseline (grey), means over runs at equal levels. Two"
        " classes have one curve. Dotted: chance. AUROC and average precision (AP) are exact.",
    ),
    "calibration": Caption(
        "How far probabilities can be trusted",
        "Left: part of the test windows that are right against the probability of the class that"
        " is told, in 15 bins, of the model picked on val; pale: each run. On the diagonal a"
        " probability is what it says; ECE is the mean distance from it over windows. Right: how"
        " many windows have that probability, and how many of them are right.",
    ),
    "hardest": Caption(
        "What is hardest",
        "Of the test windows that a run of the model picked on val gets wrong, those with the"
        " highest loss, mean over its seeds, as models receive them: the true class, behind an"
        " arrow the one that is told, if it is another one, its mean probability, the recording,"
        " and in how many runs it was wrong.",
    ),
    "answers": Caption(
        "What was told, and what came",
        "Test windows, evenly spread, of the first value: the truth, the model picked on val and"
        " the best baseline. Pale: the signal that models see, or in forecasting what was known."
        " Forecasts one sample ahead stand as one line.",
    ),
    "agreement": Caption(
        "What was told against the truth",
        "Test samples, at most 1500 evenly spread, of the first value: what the model picked on"
        " val and the best baseline told, in the seed that val picks. Dotted: no error. What was"
        " told far outside stands at the edge.",
    ),
    "frames": Caption(
        "What was told, and what came",
        "Test windows, evenly spread: the last frames that were seen and those that came; under"
        " them what the model picked on val and the best baseline told. Frames are counted from"
        " the last one seen; dark is high.",
    ),
    "horizon": Caption(
        "How far ahead it holds",
        "Left: root mean square error on test of the model picked on val and of the best baseline,"
        " against how many samples behind the window they tell. Right: their skill, 1 less the"
        " squared error over that of persistence, which repeats the last value; dotted: no better"
        " than it.",
    ),
    "learning_curves": Caption(
        "How training went",
        "Loss on val for each run; pale: on train. A dot marks the epoch whose weights were kept.",
    ),
    "cost": Caption(
        "What accuracy costs",
        "Mean test score against the processor time of one training (without pretraining), the"
        " highest memory in training and the number of parameters. The line is the Pareto front:"
        " nothing cheaper scores as much as the models on it, which are named. Grey: baselines; the"
        " floor, which costs next to nothing, is dotted, or named where it lies below the axis. The"
        " ceiling competes with nobody.",
    ),
    "label_efficiency": Caption(
        "How many labels it takes",
        "Mean test score over runs against the fraction of train windows whose labels were used;"
        " whiskers are its 95 % interval. Dashed: the best baseline, which has all labels.",
    ),
    "pretraining": Caption(
        "How pretraining went",
        "Loss of the objective on held-out train recordings for each run; pale: on the"
        " recordings it learns from. Neither val nor test is seen.",
    ),
    "examples": Caption(
        "What the data look like",
        "Windows of train as the models receive them, spread evenly over each class. All panels"
        " share one scale; channels are stacked.",
    ),
    "pictures": Caption(
        "What the data look like",
        "First frames of windows of train, spread evenly over each class; dark is high.",
    ),
    "tolerance": Caption(
        "How exact the times are",
        "Mean F1 over runs on test against the tolerance: of each architecture the arm that val"
        " picks, and all baselines. Bold: the model picked on val, its band one s.d. Dash-dotted:"
        " the ceiling. Grey rule: the tolerance that ranks models.",
    ),
    "timing_errors": Caption(
        "How early or late events are found",
        "Detections of all runs that match an event of test, by type; later is to the right."
        " Every hill has its own height. The outermost bars hold all that lies further out. A"
        " dark tick marks the mean, the number beside it.",
    ),
    "timeline": Caption(
        "What is found in a recording",
        "Stretches of test spread evenly over it, with what the model and seed picked on val find"
        " there; the last one is chosen because it holds a miss or a false alarm, if there is any."
        " Marks have the colour of the type, shaded times are errors. Each channel has a scale of"
        " its own.",
    ),
    "templates": Caption(
        "What an event looks like to a model",
        "Learned templates of each type, channels stacked, around the onset (dotted); a dot is the"
        " delay learned for the channel. Grey: the true shape, where a generator knows it."
        " Templates of a matched filter are whitened, and the true shapes with them.",
    ),
    "critical_difference": Caption(
        "Which models differ",
        "Models at their average rank over datasets, the best on the left. A bar joins models of"
        " which no pair differs: Wilcoxon's signed-rank test at 0.05, corrected by Holm's procedure"
        " for all pairs.",
    ),
    "reliability": Caption(
        "How far scores can be trusted",
        "Left: part of the candidates that are true against their score, in 15 bins, of the model"
        " picked on val; pale: each run. On the diagonal a score is a probability. Right: how"
        " many candidates have that score, and how many of them are true.",
    ),
}

# Figures that draw samples of some kinds only; ids of tokens are no curve, frames are none either.
DRAWN = {
    "examples": ("series",),
    "pictures": ("video",),
    "answers": ("series", "tokens"),
    "frames": ("video",),
}

METRIC_LABELS = {
    "macro_f1": "macro F1",
    "mcc": "MCC",
    "r2": "R²",
    "rmse": "RMSE",
    "mae": "MAE",
    "auroc": "AUROC",
    "ece": "ECE",
    "ssim": "SSIM",
    "frame_squared_error": "SE per frame",
    "f1_at": "F1",
    "macro_f1_at": "macro F1",
    "precision_at": "precision",
    "recall_at": "recall",
    "average_precision_at": "average precision",
    "onset_bias_ms": "bias (ms)",
    "onset_mae_ms": "MAE (ms)",
    "onset_median_ms": "median error (ms)",
    "onset_p95_ms": "95 % error (ms)",
    "refractory_violations": "too close",
    "refractory_violations_before": "too close, thresholds alone",
    "false_alarms_per_hour": "false alarms per hour",
    "presence_ece": "ECE of candidates",
}


def figure_names(plan: Plan) -> list[tuple[str, str]]:
    """Return the figures of a plan as pairs of dataset and figure, in the order of the page."""
    return [
        (dataset, figure)
        for dataset in plan.wholes
        for figure in TASK_PROFILES[plan.benchmark.task(dataset)].figures
        if _applies(figure, plan, dataset)
    ]


def table_paths(plan: Plan) -> list[str]:
    """Return where the tables for papers are written, the one over all datasets first."""
    forms = layout.TABLE_FORMS
    return [
        *(layout.OVERALL_TABLE.format(form=form) for form in forms),
        *(layout.TABLE.format(dataset=name, form=form) for name in plan.wholes for form in forms),
    ]


def figures_of(plan: Plan, dataset: str) -> list[str]:
    """Return the names of the figures of one dataset."""
    return [figure for name, figure in figure_names(plan) if name == dataset]


def columns(task: str, headline: str) -> list[str]:
    """Return the metrics of a leaderboard, the headline first.

    All of the task; of those with a value at every tolerance the ones that tell
    models apart: at the tolerance that ranks, and the headline from tight to wide.
    """
    family, ranked_ms = family_of(headline)
    names = [name for known in TASKS[task]().metric_names() for name in expand(known)]
    at = {name: family_of(name) for name in names}
    tight_to_wide = {(family, tolerance_ms) for tolerance_ms in LEADERBOARD_TOLERANCES_MS}
    shown = [
        headline,
        *(name for name in names if at[name][1] == ranked_ms),
        *(name for name in names if at[name] in tight_to_wide),
        *(name for name in names if at[name][1] is None),
    ]
    return list(dict.fromkeys(shown))


def floor_of(task: str) -> str | None:
    """Return the baseline that knows nothing: what a model must beat to have learned anything."""
    return _tagged("floor_of", task)


def ceiling_of(task: str) -> str | None:
    """Return the baseline that knows the truth: what a model can at best come near."""
    return _tagged("ceiling_of", task)


def metric_label(name: str) -> str:
    """Return how a metric, or a family of metrics at all tolerances, is called."""
    if name in METRIC_LABELS:
        return METRIC_LABELS[name]
    family, tolerance_ms = family_of(name)
    if tolerance_ms is not None:
        return f"{metric_label(family)} at {tolerance_ms:g} ms"
    return name.replace("_", " ")


def _tagged(tag: str, task: str) -> str | None:
    found = [name for name in BASELINES if task in BASELINES.entry(name).tags.get(tag, ())]
    return found[0] if found else None


def _applies(figure: str, plan: Plan, dataset: str) -> bool:
    """Tell whether the plan holds what a figure needs."""
    own = plan.runs_on(dataset)
    trained = [run for run in own if not run.is_baseline]
    if figure == "label_efficiency":
        return len({run.labels for run in trained}) > 1
    if figure == "pretraining":
        return any(plan.objective(run) for run in trained)
    if figure == "horizon":
        return (plan.benchmark.all_datasets[dataset].window.horizon_samples or 1) > 1
    if figure in DRAWN:
        return plan.benchmark.sample(dataset) in DRAWN[figure]
    if figure == "templates":
        return any(run in plan.template_runs for run in own)
    return True
