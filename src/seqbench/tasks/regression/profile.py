"""Figures of regression."""

from seqbench.config.registry import TASK_PROFILES
from seqbench.tasks.profile import TRAINING_FIGURES, TaskProfile


@TASK_PROFILES.register("regression")
class RegressionProfile(TaskProfile):
    """Values for every sample."""

    name = "regression"
    figures = ("leaderboard", "answers", "agreement", *TRAINING_FIGURES)
