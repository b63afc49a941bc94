"""Windows of regression: every sample has values as its target."""

from collections.abc import Callable

from seqbench.config.registry import TASK_WINDOWS
from seqbench.storage.lazy_array import AnyArray
from seqbench.storage.normalization import Normalization
from seqbench.tasks.windows import SampleWindows
from seqbench.windowing.normalize import fit_normalization


@TASK_WINDOWS.register("regression")
class RegressionWindows(SampleWindows):
    """Windows whose samples have values each."""

    def target_normalization(
        self, of_signal: Normalization, values: Callable[[], AnyArray]
    ) -> Normalization:
        """Return mean and standard deviation of the values in train."""
        return fit_normalization(values(), "zscore")
