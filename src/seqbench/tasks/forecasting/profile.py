"""Legal settings of forecasting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from seqbench.config.registry import TASK_PROFILES
from seqbench.config.stages import TransformSettings, WindowSettings
from seqbench.tasks.profile import TaskProfile, problems_of_sliding

if TYPE_CHECKING:
    from seqbench.config.datasets import DatasetEntry


@TASK_PROFILES.register("forecasting")
class ForecastingProfile(TaskProfile):
    """The samples behind a window."""

    name = "forecasting"
    looks_back = True

    def problems(self, dataset: str, entry: DatasetEntry, sample: str) -> Iterator[str]:
        """Yield settings that leave no window or no way back to the units of the data."""
        yield from problems_of_sliding(self.name, dataset, entry)
        if entry.window.length_samples is None:
            yield (
                f"datasets.{dataset}.window.length_samples: forecasting takes so many samples"
                " before each horizon as input; give a number"
            )
        if entry.normalization in ("per_recording", "per_window"):
            yield (
                f"datasets.{dataset}.normalization: forecasts do not come back from"
                f" {entry.normalization}; choose another one"
            )
        if sample == "video" and entry.transform != TransformSettings():
            yield (
                f"datasets.{dataset}.transform: frames of video are forecast as they are; take it"
                " out"
            )

    def with_defaults(self, window: WindowSettings) -> WindowSettings:
        """Return settings of windows that slide by one sample where they give no step."""
        if window.overlap or window.step_samples:
            return window
        return window.model_copy(update={"step_samples": 1})
