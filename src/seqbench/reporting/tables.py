"""From stored results to tables: the tidy summary, leaderboards, effects and costs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from math import isfinite
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seqbench import layout
from seqbench.config import FoldOf
from seqbench.datasets.base import counted
from seqbench.plan import Plan, Run
from seqbench.registry import TASKS
from seqbench.reporting.catalog import ceiling_of, columns, floor_of
from seqbench.settings import Fold
from seqbench.statistics.bootstrap import interval as bootstrap_interval
from seqbench.statistics.bootstrap import mean_over_runs
from seqbench.statistics.student import mean_interval
from seqbench.tasks.metric_names import tags

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("dataset", "architecture", "arm", "labels", "seed", "split", "metric", "value")
BASELINE = "baseline"


@dataclass(frozen=True)
class Result:
    """What one run left behind.

    Parameters
    ----------
    run
        Its identity, as the plan has it.
    content
        Its `metrics.json`.
    of
        What its dataset is a fold of; None: it is none.
    """

    run: Run
    content: dict[str, Any]
    of: FoldOf | None = None

    @property
    def dataset(self) -> str:
        """Name of the dataset, the same for all of its folds."""
        return self.of.whole if self.of else self.run.dataset

    @property
    def fold(self) -> Fold | None:
        """Place of the fold; None where the dataset is none."""
        return self.of.fold if self.of else None

    @property
    def task(self) -> str:
        """Name of the task."""
        return str(self.content["task"])

    @property
    def headline(self) -> str:
        """The metric that ranks models; higher is better."""
        return str(self.content["headline"])

    @property
    def is_baseline(self) -> bool:
        """Whether this is a floor or ceiling instead of a trained model."""
        return self.run.arm == BASELINE

    def value(self, metric: str, split: str = "test") -> float | None:
        """Return a metric, or None where it is not defined."""
        return number(self._score(metric, split).get("value"))

    def interval(self, metric: str, split: str = "test") -> tuple[float, float] | None:
        """Return the bootstrap interval of a metric, or None where it is not defined."""
        score = self._score(metric, split)
        low, high = number(score.get("low")), number(score.get("high"))
        return None if low is None or high is None else (low, high)

    def resampled(self, metric: str) -> NDArray[np.float64] | None:
        """Return the values of the headline on resamples of test, (R,); None where there are none.

        NaN stands for a resample in which it is not defined. Those of all runs
        on the same windows are of the same resamples.
        """
        values = self._score(metric, "test").get("resampled")
        return None if values is None else np.array(values, dtype=np.float64)

    def cost(self, key: str) -> float | None:
        """Return a cost of the run, or None where it was not measured."""
        return number((self.content.get("cost") or {}).get(key))

    def n_windows(self, split: str) -> int | None:
        """Return the number of windows of a split that the run used."""
        n = number((self.content.get("n_windows") or {}).get(split))
        return None if n is None else int(n)

    def _score(self, metric: str, split: str) -> dict[str, Any]:
        return self.content["scores"].get(split, {}).get(metric) or {}


@dataclass(frozen=True)
class Estimate:
    """A metric over the seeds of a model, and over folds where the dataset has some.

    Parameters
    ----------
    mean
        Over the runs in which the metric is defined; None if it is in none.
    sd
        Sample standard deviation; None unless there are two runs.
    n
        Runs in which the metric is defined.
    interval
        Over folds that of the mean, see `mean_interval_of`; else of the headline
        the bootstrap interval of the mean, and of other metrics that of the run
        if it is the only one: bounds of several runs have no meaningful mean.
    """

    mean: float | None
    sd: float | None
    n: int
    interval: tuple[float, float] | None = None

    @classmethod
    def of(cls, results: Sequence[Result], metric: str) -> Estimate:
        """Summarise the test scores of the runs of one model."""
        values = [(result, result.value(metric)) for result in results]
        defined = [(result, value) for result, value in values if value is not None]
        bounds = results[0].interval(metric) if len(results) == 1 else None
        if len({result.fold for result, _ in defined}) > 1:
            bounds = mean_interval_of(defined)
        elif len(results) > 1 and metric == results[0].headline:
            resampled = _resampled_mean(results, np.random.default_rng(0))
            bounds = None if resampled is None else bootstrap_interval(resampled)
        return cls.of_values([value for _, value in values], bounds)

    @classmethod
    def of_values(
        cls, values: Iterable[float | None], interval: tuple[float, float] | None = None
    ) -> Estimate:
        """Summarise values, leaving out those that are not defined."""
        defined = [value for value in values if value is not None]
        return cls(
            mean=fmean(defined) if defined else None,
            sd=stdev(defined) if len(defined) > 1 else None,
            n=len(defined),
            interval=interval,
        )


@dataclass(frozen=True, kw_only=True)
class Row:
    """One model of a leaderboard.

    Parameters
    ----------
    results
        Its runs, by fold and seed.
    metrics
        Estimates by name of the metric, on test.
    is_best
        Whether no model has a higher mean headline.
    is_tied
        Whether the best model's lead on this one may be chance: its interval holds 0.
    below_floor
        Whether a trained model's mean lies below the floor's.
    below_best_baseline
        Whether it lies below that of the best baseline, given the same labels.
    is_ceiling
        Whether this is the baseline that knows the truth; it competes with nobody.
    of_ceiling
        Headline as a part of the ceiling's; None without a ceiling.
    gap_closed
        Part of the way from the floor to the ceiling; None without both.
    """

    architecture: str
    arm: str
    results: tuple[Result, ...]
    metrics: dict[str, Estimate]
    headline: str
    is_best: bool = False
    is_tied: bool = False
    below_floor: bool = False
    below_best_baseline: bool = False
    is_ceiling: bool = False
    of_ceiling: float | None = None
    gap_closed: float | None = None

    @property
    def score(self) -> Estimate:
        """The headline."""
        return self.metrics[self.headline]

    @property
    def is_baseline(self) -> bool:
        """Whether this is a floor or ceiling instead of a trained model."""
        return self.arm == BASELINE

    @property
    def name(self) -> str:
        """Architecture and arm, as figures and sentences name the model."""
        return f"{self.architecture} · {self.arm}"

    @property
    def n_seeds(self) -> int:
        """Number of seeds, the same on every fold."""
        return len({result.run.seed for result in self.results})

    @property
    def n_folds(self) -> int:
        """Number of folds, of all repeats; 1 where the dataset has none."""
        return len({result.fold for result in self.results})

    @property
    def counted(self) -> str:
        """Number of runs: seeds, or folds times seeds; their sum where some have not finished."""
        if self.n_folds == 1 or len(self.results) != self.n_folds * self.n_seeds:
            return f"{len(self.results)}"
        return f"{self.n_folds} \N{MULTIPLICATION SIGN} {self.n_seeds}"

    @property
    def chosen(self) -> Result:
        """The run with the highest headline on val: choosing it never looks at test."""
        return self.best_on_val(self.results)

    def chosen_on(self, dataset: str) -> Result:
        """Return the same among the runs of one fold."""
        return self.best_on_val(r for r in self.results if r.run.dataset == dataset)

    def best_on_val(self, results: Iterable[Result]) -> Result:
        """Return the one of several runs with the highest headline on val."""
        return max(results, key=lambda r: _or_lowest(r.value(self.headline, "val")))

    def cost(self, key: str) -> float | None:
        """Return the mean cost over the runs in which it was measured."""
        return Estimate.of_values(result.cost(key) for result in self.results).mean


@dataclass(frozen=True)
class Lead:
    """How far one model is ahead of another in the headline on test.

    Parameters
    ----------
    mean
        Difference of their means.
    interval
        95 %, None where nothing tells: by the bootstrap over groups of test and
        runs; Student's over seeds where test is one group; over folds see
        `mean_interval_of`.
    """

    mean: float
    interval: tuple[float, float] | None

    @property
    def verdict(self) -> str:
        """The lead in plain words."""
        if self.interval is None:
            return "cannot be told from chance" if self.mean else "equal"
        low, high = self.interval
        return "ahead" if low > 0 else "behind" if high < 0 else "within chance"


@dataclass(frozen=True, kw_only=True)
class Leaderboard:
    """The models of one dataset and fraction of labels, best first."""

    dataset: str
    labels: str
    task: str
    headline: str
    metric_names: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def best(self) -> Row | None:
        """The best model of all but the ceiling."""
        return _first(row for row in self.rows if row.is_best)

    @cached_property
    def picked(self) -> Row | None:
        """The trained model that val would pick, so that its test score is not the luckiest."""
        return self.picked_among(row for row in self.rows if not row.is_baseline)

    def picked_among(self, rows: Iterable[Row]) -> Row | None:
        """Return the one of several trained models that val would pick."""
        tiebreak = TASKS[self.task]().tiebreak

        def on_val(row: Row) -> tuple[float, float]:
            headline = Estimate.of_values(r.value(self.headline, "val") for r in row.results).mean
            loss = Estimate.of_values(r.value(tiebreak, "val") for r in row.results).mean
            return _or_lowest(headline), _or_lowest(None if loss is None else -loss)

        return max((row for row in rows if row.score.n), key=on_val, default=None)

    @cached_property
    def best_baseline(self) -> Row | None:
        """The best baseline but the ceiling; test itself picks it, which favours it."""
        return _first(
            row for row in self.rows if row.is_baseline and row.score.n and row != self.ceiling
        )

    @property
    def n_folds(self) -> int:
        """Number of folds, of all repeats; 1 where the dataset has none."""
        return max((row.n_folds for row in self.rows), default=1)

    @property
    def floor(self) -> Row | None:
        """The baseline that knows nothing."""
        return self._baseline(floor_of(self.task))

    @property
    def ceiling(self) -> Row | None:
        """The baseline that knows the truth, where there is one."""
        return self._baseline(ceiling_of(self.task))

    @property
    def margin(self) -> float | None:
        """How far the model that val picked lies above the best baseline."""
        return _difference(self.picked, self.best_baseline)

    @cached_property
    def lead(self) -> Lead | None:
        """The same with its interval; None where there is no baseline or no model."""
        picked, baseline = self.picked, self.best_baseline
        return None if picked is None or baseline is None else lead(picked, baseline)

    def _baseline(self, name: str | None) -> Row | None:
        return _first(row for row in self.rows if row.is_baseline and row.architecture == name)


def collect(plan: Plan, root: Path) -> list[Result]:
    """Read what every run of a plan left behind.

    Parameters
    ----------
    plan
        Names the runs; no directory is searched.
    root
        Folder that holds `results/`.

    Returns
    -------
    list
        Sorted by identity, so that the order of a config changes no table.

    Raises
    ------
    ValueError
        If a file says that it belongs to another run.
    """
    folds = plan.benchmark.folds
    return [
        Result(run, _read(run, root / run.fill(layout.METRICS)), folds.get(run.dataset))
        for run in sorted(plan.runs)
    ]


def summary(results: Iterable[Result]) -> pd.DataFrame:
    """Return the tidy table: a row for each defined value, costs with `cost` as their split."""
    import pandas as pd

    frame = pd.DataFrame(
        [(*_identity(result.run), *value) for result in results for value in _values(result)],
        columns=list(COLUMNS),
    )
    return frame.sort_values(list(COLUMNS), ignore_index=True)


def leaderboards(results: Iterable[Result], dataset: str) -> list[Leaderboard]:
    """Return the leaderboards of a dataset, the one with most labels first."""
    own = [result for result in results if result.dataset == dataset]
    fractions = {result.run.labels for result in own if not result.is_baseline}
    return [leaderboard(own, dataset, f) for f in sorted(fractions, key=float, reverse=True)]


def leaderboard(results: Iterable[Result], dataset: str, labels: str) -> Leaderboard:
    """Rank the models of a dataset that were given a fraction of the labels.

    Baselines always have all labels and stand in every leaderboard. Trained
    models with fewer are held against the floor, not against the best baseline.
    """
    own = [
        result
        for result in results
        if result.dataset == dataset and (result.is_baseline or result.run.labels == labels)
    ]
    task, headline = own[0].task, own[0].headline
    names = [
        name
        for name in columns(task, headline)
        if any(result.value(name) is not None for result in own) or name == headline
    ]
    own.sort(key=lambda result: (result.run.architecture, result.run.arm, result.run))
    rows = [
        Row(
            architecture=architecture,
            arm=arm,
            results=tuple(group := list(runs)),
            metrics={name: Estimate.of(group, name) for name in names},
            headline=headline,
        )
        for (architecture, arm), runs in groupby(
            own, key=lambda result: (result.run.architecture, result.run.arm)
        )
    ]
    rows.sort(key=lambda row: (-_or_lowest(row.score.mean), row.architecture, row.arm))
    board = Leaderboard(
        dataset=dataset,
        labels=labels,
        task=task,
        headline=headline,
        metric_names=tuple(names),
        rows=tuple(rows),
    )
    return replace(board, rows=tuple(_marked(row, board) for row in board.rows))


def mean_interval_of(values: Sequence[tuple[Result, float]]) -> tuple[float, float] | None:
    """Return the 95 % interval of the mean of values that belong to runs; None for a single one.

    Over seeds it is Student's. Over folds the values of a fold are averaged
    first, and the interval is widened for the recordings that folds share: all
    that is not test counts as learned from, val too, which decides when
    training ends.
    """
    by_fold: dict[Fold | None, list[float]] = {}
    for result, value in values:
        by_fold.setdefault(result.fold, []).append(value)
    if len(by_fold) < 2:
        return mean_interval([value for _, value in values])
    n_test, n_learned = (
        sum(result.n_windows(split) or 0 for result, _ in values for split in splits)
        for splits in (("test",), ("train", "val"))
    )
    means = [fmean(of_fold) for of_fold in by_fold.values()]
    return mean_interval(means, test_to_train=n_test / n_learned) if n_learned else None


def independent(results: Iterable[Result]) -> str:
    """Return in words how many folds runs are of, or how many seeds where there are no folds."""
    runs = list(results)
    n_folds = len({result.fold for result in runs})
    return counted(n_folds, "fold") if n_folds > 1 else counted(len(runs), "seed")


def ahead(row: Row, other: Row) -> list[tuple[Result, float]]:
    """Return how far each run of a model is ahead of another model, in the headline, fold by fold.

    The other's runs on a fold are averaged: a baseline may have one seed alone.
    """
    of_other: dict[Fold | None, list[float]] = {}
    for result in other.results:
        if (value := result.value(other.headline)) is not None:
            of_other.setdefault(result.fold, []).append(value)
    return [
        (result, value - fmean(of_other[result.fold]))
        for result in row.results
        if (value := result.value(row.headline)) is not None and result.fold in of_other
    ]


def lead(row: Row, other: Row) -> Lead | None:
    """Return how far a model is ahead of another; None where one of them has no score."""
    mean = _difference(row, other)
    if mean is None:
        return None
    generator = np.random.default_rng(0)
    first = _resampled_mean(row.results, generator)
    second = _resampled_mean(other.results, generator)
    if first is not None and second is not None and len(first) == len(second):
        return Lead(mean, bootstrap_interval(first - second))
    return Lead(mean, mean_interval_of(ahead(row, other)))


def higher_is_better(metric: str) -> bool:
    """Tell in which direction a metric improves."""
    return bool(tags(metric)["better"] == "higher")


def best_at_zero(metric: str) -> bool:
    """Tell whether a metric may have either sign and is best at zero."""
    return bool(tags(metric)["better"] == "zero")


def number(value: object) -> float | None:
    """Return a finite number as float and anything else, null included, as None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if isfinite(value) else None


def _read(run: Run, path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    said = content["run"]
    identity = (
        said["dataset"],
        said["architecture"],
        said["arm"],
        float(said["labels"]),
        said["seed"],
    )
    if identity != _identity(run):
        raise ValueError(f"{path}: holds the results of {identity}, not of {_identity(run)}")
    return content


def _identity(run: Run) -> tuple[str, str, str, float, int]:
    return run.dataset, run.architecture, run.arm, float(run.labels), run.seed


def _values(result: Result) -> Iterable[tuple[str, str, float]]:
    for split, scores in result.content["scores"].items():
        for metric in scores:
            value = result.value(metric, split)
            if value is not None:
                yield split, metric, value
    for key in result.content.get("cost") or {}:
        value = result.cost(key)
        if value is not None:
            yield "cost", key, value


def _marked(row: Row, board: Leaderboard) -> Row:
    """Return the row with its standing among the others."""
    ceiling, floor = board.ceiling, board.floor
    if row == ceiling:
        return replace(row, is_ceiling=True)
    best = next(other for other in board.rows if other != ceiling)
    top, mean = best.score.mean, row.score.mean
    if top is None or mean is None:
        return row
    margin = _difference(row, board.best_baseline)
    above_floor, gap = _difference(row, floor), _difference(ceiling, floor)
    highest = ceiling.score.mean if ceiling is not None else None
    has_all_labels = float(board.labels) == 1
    return replace(
        row,
        is_best=row is best,
        is_tied=row is not best and _may_be_chance(lead(best, row)),
        below_floor=not row.is_baseline and above_floor is not None and above_floor < 0,
        below_best_baseline=(
            not row.is_baseline and has_all_labels and margin is not None and margin < 0
        ),
        of_ceiling=mean / highest if highest else None,
        gap_closed=above_floor / gap if above_floor is not None and gap and gap > 0 else None,
    )


def _resampled_mean(
    results: Sequence[Result], generator: np.random.Generator
) -> NDArray[np.float64] | None:
    """Return the mean headline over runs in every resample of test; None over folds."""
    values = [result.resampled(result.headline) for result in results]
    found = [one for one in values if one is not None]
    if len(found) < len(values) or len({result.fold for result in results}) > 1:
        return None
    return mean_over_runs(found, generator)


def _may_be_chance(found: Lead | None) -> bool:
    if found is None:
        return False
    return found.mean == 0 or (found.interval is not None and found.interval[0] <= 0)


def _difference(row: Row | None, other: Row | None) -> float | None:
    if row is None or other is None or row.score.mean is None or other.score.mean is None:
        return None
    return row.score.mean - other.score.mean


def _first(rows: Iterable[Row]) -> Row | None:
    return next(iter(rows), None)


def _or_lowest(value: float | None) -> float:
    return float("-inf") if value is None else value
