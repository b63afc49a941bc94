"""Figures of classification."""

from seqbench.config.registry import TASK_PROFILES
from seqbench.tasks.profile import TRAINING_FIGURES, TaskProfile


@TASK_PROFILES.register("classification")
class ClassificationProfile(TaskProfile):
    """One class for each window."""

    name = "classification"
    figures = (
        "leaderboard",
        "confusion",
        "roc",
        "calibration",
        "hardest",
        *TRAINING_FIGURES,
        "examples",
        "pictures",
    )
