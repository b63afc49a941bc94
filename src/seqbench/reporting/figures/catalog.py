"""Which figures a report has, read from source text: nothing that plots or computes is imported.

A figure is a function under `FIGURES.register` that returns a `Plot`. Its
docstring is the caption. The tags are

title
    Heading of the figure.
order
    Place on the page.
tasks
    Tasks whose datasets have the figure; without it, all have.
samples
    Kinds of samples that it can draw; without it, all.
needs
    Name in `NEEDS` of what the plan must hold.
across
    True: a figure of several datasets, drawn of `Across` instead of `Material`.
margins
    True: a figure of the margins of all datasets, drawn of `Margins`.
published
    True: a figure of scores beside published ones, drawn of `Published`.
block
    Where it stands on the page: `data`, the card of the dataset, as it shows no model; `search`,
    the block of the search of options; one of `TOPICS`, which are folded below the leaderboard;
    without it, the last of these.
leads
    True: the figure that matters for its tasks. The first of a dataset stands open.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

from seqbench import layout
from seqbench.config.registry import DATASETS, FIGURES
from seqbench.reporting.scores.blocks import blocks
from seqbench.reporting.scores.metrics import ceiling_of
from seqbench.reporting.scores.published import comparable
from seqbench.statistics.attainable import LEAST_TRIALS

if TYPE_CHECKING:
    from seqbench.plan.plan import Plan, Run

KINDS = ("across", "margins", "published")  # of figures of several datasets
# What figures below a leaderboard show, in the order of the page.
TOPICS: Mapping[str, str] = {
    "scores": "Scores and errors",
    "windows": "Predictions one by one",
    "cost": "Training and cost",
    "more": "More figures",
}


def _trained(plan: Plan, dataset: str) -> list[Run]:
    return [run for run in plan.runs_on(dataset) if not run.is_baseline]


def _are_causal_models_compared(plan: Plan, dataset: str) -> bool:
    """Return whether several architectures are trained, some of which read a signal as it comes."""
    names = {run.architecture for run in _trained(plan, dataset)}
    return len(names) > 1 and any(map(plan.benchmark.is_causal, names))


def _are_shapes_known(plan: Plan, dataset: str) -> bool:
    """Return whether a generator knows the shapes of events, or a baseline learns them."""
    source = plan.benchmark.all_datasets[dataset].source
    fitted = (run for run in plan.runs_on(dataset) if run.is_baseline)
    return "truth" in DATASETS.entry(source).tags.get("offers", ()) or any(
        run in plan.template_runs for run in fitted
    )


def _numbers_of_trials(plan: Plan, dataset: str) -> list[int]:
    return [
        len(plan.trials(name))
        for place, name in plan.tuned
        if plan.benchmark.base_dataset(place) == dataset
    ]


NEEDS: Mapping[str, Callable[[Plan, str], bool]] = {
    "label_fractions": lambda plan, name: len({run.labels for run in _trained(plan, name)}) > 1,
    "pretraining": lambda plan, name: any(map(plan.pretraining, _trained(plan, name))),
    "horizon": lambda plan, name: (
        (plan.benchmark.all_datasets[name].window.horizon_samples or 1) > 1
    ),
    "event_shapes": lambda plan, name: _are_shapes_known(plan, name),
    "latencies": lambda plan, name: _are_causal_models_compared(plan, name),
    "searches": lambda plan, name: any(_numbers_of_trials(plan, name)),
    "search_effects": lambda plan, name: (
        max(_numbers_of_trials(plan, name), default=0) >= LEAST_TRIALS
    ),
    "templates": lambda plan, name: any(run in plan.template_runs for run in plan.runs_on(name)),
}


def figures_of(plan: Plan, dataset: str) -> list[str]:
    """Return the names of the figures of one dataset, in the order of the page."""
    return [name for name in _ordered() if _applies(name, plan, dataset)]


def figure_names(plan: Plan) -> list[tuple[str, str]]:
    """Return all figures as pairs of place and name; a place is a dataset or several of a task."""
    has_margins = sum(_has_margin(plan, dataset) for dataset in plan.base_datasets) > 1
    found = [(layout.MARGINS, name) for name in _ordered("margins") if has_margins]
    found += [
        (dataset, name) for dataset in plan.base_datasets for name in figures_of(plan, dataset)
    ]
    across = [block.place for block in blocks(plan) if block.can_tell]
    found += [(place, name) for place in across for name in figures_across()]
    if (published := comparable(plan)) is not None and published.counterparts:
        found += [(layout.PUBLISHED, name) for name in _ordered("published")]
    return found


def figures_across() -> list[str]:
    """Return the names of the figures of models across datasets, in the order of the page."""
    return _ordered("across")


def table_paths(plan: Plan) -> list[str]:
    """Return where tables are written: for papers, that over all datasets first, and others."""
    own = [layout.TABLE.format(dataset=name, form="{form}") for name in plan.base_datasets]
    patterns = [layout.OVERALL_TABLE, *own]
    found = [pattern.format(form=form) for pattern in patterns for form in layout.TABLE_FORMS]
    trials = [layout.TRIALS_TABLE] if plan.tuned else []
    return [*found, *trials, *([layout.CROSS_TABLE] if plan.crossings else [])]


def title(name: str) -> str:
    """Return the heading of a figure."""
    return str(FIGURES.entry(name).tags["title"])


def caption(name: str) -> str:
    """Return the sentences under a figure."""
    return " ".join(FIGURES.entry(name).docstring.split())


def block(name: str) -> str:
    """Return where a figure stands on the page."""
    return str(FIGURES.entry(name).tags.get("block", "more"))


def _has_margin(plan: Plan, dataset: str) -> bool:
    """Return whether a dataset has a trained model and a baseline other than the ceiling."""
    ceiling = ceiling_of(plan.benchmark.task(dataset))
    runs = plan.runs_on(dataset)
    baselines = {run.architecture for run in runs if run.is_baseline} - {ceiling}
    return bool(baselines) and any(not run.is_baseline for run in runs)


def _ordered(several: Literal["across", "margins", "published"] | None = None) -> list[str]:
    """Return the figures of one dataset, or those of several of a kind."""
    tags = {name: FIGURES.entry(name).tags for name in FIGURES}
    own = [
        name
        for name, of in tags.items()
        if next((kind for kind in KINDS if of.get(kind)), None) == several
    ]
    return sorted(own, key=lambda name: (tags[name]["order"], name))


def _applies(name: str, plan: Plan, dataset: str) -> bool:
    tags, benchmark = FIGURES.entry(name).tags, plan.benchmark
    return (
        benchmark.task(dataset) in tags.get("tasks", (benchmark.task(dataset),))
        and benchmark.sample(dataset) in tags.get("samples", (benchmark.sample(dataset),))
        and ("needs" not in tags or NEEDS[tags["needs"]](plan, dataset))
    )
