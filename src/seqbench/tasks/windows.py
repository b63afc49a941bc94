"""How recordings of a task become windows: the hooks of step `window`, in numpy.

Apart from `Task`, so that a change of a head or a loss cuts no window again.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

import numpy as np
from numpy.typing import NDArray

from seqbench.datasets.base import DataError
from seqbench.plan.job_settings import WindowJobSettings
from seqbench.storage.lazy_array import AnyArray
from seqbench.storage.normalization import Normalization
from seqbench.storage.recordings import Recordings
from seqbench.storage.timeline import Timeline
from seqbench.storage.windows import UNLABELLED, Split, WindowSet
from seqbench.windowing.segment import Origins, Window, cut, cut_sequences


class TaskWindows:
    """How recordings of one task become windows; by default each window lies in one label.

    Attributes
    ----------
    needed
        What every split must hold, for messages.
    unlabelled
        What a recording without labels is, for messages.
    one_class_each
        Whether a window has one class, so that neighbours in the list of
        recordings can be compared by it.
    """

    needed = "labelled window"
    unlabelled = "unlabelled"
    one_class_each = False

    def prepared(self, recordings: Recordings, job: WindowJobSettings) -> Recordings:
        """Return recordings as they are split, cut and normalised: transformed, with targets."""
        return recordings

    def n_lost(self, job: WindowJobSettings) -> int:
        """Return how many samples recordings lose at their beginning when they are prepared."""
        return 0

    def look_back(self, job: WindowJobSettings) -> int:
        """Return how many samples before a split its windows may hold as inputs."""
        return 0

    def horizon_samples(self, job: WindowJobSettings) -> int:
        """Return how many samples behind a window are its target; 0: targets lie inside."""
        return 0

    def cut(self, recordings: Recordings, job: WindowJobSettings) -> list[Window]:
        """Cut prepared recordings into windows."""
        return cut(recordings, job.window)

    def cut_new(
        self, recordings: Recordings, job: WindowJobSettings, origins: Origins
    ) -> list[Window]:
        """Cut prepared recordings of which nothing is known; see `windows_of` for `origins`."""
        return self.cut(recordings, job)

    def target_normalization(
        self, of_signal: Normalization, values: Callable[[], AnyArray]
    ) -> Normalization:
        """Return the normalisation of targets, from that of the signal or the targets of train."""
        return of_signal

    def timeline(self, recordings: Recordings, windows: list[Window]) -> Timeline | None:
        """Return the whole recordings behind windows of one split, for tasks that need them."""
        return None

    def check(self, splits: dict[Split, WindowSet]) -> None:
        """Refuse splits that have nothing to learn from or to be scored on.

        Raises
        ------
        DataError
            If a split lacks what it needs.
        """
        for split, windows in splits.items():
            if not (windows.label != UNLABELLED).any():
                raise DataError(
                    f"{split} has no {self.needed};"
                    " shorten `window.length_samples`, set `window.remainder: keep`, or choose"
                    " another split"
                )

    def reference(self, windows: WindowSet) -> Callable[[int], Hashable]:
        """Return a function that gives the reference of a window, by index, to be compared."""
        label: Callable[[int], Hashable] = windows.label.__getitem__
        return label


class SampleWindows(TaskWindows):
    """Windows with a target for every sample, cut wherever labels begin and end."""

    def cut(self, recordings: Recordings, job: WindowJobSettings) -> list[Window]:
        """Cut recordings into windows, with or without known targets."""
        return cut_sequences(recordings, job.window)

    def cut_new(
        self, recordings: Recordings, job: WindowJobSettings, origins: Origins
    ) -> list[Window]:
        """Cut recordings so that every sample lies in a window."""
        return cut_sequences(recordings, job.window.model_copy(update={"remainder": "keep"}))

    def reference(self, windows: WindowSet) -> Callable[[int], Hashable]:
        """Return a function that gives the targets of the samples of a window, by index."""

        def values(index: int) -> Hashable:
            start = windows.start[index]
            return windows.required_targets.values[start : start + windows.length[index]].tobytes()

        return values


def check_classes(present: NDArray[np.int64], classes: list[str]) -> None:
    """Refuse labels of a single class, and classes without a label in train, (n_labels,).

    Raises
    ------
    DataError
        If there is one.
    """
    if len(classes) < 2:
        raise DataError(
            f"the labels name a single class, '{classes[0]}'; classification needs two or more"
        )
    missing = sorted(set(range(len(classes))) - set(present.tolist()))
    if missing:
        raise DataError(
            f"class '{classes[missing[0]]}' has no window in train; add recordings of it, move"
            " some to train, or drop the class from the labels"
        )
