"""Forecasts from places in recordings."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.config.registry import TASK_RESULTS
from seqbench.errors import UserError
from seqbench.tasks.results import Floats, Predicted, Results, Table, column_names
from seqbench.windowing.transform import n_samples_lost


@TASK_RESULTS.register("forecasting")
class ForecastingResults(Results):
    """Values behind each origin.

    Attributes
    ----------
    recording, origin
        Of each forecast: index into `names`, and the first sample that it predicts, (N,).
    values
        (N, H, D) in the units of the channels; of video (N, H, C, rows, columns).
    targets
        Names of the D channels.
    """

    rows = ("sample",)

    def __init__(self, predicted: Predicted) -> None:
        super().__init__(predicted)
        self.values: Floats = np.asarray(predicted.values, dtype=np.float64)
        targets = self.header.targets
        n_lost = n_samples_lost(targets.transform) if targets else 0
        self.recording = np.array([one.recording for one in predicted.places], dtype=np.int64)
        self.origin = np.array([one.stop + n_lost for one in predicted.places], dtype=np.int64)
        self.targets = column_names(self.header)

    def arrays(self, rows: str | None = None) -> dict[str, NDArray[Any]]:
        """Return names and origins of all forecasts, and their values, of frames as well."""
        self.check_rows(rows)
        recording = np.array([self.names[i] for i in self.recording])
        return {"recording": recording, "origin": self.origin, "values": self.values}

    def _table(self, rows: str) -> Table:
        if self.values.ndim > 3:
            raise UserError("frames of video fit into no table; write them to a .npz file")
        horizon = self.values.shape[1]
        recording = np.repeat(self.recording, horizon)
        ahead = np.tile(np.arange(horizon), len(self.origin))
        sample = np.repeat(self.origin, horizon) + ahead
        values = self.values.reshape(-1, self.values.shape[2])
        return {
            "recording": [self.names[i] for i in recording],
            "ahead": ahead + 1,
            **self._moments("time" if self._has_times else "sample", recording, sample),
            **{name: values[:, i] for i, name in enumerate(self.targets)},
        }
