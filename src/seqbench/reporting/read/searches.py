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
from seqbench.storage.trials import Choice, Trial, read_choice, read_trial

Found = TypeVar("Found", Choice, Trial)
# By dataset, or fold of one, and architecture or baseline.
Choices = dict[tuple[str, str], Choice]


@dataclass(frozen=True)
class Search:
    """The search of one model on a dataset, or a fold of one.

    Parameters
    ----------
    space
        The options that were searched.
    """

    choice: Choice
    trials: tuple[Trial, ...]
    space: Space

    @property
    def untuned(self) -> Trial:
        """The first trial, which has the options as the configuration has them."""
        return self.trials[0]

    @property
    def chosen(self) -> Trial:
        """The trial whose options were chosen."""
        return self.trials[self.choice.trial]

    @property
    def cpu_s(self) -> float:
        """Processor seconds of all trials."""
        return sum(one.cpu_s or 0.0 for one in self.trials)


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
    found = []
    for pair, choice in choices.items():
        paths = [root / path for path in plan.trial_files(*pair)]
        trials = tuple(_of(pair, read_trial(path), path) for path in paths)
        if choice.options not in [one.options for one in trials if one.trial == choice.trial]:
            raise FormatError(
                f"{paths[0].parent}: the choice was made among other trials; run `snakemake` again"
            )
        found.append(Search(choice, trials, search_of(plan.benchmark, pair[1]).space or {}))
    return found


def search_table(searches: Iterable[Search]) -> str:
    """Return every trial as CSV, one a row."""
    rows = [
        {
            "dataset": trial.dataset,
            "architecture": trial.architecture,
            "trial": trial.trial,
            "metric": trial.headline,
            "score_on_val": trial.score,
            "cpu_s": trial.cpu_s,
            "is_chosen": trial.trial == search.choice.trial,
            "options": canonical_json(trial.options),
            "failure": trial.failure,
        }
        for search in searches
        for trial in search.trials
    ]
    return pd.DataFrame(rows).to_csv(index=False, lineterminator="\n")


def _of(pair: tuple[str, str], found: Found, path: Path) -> Found:
    if (found.dataset, found.architecture) != pair:
        raise FormatError(
            f"{path}: is of {found.architecture} on {found.dataset}, not of {pair[1]} on {pair[0]};"
            " delete it and run again"
        )
    return found
