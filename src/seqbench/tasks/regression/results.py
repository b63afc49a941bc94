"""Predicted values of samples."""

import numpy as np

from seqbench.config.registry import TASK_RESULTS
from seqbench.tasks.results import Floats, Predicted, Results, Table, by_sample, column_names


@TASK_RESULTS.register("regression")
class RegressionResults(Results):
    """Values for each sample.

    Attributes
    ----------
    values
        Of all samples of each recording, (n_samples, D) in their units, NaN where no window was.
    targets
        Names of the D values.
    """

    rows = ("sample",)

    def __init__(self, predicted: Predicted) -> None:
        super().__init__(predicted)
        self.values: list[Floats] = list(by_sample(predicted))
        self.targets = column_names(self.header)

    def _table(self, rows: str) -> Table:
        recording = np.repeat(np.arange(len(self.values)), [len(one) for one in self.values])
        sample = np.concatenate([np.arange(len(one)) for one in self.values])
        values = np.concatenate(self.values)
        is_known = ~np.isnan(values).any(axis=1)
        recording, sample, values = recording[is_known], sample[is_known], values[is_known]
        return {
            "recording": [self.names[i] for i in recording],
            **self._moments("time" if self._has_times else "sample", recording, sample),
            **{name: values[:, i] for i, name in enumerate(self.targets)},
        }
