"""What config, plan and report know of a task without any data; light to import.

Apart from `Task`, so that a reworded error trains nothing again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from seqbench.config.stages import TransformSettings, WindowSettings

if TYPE_CHECKING:
    from seqbench.config.datasets import DatasetEntry

SLIDING = {"length_samples", "overlap", "step_samples", "horizon_samples"}


class TaskProfile:
    """Legal settings and words of one task; its figures carry its name, see `FIGURES`.

    Attributes
    ----------
    name
        Registered name.
    counted
        What carries a label: windows, samples or events.
    looks_back
        Whether windows hold samples from before their split, with a split in time.
    """

    name: str
    counted = "windows"
    looks_back = False

    def problems(self, dataset: str, entry: DatasetEntry, sample: str) -> Iterator[str]:
        """Yield a sentence for each setting of a dataset that the task has no use for.

        Parameters
        ----------
        dataset
            Its name, as keys of the config are named.
        entry
            Split, transform, window and normalisation.
        sample
            series, tokens or video.
        """
        if entry.window.horizon_samples is not None:
            yield f"datasets.{dataset}.window.horizon_samples: {self.name} has none; take that out"
        if entry.transform != TransformSettings():
            yield f"datasets.{dataset}.transform: only forecasts come back from it; take it out"

    def with_defaults(self, window: WindowSettings) -> WindowSettings:
        """Return settings of windows with the task's own defaults filled in."""
        return window


def problems_of_sliding(task: str, dataset: str, entry: DatasetEntry) -> Iterator[str]:
    """Yield settings that have no effect on windows which slide over whole recordings."""
    unused = [
        name
        for name, field in WindowSettings.model_fields.items()
        if name not in SLIDING and getattr(entry.window, name) != field.default
    ]
    if unused:
        yield (
            f"datasets.{dataset}.window: windows of {task} slide over whole recordings,"
            f" so {' and '.join(unused)} would have no effect; take that out"
        )
