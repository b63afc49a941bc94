"""Means over runs and their intervals: over seeds by the bootstrap, over folds by Student."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqbench.config.stages import Fold
from seqbench.datasets.base import counted
from seqbench.reporting.read.results import Result
from seqbench.statistics.bootstrap import interval as bootstrap_interval
from seqbench.statistics.bootstrap import mean_over_runs
from seqbench.statistics.student import mean_interval


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
            resampled = resampled_mean(results, np.random.default_rng(0))
            bounds = None if resampled is None else bootstrap_interval(resampled)
            if bounds == (1, 1):  # Wilson's, see `score`
                bounds = results[0].interval(metric)
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


def resampled_mean(
    results: Sequence[Result], generator: np.random.Generator
) -> NDArray[np.float64] | None:
    """Return the mean headline over runs in every resample of test; None over folds."""
    values = [result.resampled(result.headline) for result in results]
    found = [one for one in values if one is not None]
    if len(found) < len(values) or len({result.fold for result in results}) > 1:
        return None
    return mean_over_runs(found, generator)


class Difference(NamedTuple):
    """A run, one of another model of the same fold and seed, and how far the first is ahead."""

    result: Result
    other: Result
    value: float


def paired(
    results: Iterable[Result], others: Iterable[Result], *, or_mean: bool = False
) -> list[Difference]:
    """Pair runs of two models by fold and seed, and take the difference of their headlines.

    Parameters
    ----------
    or_mean
        Where the other model has no run of a seed, as a baseline with one seed alone, take the
        mean of its runs on the fold.
    """
    of_others: dict[Fold | None, dict[int, tuple[Result, float]]] = {}
    for other in others:
        if (base := other.value(other.headline)) is not None:
            of_others.setdefault(other.fold, {})[other.run.seed] = other, base
    found = []
    for result in results:
        value, by_seed = result.value(result.headline), of_others.get(result.fold, {})
        if value is None or not by_seed or not (or_mean or result.run.seed in by_seed):
            continue
        runs, bases = zip(*by_seed.values(), strict=True)
        other, base = by_seed.get(result.run.seed, (runs[0], fmean(bases)))
        found.append(Difference(result, other, value - base))
    return found


def difference_interval(differences: Iterable[Difference]) -> tuple[float, float] | None:
    """Return the 95 % interval of the mean difference, see `mean_interval_of`."""
    return mean_interval_of([(one.result, one.value) for one in differences])


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
