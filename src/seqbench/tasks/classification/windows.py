"""Windows of classification: each in one label, every class in train."""

from seqbench.config.registry import TASK_WINDOWS
from seqbench.storage.windows import UNLABELLED, Split, WindowSet
from seqbench.tasks.windows import TaskWindows, check_classes


@TASK_WINDOWS.register("classification")
class ClassificationWindows(TaskWindows):
    """Windows of one class each."""

    one_class_each = True

    def check(self, splits: dict[Split, WindowSet]) -> None:
        """Refuse splits without a labelled window, and classes without one in train."""
        super().check(splits)
        label = splits["train"].label
        check_classes(label[label != UNLABELLED], splits["train"].classes)
