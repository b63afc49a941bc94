"""Words of classification."""

from seqbench.config.registry import TASK_PROFILES
from seqbench.tasks.profile import TaskProfile


@TASK_PROFILES.register("classification")
class ClassificationProfile(TaskProfile):
    """One class for each window."""

    name = "classification"
