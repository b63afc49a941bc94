"""The task: values behind a window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from seqbench.config.registry import TASKS
from seqbench.storage.model_header import NetworkHeader
from seqbench.storage.normalization import Normalization
from seqbench.storage.sequences import Sequences
from seqbench.storage.windows import WindowSet
from seqbench.tasks.base import Task
from seqbench.windowing.transform import n_samples_lost, past, restored

if TYPE_CHECKING:
    from seqbench.models.base import Encoder
    from seqbench.tasks.head import Head
    from seqbench.tasks.targets import HorizonTargets, SampleRows


@TASKS.register("forecasting", labels="none")
class ForecastingTask(Task):
    """The samples behind a window, in the units of the data.

    Parameters
    ----------
    instance_norm
        Let networks read every window less its own mean and in its own
        deviation, channel by channel, and bring forecasts back (reversible
        instance normalisation).
    """

    name = "forecasting"
    headline = "skill"
    tiebreak = "mae"

    def __init__(self, *, instance_norm: bool = False) -> None:
        self.instance_norm = instance_norm

    def head(self, encoder: Encoder, header: NetworkHeader) -> Head:
        """Build a pooled linear layer for the whole horizon, or what carries on maps of video."""
        from seqbench.tasks.forecasting.head import ForecastingHead

        targets = header.targets
        if targets is None or not targets.horizon_samples:
            raise ValueError("forecasting needs targets and a horizon")
        return ForecastingHead(
            encoder,
            Normalization.of(targets.normalization),
            targets.horizon_samples,
            header.window_samples,
            header.head_dropout,
            header.frame_size,
            instance_norm=self.instance_norm,
        )

    def targets(self, windows: WindowSet, signal: SampleRows) -> HorizonTargets:
        """Return the normalised values behind every window."""
        from seqbench.tasks.targets import HorizonTargets

        return HorizonTargets(signal, windows.required_targets.horizon_samples)

    def finished(self, windows: WindowSet, predicted: NDArray[Any]) -> NDArray[Any]:
        """Return forecasts of the series itself, (N, H, D) or (N, H, C, rows, columns)."""
        transform = windows.required_targets.transform
        return restored(predicted, past(windows, n_samples_lost(transform)), transform)

    def join(
        self, windows: WindowSet, predicted: Any, *, are_probabilities: bool, tuned: dict[str, Any]
    ) -> Sequences:
        """Join forecasts with the horizons; see `Sequences.behind`."""
        return Sequences.behind(windows, predicted)
