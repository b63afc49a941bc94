"""Legal settings of detection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from seqbench.config.registry import TASK_PROFILES
from seqbench.config.stages import WindowSettings
from seqbench.tasks.profile import TaskProfile, problems_of_sliding

if TYPE_CHECKING:
    from seqbench.config.datasets import DatasetEntry


@TASK_PROFILES.register("detection")
class DetectionProfile(TaskProfile):
    """Typed, timed events in recordings."""

    name = "detection"
    counted = "events"

    def problems(self, dataset: str, entry: DatasetEntry, sample: str) -> Iterator[str]:
        """Yield settings that whole recordings of any length have no use for."""
        yield from super().problems(dataset, entry, sample)
        yield from problems_of_sliding(self.name, dataset, entry)
        if entry.normalization == "per_recording":
            yield (
                f"datasets.{dataset}.normalization: events are detected while a recording lasts,"
                " before per_recording could know its mean; choose another one"
            )

    def with_defaults(self, window: WindowSettings) -> WindowSettings:
        """Return settings of windows of at most 1024 samples where they give no length."""
        from seqbench.tasks.detection.windows import DEFAULT_SAMPLES

        length = window.length_samples or DEFAULT_SAMPLES
        return window.model_copy(update={"length_samples": length})
