"""The choice among the trials of a model."""

from collections.abc import Sequence
from pathlib import Path

from seqbench.storage.trials import Choice, Trial, read_trial, write_choice
from seqbench.tuning.ranking import ranked


def choose(trials: Sequence[Path], choice: Path) -> None:
    """Write the options of the best of several trials."""
    best = best_trial([read_trial(path) for path in trials])
    names = ("dataset", "architecture", "trial", "options")
    write_choice(choice, Choice(**{name: getattr(best, name) for name in names}))


def best_trial(trials: Sequence[Trial]) -> Trial:
    """Return the trial with the highest score on val; see `ranked`."""
    return ranked(trials)[0]
