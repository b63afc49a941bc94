"""The order of the trials of a search, by their scores on val."""

from collections.abc import Iterable

from seqbench.storage.trials import Trial


def ranked(trials: Iterable[Trial]) -> list[Trial]:
    """Return trials from the best to the worst.

    Of equal scores that with the lower loss comes first, of those the first trial, so that options
    change for a reason alone. A score that is not defined is lower than any other.
    """
    worst = float("inf")
    return sorted(
        trials,
        key=lambda one: (
            worst if one.score is None else -one.score,
            worst if one.loss is None else one.loss,
            one.trial,
        ),
    )
