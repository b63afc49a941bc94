"""Results as they were stored, without the plan: a `summary.csv`, and what lies beside it."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

from seqbench import layout
from seqbench.config.registry import TASKS
from seqbench.config.yaml_files import read_yaml
from seqbench.errors import FormatError, UserError
from seqbench.reporting.read.ensembles import ENSEMBLE
from seqbench.reporting.read.results import COLUMNS
from seqbench.storage.metrics import Metrics, read_metrics
from seqbench.tasks.metric_names import expand

RESULTS = Path(layout.SUMMARY).parent
A_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")  # of a config; a table may hold others, files do not


class Fitted(NamedTuple):
    """A model, and the dataset and part of the labels it was fitted to; a run has a seed too."""

    dataset: str
    architecture: str
    arm: str
    labels: float

    @property
    def is_ensemble(self) -> bool:
        """Whether this is the mean over the seeds of a model, which has one seed by nature."""
        return self.arm.endswith(ENSEMBLE)


StoredRun = tuple[Fitted, int]
Scores = dict[tuple[str, str], float]


@dataclass(frozen=True)
class Stored:
    """What a benchmark left behind.

    Parameters
    ----------
    path
        Where it was read, as the user wrote it.
    values
        By run, its values by split and metric.
    metrics
        By run, its `metrics.json`; none for a summary alone.
    config
        What `config.yaml` holds; None where there is none.
    """

    path: Path
    values: dict[StoredRun, Scores]
    metrics: dict[StoredRun, Metrics]
    config: dict[str, Any] | None

    @property
    def runs(self) -> list[StoredRun]:
        """What was trained or fitted: all but the means over the seeds of a model."""
        return [run for run in self.values if not run[0].is_ensemble]

    @cached_property
    def headlines(self) -> dict[str, str]:
        """The metric that ranks models by dataset: that of runs, else the usual one."""
        known = {model.dataset: m.headline for (model, _), m in self.metrics.items()}
        names: dict[str, set[str]] = {}
        for (model, _), scores in self.values.items():
            of_test = {metric for split, metric in scores if split == "test"}
            names.setdefault(model.dataset, set()).update(of_test)
        guessed = {name: _likely_headline(of_test) for name, of_test in names.items()}
        return {name: h for name, h in guessed.items() if h is not None} | known


def read_stored(path: Path) -> Stored:
    """Read a folder of results, or a summary alone.

    Parameters
    ----------
    path
        The folder `results`, the one that holds it, or a `summary.csv`, beside
        which nothing else is looked at.

    Raises
    ------
    UserError
        If there is no summary, or a file is not what it should be.
    """
    if not path.is_dir():
        return Stored(path, _read_summary(path), {}, None)
    name = Path(layout.SUMMARY).name
    folder = next((f for f in (path, path / RESULTS) if (f / name).is_file()), None)
    if folder is None:
        raise UserError(f"{path}: holds no {name}; name a folder of results, or the file itself")
    values = _read_summary(folder / name)
    config = _config(folder / Path(layout.CONFIG).name)
    return Stored(path, values, dict(_metrics(values, folder)), config)


def _config(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    config = read_yaml(path)
    if not isinstance(config, dict):
        raise UserError(f"{path}: not a configuration; take it away, or name summary.csv alone")
    return config


def _read_summary(path: Path) -> dict[StoredRun, Scores]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return _runs(path, csv.reader(file))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UserError(
            f"{path}: cannot be read ({reason}); name a results folder or its summary.csv"
        ) from None
    except csv.Error as error:
        raise UserError(f"{path}: not a valid CSV file ({error}); make the report anew") from None


def _runs(path: Path, rows: Iterable[list[str]]) -> dict[StoredRun, Scores]:
    found: dict[StoredRun, Scores] = {}
    lines = enumerate(rows, start=1)
    if next(lines, (0, []))[1] != list(COLUMNS):
        raise UserError(f"{path}: the first line is not '{','.join(COLUMNS)}'; is it a summary?")
    for line, row in lines:
        try:
            dataset, architecture, arm, labels, seed, split, metric, value = row
            run = Fitted(dataset, architecture, arm, float(labels)), int(seed)
            number = float(value)
        except ValueError:
            raise UserError(
                f"{path}, line {line}: not {len(COLUMNS)} fields with numbers as labels, seed and"
                " value; make the report anew"
            ) from None
        scores = found.setdefault(run, {})
        if not isfinite(number):
            raise UserError(f"{path}, line {line}: the value is not finite; make the report anew")
        if (split, metric) in scores:
            raise UserError(f"{path}, line {line}: stands there twice; make the report anew")
        scores[split, metric] = number
    if not found:
        raise UserError(f"{path}: holds no runs; name the summary of a finished benchmark")
    return found


def _metrics(runs: Iterable[StoredRun], folder: Path) -> Iterator[tuple[StoredRun, Metrics]]:
    """Yield the `metrics.json` of runs, of those that have one."""
    for run in runs:
        model, seed = run
        if not all(A_NAME.fullmatch(name) for name in model[:3]):
            continue  # the table is whoever's: no name in it leads out of the folder
        name = layout.METRICS.format(**model._asdict() | {"labels": f"{model.labels:g}"}, seed=seed)
        path = folder / Path(name).relative_to(RESULTS)
        if not path.is_file():
            continue
        try:
            yield run, read_metrics(path)
        except FormatError as error:
            raise UserError(f"{error}; evaluate it anew, or name summary.csv alone") from None


def _likely_headline(metrics: set[str]) -> str | None:
    """Return the headline of the task that has most of these metrics and whose headline is one."""
    tasks = [task for name in TASKS if (task := TASKS[name]()).headline in metrics]
    names = {task.headline: {n for f in task.metric_names() for n in expand(f)} for task in tasks}
    return max(names, key=lambda headline: len(metrics & names[headline]), default=None)
