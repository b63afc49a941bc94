"""Windows of labelling: the class of every sample is a target."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from seqbench.config.registry import TASK_WINDOWS
from seqbench.plan.job_settings import WindowJobSettings
from seqbench.storage.normalization import Normalization
from seqbench.storage.recordings import Recordings
from seqbench.storage.windows import Split, WindowSet
from seqbench.tasks.windows import SampleWindows, check_classes


@TASK_WINDOWS.register("labelling")
class LabellingWindows(SampleWindows):
    """Windows whose samples have a class each."""

    def prepared(self, recordings: Recordings, job: WindowJobSettings) -> Recordings:
        """Return recordings with the index of the class of every sample as target."""
        targets = [np.full((n, 1), np.nan, dtype=np.float32) for n in recordings.lengths]
        for recording, label, start, stop in zip(
            recordings.label_recording,
            recordings.label,
            recordings.label_start,
            recordings.label_stop,
            strict=True,
        ):
            targets[recording][start:stop] = label
        return replace(recordings, targets=targets, target_names=["class"], target_units=[""])

    def target_normalization(
        self, of_signal: Normalization, values: Callable[[], NDArray[np.float32]]
    ) -> Normalization:
        """Return none: classes are no quantities."""
        return Normalization.neutral(1)

    def check(self, splits: dict[Split, WindowSet]) -> None:
        """Refuse splits without a labelled window, and classes without a sample in train."""
        super().check(splits)
        values = splits["train"].required_targets.values[:, 0]
        check_classes(values[np.isfinite(values)].astype(np.int64), splits["train"].classes)
