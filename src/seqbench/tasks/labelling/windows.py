"""Windows of labelling: the class of every sample is a target."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from seqbench.config.registry import TASK_WINDOWS
from seqbench.plan.job_settings import WindowJobSettings
from seqbench.storage.lazy_array import AnyArray, blocks, changed
from seqbench.storage.normalization import Normalization
from seqbench.storage.recordings import Recordings
from seqbench.storage.windows import Split, WindowSet
from seqbench.tasks.windows import SampleWindows, check_classes


@TASK_WINDOWS.register("labelling")
class LabellingWindows(SampleWindows):
    """Windows whose samples have a class each."""

    def prepared(self, recordings: Recordings, job: WindowJobSettings) -> Recordings:
        """Return recordings with the index of the class of every sample as target."""
        targets = [_classes_of_samples(recordings, i) for i in range(len(recordings.signals))]
        return replace(recordings, targets=targets, target_names=["class"], target_units=[""])

    def target_normalization(
        self, of_signal: Normalization, values: Callable[[], AnyArray]
    ) -> Normalization:
        """Return none: classes are no quantities."""
        return Normalization.neutral(1)

    def check(self, splits: dict[Split, WindowSet]) -> None:
        """Refuse splits without a labelled window, and classes without a sample in train."""
        super().check(splits)
        values = splits["train"].required_targets.values
        present = [np.unique(block[np.isfinite(block)]) for block in blocks(values)]
        check_classes(np.concatenate(present).astype(np.int64), splits["train"].classes)


def _classes_of_samples(recordings: Recordings, recording: int) -> AnyArray:
    """Return the class of every sample of a recording, (n_samples, 1), as lazy as its signal."""
    own = np.flatnonzero(recordings.label_recording == recording)
    labels = [
        column[own].tolist()
        for column in (recordings.label_start, recordings.label_stop, recordings.label)
    ]

    def classes(rows: NDArray[np.float32], first: int) -> NDArray[np.float32]:
        values = np.full((len(rows), 1), np.nan, dtype=np.float32)
        for start, stop, label in zip(*labels, strict=True):
            values[max(start - first, 0) : max(stop - first, 0)] = label
        return values

    return changed(recordings.signals[recording], classes, row=(1,))
