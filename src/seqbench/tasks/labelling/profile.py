"""Words of labelling."""

from seqbench.config.registry import TASK_PROFILES
from seqbench.tasks.profile import TaskProfile


@TASK_PROFILES.register("labelling")
class LabellingProfile(TaskProfile):
    """A class for every sample."""

    name = "labelling"
    counted = "samples"
