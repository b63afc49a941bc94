"""Successive halving: how many trials of a search go on, and for how many epochs they train."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from seqbench.config.stages import FinetuneSettings


class Rung(NamedTuple):
    """Trials that train for the same part of their epochs.

    Parameters
    ----------
    n_trials
        Trials of the first rung; of a later one those that are best in the rung before. The
        first trial, which has the options as configured, goes on in any case, on top of them.
    divisor
        Of the epochs; 1 in the last rung.
    """

    n_trials: int
    divisor: int


def rungs(n_trials: int, factor: int, trainings: Sequence[FinetuneSettings]) -> list[Rung]:
    """Return the rungs of a search: from each to the next, one of `factor` trials goes on.

    There are as many as leave a trial for the last one, in which a trial has all its epochs, and
    an epoch behind the warm-up for the first.

    Parameters
    ----------
    n_trials
        Of the first rung.
    factor
        What epochs grow and trials shrink by.
    trainings
        Of the trials, with all epochs.

    References
    ----------
    Jamieson, Talwalkar (2016). Non-stochastic best arm identification and hyperparameter
    optimization. AISTATS, algorithm 1. arXiv:1502.07943. There a training goes on from rung to
    rung; here it begins anew in each, so that its learning rate ends with its epochs.
    """
    n_cuts = 0
    while factor ** (n_cuts + 1) <= n_trials and all(
        least_epochs(one, factor ** (n_cuts + 1)) <= one.epochs for one in trainings
    ):
        n_cuts += 1
    return [Rung(n_trials // factor**i, factor ** (n_cuts - i)) for i in range(n_cuts + 1)]


def shortened(settings: FinetuneSettings, divisor: int) -> FinetuneSettings:
    """Return the settings of a training with a part of its epochs, rounded up.

    The warm-up is a part of the training and takes the same part. What counts epochs without
    a better loss, or steps of an epoch, stays.
    """
    parts = ("epochs", "warmup_epochs")
    return settings.model_copy(
        update={name: math.ceil(getattr(settings, name) / divisor) for name in parts}
    )


def least_epochs(settings: FinetuneSettings, divisor: int) -> int:
    """Return the epochs whose part is a whole one, and is longer than its warm-up."""
    return max(divisor, divisor * shortened(settings, divisor).warmup_epochs + 1)


def in_words(found: Sequence[Rung]) -> str:
    """Return how many trials there are, and how many go on from rung to rung."""
    first, *later = (str(one.n_trials) for one in found)
    return f"{first} (the best {', then '.join(later)} go on)" if later else first
