"""What searches of options left behind: the trials of each model, and the choice among them."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pandas as pd

from seqbench import layout
from seqbench.config.options import canonical_json
from seqbench.config.search_space import search_of
from seqbench.config.tuning import Space
from seqbench.errors import FormatError
from seqbench.plan.plan import Plan
from seqbench.plan.searches import choice_file, trial_files, trials_of_rung
from seqbench.reporting.read.promotions import read_promotions
from seqbench.storage.trials import Choice, Trial, read_choice, read_trial

Found = TypeVar("Found", Choice, Trial)
# By dataset, or fold of one, and architecture or baseline.
Choices = dict[tuple[str, str], Choice]


@dataclass(frozen=True)
class Search:
    """The search of one model on a dataset, or a fold of one.

    Parameters
    ----------
    rungs
        The trials of each rung, in the order of their numbers: those of the first are all there
        are, those of the last have all their epochs.
    divisors
        Of the epochs of a trial, by rung.
    space
        The options that were searched.
    """

    choice: Choice
    rungs: tuple[tuple[Trial, ...], ...]
    divisors: tuple[int, ...]
    space: Space

    @property
    def trials(self) -> tuple[Trial, ...]:
        """All trials, as they are in the first rung."""
        return self.rungs[0]

    @property
    def is_halved(self) -> bool:
        """Whether some trials have a part of their epochs alone."""
        return len(self.rungs) > 1

    @property
    def untuned(self) -> Trial:
        """The first trial, which has the options as the configuration has them and all epochs."""
        return self.rungs[-1][0]

    @property
    def chosen(self) -> Trial:
        """The trial whose options were chosen, with all epochs."""
        return next(one for one in self.rungs[-1] if one.trial == self.choice.trial)

    @property
    def cpu_s(self) -> float:
        """Processor seconds of all trials, in all rungs."""
        return sum(one.cpu_s or 0.0 for trials in self.rungs for one in trials)


def read_choices(plan: Plan, root: Path, base_dataset: str) -> Choices:
    """Return what was chosen for the models of a dataset, of each of its folds.

    Raises
    ------
    FormatError
        If a file is missing, damaged, or of another model.
    """
    return {
        pair: _of(pair, read_choice(path), path)
        for pair in plan.tuned
        if plan.benchmark.base_dataset(pair[0]) == base_dataset
        for path in [root / layout.CHOICE.format(dataset=pair[0], architecture=pair[1])]
    }


def read_searches(plan: Plan, root: Path, choices: Choices) -> list[Search]:
    """Return the searches behind some choices.

    Raises
    ------
    FormatError
        If a file is missing, damaged, or of another model.
    """
    promotions = read_promotions(plan, root)
    found = []
    for pair, choice in choices.items():
        folder = (root / choice_file(*pair)).parent
        divisors = tuple(rung.divisor for rung in plan.rungs(pair[1]))
        rungs = []
        for rung, divisor in enumerate(divisors):
            numbers = trials_of_rung(plan, *pair, rung, promotions) or ()
            paths = [root / path for path in trial_files(*pair, rung, numbers)]
            trials = tuple(_of(pair, read_trial(path), path) for path in paths)
            if len(divisors) > 1 and any(
                one.epochs != _epochs(plan, pair, one.trial, divisor) for one in trials
            ):
                raise FormatError(
                    f"{folder}: trials of rung {rung} have other epochs than the configuration has;"
                    " run `snakemake` again"
                )
            rungs.append(trials)
        if choice.options not in [one.options for one in rungs[-1] if one.trial == choice.trial]:
            raise FormatError(
                f"{folder}: the choice was made among other trials; run `snakemake` again"
            )
        space = search_of(plan.benchmark, pair[1]).space or {}
        found.append(Search(choice, tuple(rungs), divisors, space))
    return found


def search_table(searches: Iterable[Search]) -> str:
    """Return every trial as CSV, one a row; of a search by halving, one a row in each rung."""
    rows = [
        {
            "dataset": trial.dataset,
            "architecture": trial.architecture,
            "rung": trial.rung,
            "trial": trial.trial,
            "epochs": trial.epochs,
            "metric": trial.headline,
            "score_on_val": trial.score,
            "cpu_s": trial.cpu_s,
            "is_chosen": trial is search.chosen,
            "options": canonical_json(trial.options),
            "failure": trial.failure,
        }
        for search in searches
        for trials in search.rungs
        for trial in trials
    ]
    return pd.DataFrame(rows).to_csv(index=False, lineterminator="\n")


def _epochs(plan: Plan, pair: tuple[str, str], trial: int, divisor: int) -> int:
    """Return the epochs of a trial of a network with a part of them, as configured."""
    settings = plan.job_settings.tune(*pair, plan.trials(pair[1])[trial], divisor)
    return settings.training.optimizer.epochs


def _of(pair: tuple[str, str], found: Found, path: Path) -> Found:
    if (found.dataset, found.architecture) != pair:
        raise FormatError(
            f"{path}: is of {found.architecture} on {found.dataset}, not of {pair[1]} on {pair[0]};"
            " delete it and run again"
        )
    return found
