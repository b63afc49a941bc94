"""Words on the searches of options on a dataset: what was tried, at which cost, what was chosen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from seqbench.datasets.base import counted
from seqbench.reporting.read.searches import Search
from seqbench.reporting.scores import formats
from seqbench.reporting.scores.leaderboards import Leaderboard
from seqbench.storage.trials import Trial


@dataclass(frozen=True)
class TrialRow:
    """One trial in a rung: scores on val, what all up to it took, and its options.

    `rung` is empty where there is one alone.
    """

    number: int
    rung: str
    score: str
    best: str
    cpu: str
    options: str
    is_chosen: bool


@dataclass(frozen=True)
class SearchRow:
    """The search of one model in words."""

    model: str
    n_trials: int
    n_failed: int
    cpu: str
    untuned: str
    chosen: str
    number: int
    changes: str
    rungs: str
    trials: list[TrialRow]


def search_rows(searches: Sequence[Search], dataset: str) -> list[SearchRow]:
    """Return the searches on a dataset, or on its folds, in words."""
    return [
        SearchRow(
            model=_model(one, dataset),
            n_trials=len(one.trials),
            n_failed=len({t.trial for r in one.rungs for t in r if t.failure is not None}),
            cpu=formats.seconds(one.cpu_s),
            untuned=_score(one.untuned),
            chosen=_score(one.chosen),
            number=one.choice.trial,
            changes=_changes(one) or "as they were",
            rungs=_rungs(one),
            trials=_trials(one),
        )
        for one in searches
    ]


def tuned_notes(board: Leaderboard) -> list[str]:
    """Return a sentence on the models whose options were chosen; without any, none."""
    n_trials = {row.architecture: row.n_trials for row in board.rows if row.n_trials}
    if not n_trials:
        return []
    named = ", ".join(f"{name} ({counted(n, 'trial')})" for name, n in sorted(n_trials.items()))
    return [f"Options chosen on val: {named}; those of all others are as configured."]


def _model(search: Search, dataset: str) -> str:
    name, place = search.choice.architecture, search.choice.dataset
    return name if place == dataset else f"{name}, {place}"


def _rungs(search: Search) -> str:
    """Return how many trials had which part of their epochs; without halving, nothing."""
    if not search.is_halved:
        return ""
    first, *later = map(len, search.rungs)
    parts = [f"1/{divisor}" for divisor in search.divisors[:-1]] + ["all"]
    return f"{counted(first, 'trial')} with {parts[0]} of the epochs" + "".join(
        f", {n} with {part}" for n, part in zip(later, parts[1:], strict=True)
    )


def _trials(search: Search) -> list[TrialRow]:
    rows, cpu_s = [], 0.0
    for rung, trials in enumerate(search.rungs, 1):
        best: Trial | None = None
        for trial in trials:
            cpu_s += trial.cpu_s or 0.0
            if best is None or (
                trial.score is not None and (best.score is None or trial.score > best.score)
            ):
                best = trial
            rows.append(
                TrialRow(
                    number=trial.trial,
                    rung=f"{rung}, {trial.epochs} epochs" if search.is_halved else "",
                    score=_score(trial),
                    best=_score(best),
                    cpu=formats.seconds(cpu_s),
                    options=_options(trial.options)
                    + (f" ({trial.failure})" if trial.failure else ""),
                    is_chosen=trial is search.chosen,
                )
            )
    return rows


def _score(trial: Trial) -> str:
    if trial.failure is not None:
        return "failed"
    return formats.metric_value(trial.score, trial.headline)


def _changes(search: Search) -> str:
    before = search.untuned.options
    chosen = search.choice.options
    return _options({name: one for name, one in chosen.items() if one != before.get(name)})


def _options(options: dict[str, Any]) -> str:
    return ", ".join(f"{name} {_value(value)}" for name, value in sorted(options.items()))


def _value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)
