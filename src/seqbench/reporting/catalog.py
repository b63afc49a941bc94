"""Which figures the report draws, and the words it uses. Imports nothing that plots or computes.

The Snakefile asks `figure_names` for the outputs of the report, so this module
must stay cheap to import.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seqbench.registry import BASELINES, TASKS

if TYPE_CHECKING:
    from seqbench.plan import Plan


@dataclass(frozen=True)
class Caption:
    """Heading of a figure and the sentences under it."""

    title: str
    text: str


CAPTIONS = {
    "leaderboard": Caption(
        "Every model, every seed",
        "A dot is one seed on the test windows, the bar their mean; a thin line is the bootstrap"
        " interval of a single run. Dashed: the best baseline. Dotted: the floor.",
    ),
    "confusion": Caption(
        "What is taken for what",
        "Test windows of the model picked on val and of the best baseline, summed over seeds."
        " Numbers count windows; the shade is their part of the true class.",
    ),
    "learning_curves": Caption(
        "How training went",
        "Loss on val for each seed; pale: on train. A dot marks the epoch whose weights were kept.",
    ),
    "cost": Caption(
        "What accuracy costs",
        "Mean test score against the processor time of one training, without pretraining. The"
        " area of a mark grows with the number of parameters; grey marks are baselines.",
    ),
    "label_efficiency": Caption(
        "How many labels it takes",
        "Mean test score over seeds against the fraction of train windows whose labels were used;"
        " whiskers are one s.d. Dashed: the best baseline, which has all labels.",
    ),
    "pretraining": Caption(
        "How pretraining went",
        "Loss of the objective on held-out train recordings for each seed; pale: on the"
        " recordings it learns from. Neither val nor test is seen.",
    ),
    "examples": Caption(
        "What the data look like",
        "Windows of train as the models receive them, spread evenly over each class. All panels"
        " share one scale; channels are stacked.",
    ),
}

METRIC_LABELS = {
    "macro_f1": "macro F1",
    "mcc": "MCC",
    "auroc": "AUROC",
    "ece": "ECE",
}


def figure_names(plan: Plan) -> list[tuple[str, str]]:
    """Return the figures of a plan as pairs of dataset and figure, in the order of the page."""
    return [
        (dataset, figure)
        for dataset in plan.datasets
        for figure in TASKS.entry(plan.benchmark.task(dataset)).tags["figures"]
        if _applies(figure, plan, dataset)
    ]


def figures_of(plan: Plan, dataset: str) -> list[str]:
    """Return the names of the figures of one dataset."""
    return [figure for name, figure in figure_names(plan) if name == dataset]


def floor_of(task: str) -> str | None:
    """Return the baseline that knows nothing: what a model must beat to have learned anything."""
    floors = [name for name in BASELINES if task in BASELINES.entry(name).tags.get("floor_of", ())]
    return floors[0] if floors else None


def metric_label(name: str) -> str:
    """Return how a metric is called in a table or on an axis."""
    return METRIC_LABELS.get(name, name.replace("_", " "))


def _applies(figure: str, plan: Plan, dataset: str) -> bool:
    """Tell whether the plan holds what a figure needs."""
    trained = [run for run in plan.trained if run.dataset == dataset]
    if figure == "label_efficiency":
        return len({run.labels for run in trained}) > 1
    if figure == "pretraining":
        return any(plan.objective(run) for run in trained)
    return True
