"""Accuracies that others published on problems of the UCR archive, and what they compare with."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from seqbench.config.datasets import DatasetEntry
from seqbench.config.stages import SplitSettings, WindowSettings
from seqbench.plan.plan import Model, Plan

TABLE = Path(__file__).with_name("published_ucr.csv")
COUNTERPARTS: Mapping[str, str] = {  # by architecture or baseline, a column of the table
    "cnn1d": "FCN",
    "resnet": "ResNet",
    "inception_time": "InceptionTime",
    "minirocket": "MiniRocket",
    "multirocket_hydra": "MultiRocket-Hydra on 30 resamples",
}


@dataclass(frozen=True)
class PublishedTable:
    """What a file of published accuracies holds.

    Parameters
    ----------
    accuracies
        By problem and method; what was not published is missing.
    sources
        By method: how often it was run, and by whom.
    """

    accuracies: Mapping[str, Mapping[str, float]]
    sources: Mapping[str, str]


@dataclass(frozen=True)
class Comparable:
    """What of a plan can stand beside published accuracies.

    Parameters
    ----------
    problems
        Problems of the archive by dataset.
    counterparts
        Published methods by model.
    left_out
        Sentences on datasets of the archive that are not comparable.
    """

    problems: Mapping[str, str]
    counterparts: Mapping[Model, str]
    left_out: tuple[str, ...]


@cache
def published_table() -> PublishedTable:
    """Return the accuracies that come with the package."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    heads = (line.removeprefix("# ") for line in lines if line.startswith("# "))
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    return PublishedTable(
        accuracies={
            row.pop("problem"): {method: float(cell) for method, cell in row.items() if cell}
            for row in rows
        },
        sources=dict(head.split(": ", 1) for head in list(heads)[1:]),
    )


def comparable(plan: Plan) -> Comparable | None:
    """Return what of a plan compares with published accuracies; None without the archive.

    They hold for the archive's own train and test, whole series, all labels.
    """
    entries = plan.benchmark.all_datasets
    ours = {name: entries[name] for name in plan.base_datasets if entries[name].source == "ucr"}
    if not ours:
        return None
    reasons = {name: _why_not(entry) for name, entry in ours.items()}
    problems = {
        name: str(entry.source_options["problem"])
        for name, entry in ours.items()
        if reasons[name] is None
    }
    models: dict[Model, str] = {}
    for name in problems:
        for run in plan.runs_on(name):
            method = COUNTERPARTS.get(_kind(plan, run.model))
            if method is None or run.arm not in ("scratch", "baseline"):
                continue
            if float(run.labels) == 1:
                models[run.model] = method
            else:
                reasons[name] = "runs with fewer labels are not compared"
    sentences = [f"{name}: {reason}." for name, reason in reasons.items() if reason]
    return Comparable(problems, models, tuple(sentences))


def _kind(plan: Plan, model: Model) -> str:
    """Return the registered name behind a model."""
    if model.is_baseline:
        return model.architecture
    return str(plan.benchmark.all_architectures[model.architecture].of)


def _why_not(entry: DatasetEntry) -> str | None:
    """Return why published scores do not hold for a dataset of the archive; None: they do."""
    if entry.source_options["problem"] not in published_table().accuracies:
        return f"no published accuracy of the problem {entry.source_options['problem']} is known"
    split = entry.split
    official: dict[str, Any] = {"val": split.val, "seed": split.seed}  # val is drawn from train
    if isinstance(split.val, list) or split != SplitSettings(**official):
        return "its `split` is not that of the archive, for which accuracies were published"
    if entry.window != WindowSettings():
        return "its `window` changes the series of which accuracies were published"
    if entry.rename.classes:  # several may have become one
        return "its `rename` changes the classes of which accuracies were published"
    return None
