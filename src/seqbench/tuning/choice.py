"""The choice among the trials of a model."""

from collections.abc import Sequence
from pathlib import Path

from seqbench.storage.trials import Choice, Trial, read_trial, write_choice


def choose(trials: Sequence[Path], choice: Path) -> None:
    """Write the options of the best of several trials."""
    best = best_trial([read_trial(path) for path in trials])
    names = ("dataset", "architecture", "trial", "options")
    write_choice(choice, Choice(**{name: getattr(best, name) for name in names}))


def best_trial(trials: Sequence[Trial]) -> Trial:
    """Return the trial with the highest score on val.

    Of equal ones that of the lower loss is the best, of those the first, so that options
    change for a reason alone. A score that is not defined is lower than any other.
    """
    worst = float("inf")
    return min(
        trials,
        key=lambda one: (
            worst if one.score is None else -one.score,
            worst if one.loss is None else one.loss,
            one.trial,
        ),
    )
