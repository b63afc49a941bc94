"""Words of regression."""

from seqbench.config.registry import TASK_PROFILES
from seqbench.tasks.profile import TaskProfile


@TASK_PROFILES.register("regression")
class RegressionProfile(TaskProfile):
    """Values for every sample."""

    name = "regression"
