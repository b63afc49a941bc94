"""The score of a trial: by the rule that ranks models, and on val alone."""

from typing import Any, NamedTuple

from seqbench.storage.windows import WindowSet
from seqbench.tasks.base import Task
from seqbench.tasks.scoring import score

TRIAL_SEED = 0  # of all trials, whatever seeds the runs have
ARM, LABELS = "scratch", 1.0  # of all trials of networks


class ValScore(NamedTuple):
    """Headline on val, and what decides between equal ones; None: not defined."""

    headline: str
    score: float | None
    loss: float | None


def val_score(
    task: Task,
    val: WindowSet,
    predicted: Any,
    *,
    are_probabilities: bool,
    tuned: dict[str, Any],
) -> ValScore:
    """Return how good predictions of val are.

    Parameters
    ----------
    task
        Its headline ranks models, its `tiebreak` decides between equal ones.
    val
        The split.
    predicted
        As models and baselines return it.
    are_probabilities
        Whether scores are probabilities.
    tuned
        What the task has selected on val.
    """
    joined = task.join(val, predicted, are_probabilities=are_probabilities, tuned=tuned)
    headline = task.headline_of(val)
    found = score(task, joined, resamples=0, only={headline, task.tiebreak})
    values = {name: one["value"] for name, one in found.items()}
    return ValScore(headline, values.get(headline), values.get(task.tiebreak))
