"""Windows of regression: every sample has values as its target."""

from collections.abc import Callable, Hashable

import numpy as np
from numpy.typing import NDArray

from seqbench.config.registry import TASK_WINDOWS
from seqbench.plan.job_settings import WindowJobSettings
from seqbench.storage.normalization import Normalization
from seqbench.storage.recordings import Recordings
from seqbench.storage.windows import WindowSet
from seqbench.tasks.windows import TaskWindows, values_inside
from seqbench.windowing.normalize import fit_normalization
from seqbench.windowing.segment import Window, cut_sequences


@TASK_WINDOWS.register("regression")
class RegressionWindows(TaskWindows):
    """Windows whose samples have values each."""

    def cut(self, recordings: Recordings, job: WindowJobSettings) -> list[Window]:
        """Cut recordings into windows, with or without known values."""
        return cut_sequences(recordings, job.window)

    def target_normalization(
        self, of_signal: Normalization, values: Callable[[], NDArray[np.float32]]
    ) -> Normalization:
        """Return mean and standard deviation of the values in train."""
        del of_signal
        return fit_normalization(values(), "zscore")

    def reference(self, windows: WindowSet) -> Callable[[int], Hashable]:
        """Return a function that gives the values of the samples of a window."""
        return values_inside(windows)
