"""What searches of options found for their budget, and which options mattered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.reporting.read.searches import Search
from seqbench.statistics.attainable import ALPHA, LEAST_TRIALS
from seqbench.statistics.comparison import holm
from seqbench.statistics.searches import expected_best, rank_correlation
from seqbench.storage.trials import Trial

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class BudgetCurve:
    """What a model scores on val after each trial with all epochs; arrays are (n_trials,).

    Of folds, scores are means and costs are sums.

    Parameters
    ----------
    best
        Best score so far in the order of the trials; NaN before the first score.
    expected
        Mean of it over all orders of the trials; None of a search by halving, whose last trials
        were selected.
    n_trials
        Trials so far; one with a part of its epochs counts as that part.
    cpu_s
        Processor seconds so far in the order of the trials.
    """

    architecture: str
    best: Floats
    expected: Floats | None
    n_trials: Floats
    cpu_s: Floats

    @property
    def expected_cpu_s(self) -> Floats:
        """Mean processor seconds over all orders of the trials."""
        n = len(self.cpu_s)
        return np.arange(1, n + 1) * self.cpu_s[-1] / n


@dataclass(frozen=True, kw_only=True)
class Effect:
    """Scores on val against the values of one option, in the order of the trials.

    Parameters
    ----------
    is_range
        Whether the values are numbers from a range.
    is_log
        Whether all its orders of magnitude are alike in number.
    rank_correlation
        Spearman's; None where values have no order or all scores are equal.
    adjusted_p
        That it is none, by Holm among the options of the model.
    """

    option: str
    values: list[Any]
    is_range: bool
    is_log: bool
    rank_correlation: float | None
    adjusted_p: float | None

    @property
    def is_clear(self) -> bool:
        """Whether the option has a trend beyond chance."""
        return self.adjusted_p is not None and self.adjusted_p <= ALPHA


@dataclass(frozen=True, kw_only=True)
class ModelEffects:
    """The options of one model and the scores of its trials in the first rung, means over folds.

    Parameters
    ----------
    trials, scores
        Numbers and scores on val of trials that have a score on all folds.
    chosen
        Trials that were chosen, one for each fold.
    """

    architecture: str
    trials: list[int]
    scores: list[float]
    chosen: set[int]
    effects: list[Effect]


def budget_curves(searches: Sequence[Search]) -> list[BudgetCurve]:
    """Return a curve for each model with a score."""
    curves = []
    for architecture, folds in _by_model(searches).items():
        scored = [_scores(one.rungs[-1]) for one in folds]
        if any(np.isnan(scores).all() for scores in scored):
            continue
        # A failed trial takes its place in an order, and is never the best.
        filled = [np.where(np.isnan(scores), np.nanmin(scores), scores) for scores in scored]
        expected = [expected_best(scores.tolist()) for scores in filled]
        curves.append(
            BudgetCurve(
                architecture=architecture,
                best=_together([np.fmax.accumulate(scores) for scores in scored]).mean(axis=0),
                expected=None if folds[0].is_halved else np.mean(expected, axis=0),
                n_trials=_together([_n_trials(one) for one in folds]).mean(axis=0),
                cpu_s=_together([_cpu_s(one) for one in folds]).sum(axis=0),
            )
        )
    return curves


def _n_trials(search: Search) -> Floats:
    """Return the trials up to each one of the last rung, those of others as parts of one."""
    *before, last = (
        len(trials) / divisor for trials, divisor in zip(search.rungs, search.divisors, strict=True)
    )
    return np.arange(1, last + 1, dtype=np.float64) + sum(before)


def _cpu_s(search: Search) -> Floats:
    """Return the processor seconds up to each trial of the last rung."""
    *before, last = ([one.cpu_s or 0.0 for one in trials] for trials in search.rungs)
    return np.cumsum([sum(map(sum, before)) + last[0], *last[1:]], dtype=np.float64)


def _together(folds: Sequence[Floats]) -> Floats:
    """Return the courses of folds as rows; one that is over stays as it ended."""
    n = max(map(len, folds))
    return np.stack([np.pad(one, (0, n - len(one)), mode="edge") for one in folds])


def option_effects(searches: Sequence[Search]) -> list[ModelEffects]:
    """Return the effects of each model with at least `LEAST_TRIALS` trials that have a score."""
    found = []
    for architecture, folds in _by_model(searches).items():
        scores = np.mean([_scores(one.trials) for one in folds], axis=0)
        kept = np.flatnonzero(~np.isnan(scores)).tolist()
        if len(kept) < LEAST_TRIALS:
            continue
        found.append(
            ModelEffects(
                architecture=architecture,
                trials=kept,
                scores=scores[kept].tolist(),
                chosen={one.choice.trial for one in folds},
                effects=_effects(folds[0], kept, scores[kept].tolist()),
            )
        )
    return found


def _effects(search: Search, kept: list[int], scores: list[float]) -> list[Effect]:
    columns = {
        option: [search.trials[i].options[option] for i in kept]
        for option in sorted(search.untuned.options)
    }
    trends = {option: _trend(values, scores) for option, values in columns.items()}
    known = {option: one for option, one in trends.items() if one is not None}
    adjusted = dict(zip(known, holm([p for _, p in known.values()]), strict=True))
    return [
        Effect(
            option=option,
            values=values,
            is_range=search.space[option].values is None,
            is_log=search.space[option].log,
            rank_correlation=known[option][0] if option in known else None,
            adjusted_p=adjusted.get(option),
        )
        for option, values in columns.items()
    ]


def _trend(values: list[Any], scores: list[float]) -> tuple[float, float] | None:
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in values):
        return None
    return rank_correlation(values, scores)


def _by_model(searches: Sequence[Search]) -> dict[str, list[Search]]:
    """Group searches of folds by model; their trials have the same options."""
    found: dict[str, list[Search]] = {}
    for search in searches:
        found.setdefault(search.choice.architecture, []).append(search)
    return found


def _scores(trials: Sequence[Trial]) -> Floats:
    """Return the score of each trial, NaN where it has none."""
    return np.array([np.nan if one.score is None else one.score for one in trials])
