"""Models of a dataset side by side: their ranks, their leads, and what marks them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from statistics import fmean

import numpy as np

from seqbench.config.registry import TASKS
from seqbench.config.stages import Fold
from seqbench.plan.plan import Model
from seqbench.reporting.read.ensembles import ENSEMBLE
from seqbench.reporting.read.results import Result
from seqbench.reporting.scores import estimates
from seqbench.reporting.scores.estimates import Estimate
from seqbench.reporting.scores.metrics import ceiling_of, columns, first_columns, floor_of
from seqbench.statistics.bootstrap import interval as bootstrap_interval


@dataclass(frozen=True)
class Lead:
    """How far one model is ahead of another in the headline on test.

    Parameters
    ----------
    mean
        Difference of their means.
    interval
        95 %, None where there is none: by the bootstrap over groups of test and
        runs; Student's over paired seeds where test is one group; over folds
        see `mean_interval_of`.
    """

    mean: float
    interval: tuple[float, float] | None

    @property
    def verdict(self) -> str:
        """The lead in plain words."""
        if self.interval is None:
            return "no interval" if self.mean else "equal"
        low, high = self.interval
        return "ahead" if low > 0 else "behind" if high < 0 else "within chance"


@dataclass(frozen=True, kw_only=True)
class ModelScores:
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
    n_trials
        From how many its options were chosen on val; 0: they are as configured.
    lead
        On the best baseline; None of that itself and of the ceiling.
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
    n_trials: int = 0
    lead: Lead | None = None

    @property
    def score(self) -> Estimate:
        """The headline."""
        return self.metrics[self.headline]

    @property
    def model(self) -> Model:
        """Its name in the plan."""
        return Model(self.architecture, self.arm)

    @property
    def is_baseline(self) -> bool:
        """Whether this is a floor or ceiling instead of a trained model."""
        return self.model.is_baseline

    @property
    def is_ensemble(self) -> bool:
        """Whether this is the mean over the seeds of a model."""
        return self.arm.endswith(ENSEMBLE)

    @property
    def name(self) -> str:
        """Architecture and arm, as figures and sentences name the model."""
        return self.model.name

    @property
    def n_seeds(self) -> int:
        """Number of seeds, the same on every fold."""
        return len({result.run.seed for result in self.results})

    @property
    def folds(self) -> set[Fold | None]:
        """Places of the folds that its runs are of; of a dataset without folds None alone."""
        return {result.fold for result in self.results}

    @property
    def n_folds(self) -> int:
        """Number of folds, of all repeats; 1 where the dataset has none."""
        return len(self.folds)

    @property
    def counted(self) -> str:
        """Number of runs: seeds, or folds times seeds; their sum where some have not finished."""
        if self.n_folds == 1 or len(self.results) != self.n_folds * self.n_seeds:
            return f"{len(self.results)}"
        return f"{self.n_folds} \N{MULTIPLICATION SIGN} {self.n_seeds}"

    @cached_property
    def on_val(self) -> Estimate:
        """The headline on val; no baseline has one, for val selects among trained models alone."""
        return Estimate.of_values(one.value(self.headline, "val") for one in self.results)

    @property
    def chosen(self) -> Result:
        """The run with the highest headline on val: choosing it never looks at test."""
        return max(self.results, key=self._on_val)

    def chosen_on(self, dataset: str) -> Result | None:
        """Return the same among the runs of one fold; None while none has finished."""
        own = (result for result in self.results if result.run.dataset == dataset)
        return max(own, key=self._on_val, default=None)

    def _on_val(self, result: Result) -> float:
        return _or_lowest(result.value(self.headline, "val"))

    def cost(self, key: str) -> float | None:
        """Return the mean cost over the runs in which it was measured."""
        return Estimate.of_values(result.cost(key) for result in self.results).mean


@dataclass(frozen=True, kw_only=True)
class Leaderboard:
    """The models of one dataset and fraction of labels, best first."""

    dataset: str
    labels: str
    task: str
    headline: str
    metric_names: tuple[str, ...]
    rows: tuple[ModelScores, ...]

    @cached_property
    def first_metrics(self) -> tuple[str, ...]:
        """Metrics that stand beside the headline."""
        return first_columns(self.metric_names, self.headline)

    @cached_property
    def other_metrics(self) -> tuple[str, ...]:
        """All others, the headline aside."""
        first = (self.headline, *self.first_metrics)
        return tuple(name for name in self.metric_names if name not in first)

    @cached_property
    def selected(self) -> ModelScores | None:
        """The trained model that val would pick, so that its test score is not the luckiest."""
        return self.selected_among(row for row in self.rows if not row.is_baseline)

    def selected_among(self, rows: Iterable[ModelScores]) -> ModelScores | None:
        """Return the one of several trained models that val would pick; of equals the first."""
        tiebreak = TASKS[self.task]().tiebreak

        def on_val(row: ModelScores) -> tuple[float, float]:
            loss = Estimate.of_values(r.value(tiebreak, "val") for r in row.results).mean
            return _or_lowest(row.on_val.mean), _or_lowest(None if loss is None else -loss)

        # Rows stand by their score on test, which must not decide between equals.
        named = sorted(rows, key=lambda row: (row.architecture, row.arm))
        return max((row for row in named if row.score.n), key=on_val, default=None)

    @property
    def tied_on_val(self) -> list[ModelScores]:
        """Trained models whose score on val is that of the selected one, it included."""
        best = self.selected
        if best is None or best.on_val.mean is None:
            return []
        trained = (row for row in self.rows if not row.is_baseline and row.score.n)
        return [row for row in trained if row.on_val.mean == best.on_val.mean]

    @cached_property
    def best_baseline(self) -> ModelScores | None:
        """The best baseline but the ceiling; it is selected on test, which favours it."""
        return _first(
            row for row in self.rows if row.is_baseline and row.score.n and row != self.ceiling
        )

    @property
    def has_rival(self) -> bool:
        """Whether a baseline has learned something: it is neither floor nor ceiling."""
        ends = self.floor, self.ceiling
        return any(row.is_baseline and row.score.n and row not in ends for row in self.rows)

    @property
    def compared(self) -> list[ModelScores]:
        """The model selected on val and the best baseline, as far as there are any."""
        return [row for row in (self.selected, self.best_baseline) if row is not None]

    @property
    def n_folds(self) -> int:
        """Number of folds, of all repeats; 1 where the dataset has none."""
        return max((row.n_folds for row in self.rows), default=1)

    @property
    def floor(self) -> ModelScores | None:
        """The baseline that knows nothing."""
        return self._baseline(floor_of(self.task))

    @property
    def ceiling(self) -> ModelScores | None:
        """The baseline that knows the truth, where there is one."""
        return self._baseline(ceiling_of(self.task))

    @property
    def margin(self) -> float | None:
        """How far the model that val selected lies above the best baseline."""
        return _difference(self.selected, self.best_baseline)

    @cached_property
    def lead(self) -> Lead | None:
        """The same with its interval; None where there is no baseline or no model."""
        selected, baseline = self.selected, self.best_baseline
        return None if selected is None or baseline is None else lead(selected, baseline)

    def _baseline(self, name: str | None) -> ModelScores | None:
        return _first(row for row in self.rows if row.is_baseline and row.architecture == name)


def leaderboards(
    results: Iterable[Result], dataset: str, n_trials: Mapping[str, int] | None = None
) -> list[Leaderboard]:
    """Return the leaderboards of a dataset, the one with most labels first.

    `n_trials` are those of the models whose options were searched.
    """
    own = [result for result in results if result.dataset == dataset]
    fractions = {result.run.labels for result in own if not result.is_baseline}
    in_order = sorted(fractions, key=float, reverse=True)
    return [leaderboard(own, dataset, fraction, n_trials) for fraction in in_order]


def leaderboard(
    results: Iterable[Result],
    dataset: str,
    labels: str,
    n_trials: Mapping[str, int] | None = None,
) -> Leaderboard:
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
    own.sort(key=lambda result: (result.run.model, result.run))
    rows = [
        ModelScores(
            architecture=model.architecture,
            arm=model.arm,
            results=(group := tuple(runs)),
            metrics={name: Estimate.of(group, name) for name in names},
            headline=headline,
            n_trials=(n_trials or {}).get(model.architecture, 0),
        )
        for model, runs in groupby(own, key=lambda result: result.run.model)
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


def ensemble_row(result: Result, board: Leaderboard) -> ModelScores:
    """Return the mean over the seeds of the selected model as a row, which no rank counts."""
    row = ModelScores(
        architecture=result.run.architecture,
        arm=result.run.arm,
        results=(result,),
        metrics={name: Estimate.of((result,), name) for name in board.metric_names},
        headline=board.headline,
        n_trials=board.selected.n_trials if board.selected else 0,
    )
    return _marked(row, board)


def lead(row: ModelScores, other: ModelScores) -> Lead | None:
    """Return how far a model is ahead of another; None where no fold has scores of both."""
    mean = _difference(row, other)
    if mean is None:
        return None
    generator = np.random.default_rng(0)
    first = estimates.resampled_mean(row.results, generator)
    second = estimates.resampled_mean(other.results, generator)
    # Resamples of one fold have nothing to do with those of another.
    are_of_same = row.folds == other.folds
    if first is not None and second is not None and len(first) == len(second) and are_of_same:
        return Lead(mean, bootstrap_interval(first - second))
    pairs = estimates.paired(row.results, other.results, or_mean=True)
    if len(other.results) > len(row.results):  # a baseline without chance has one run
        reverse = estimates.paired(other.results, row.results, or_mean=True)
        pairs = [one._replace(value=-one.value) for one in reverse]
    # Of the folds that both have, which are all unless some runs have yet to finish.
    mean = fmean(one.value for one in pairs) if pairs else None
    return None if mean is None else Lead(mean, estimates.difference_interval(pairs))


def _marked(row: ModelScores, board: Leaderboard) -> ModelScores:
    """Return the row with its standing among the others."""
    ceiling, floor = board.ceiling, board.floor
    if row == ceiling:
        return replace(row, is_ceiling=True)
    best = next(other for other in board.rows if other != ceiling)
    top, mean = best.score.mean, row.score.mean
    if top is None or mean is None:
        return row
    baseline = board.best_baseline
    margin = _difference(row, baseline)
    above_floor, gap = _difference(row, floor), _difference(ceiling, floor)
    highest = ceiling.score.mean if ceiling is not None else None
    has_all_labels = float(board.labels) == 1
    return replace(
        row,
        is_best=row is best,
        is_tied=row is not best and _may_be_chance(lead(best, row)),
        below_floor=not row.is_baseline and (above_floor or 0) < 0,
        below_best_baseline=not row.is_baseline and has_all_labels and (margin or 0) < 0,
        of_ceiling=mean / highest if highest else None,
        gap_closed=above_floor / gap if above_floor is not None and gap and gap > 0 else None,
        lead=None if baseline is None or row.model == baseline.model else lead(row, baseline),
    )


def _may_be_chance(found: Lead | None) -> bool:
    if found is None:
        return False
    return found.mean == 0 or (found.interval is not None and found.interval[0] <= 0)


def _difference(row: ModelScores | None, other: ModelScores | None) -> float | None:
    if row is None or other is None or row.score.mean is None or other.score.mean is None:
        return None
    return row.score.mean - other.score.mean


def _first(rows: Iterable[ModelScores]) -> ModelScores | None:
    return next(iter(rows), None)


def _or_lowest(value: float | None) -> float:
    return float("-inf") if value is None else value
