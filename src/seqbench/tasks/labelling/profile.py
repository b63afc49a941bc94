"""Figures of labelling."""

from seqbench.config.registry import TASK_PROFILES
from seqbench.tasks.profile import TRAINING_FIGURES, TaskProfile


@TASK_PROFILES.register("labelling")
class LabellingProfile(TaskProfile):
    """A class for every sample."""

    name = "labelling"
    figures = ("leaderboard", "confusion", *TRAINING_FIGURES)
    counted = "samples"
