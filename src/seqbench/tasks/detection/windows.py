"""Windows of detection: they slide over whole recordings, whose events are the labels."""

from collections.abc import Callable, Hashable

import numpy as np

from seqbench.config.registry import TASK_WINDOWS
from seqbench.config.stages import WindowSettings
from seqbench.datasets.base import DataError
from seqbench.plan.job_settings import WindowJobSettings
from seqbench.storage.recordings import Recordings
from seqbench.storage.timeline import Timeline
from seqbench.storage.windows import UNLABELLED, Split, WindowSet
from seqbench.tasks.windows import TaskWindows
from seqbench.windowing.segment import Window, hop_samples

DEFAULT_SAMPLES = 1024  # of a window, where the config gives no length


@TASK_WINDOWS.register("detection")
class DetectionWindows(TaskWindows):
    """Windows over whole recordings, with a timeline of their events."""

    unlabelled = "neither labelled nor stated to hold no event"

    def cut(self, recordings: Recordings, job: WindowJobSettings) -> list[Window]:
        """Cut recordings into windows of one length, wherever events are."""
        return cut_recordings(recordings, job.window)

    def timeline(self, recordings: Recordings, windows: list[Window]) -> Timeline:
        """Return the recordings that windows were cut from, end to end, and their events."""
        chosen = np.array(list(dict.fromkeys(w.recording for w in windows)), dtype=np.int64)
        lengths = recordings.lengths[chosen]
        start = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        known = recordings.known_spans[chosen] + start[:-1, None]
        offset_of = dict(zip(chosen.tolist(), start.tolist(), strict=False))
        # An event outside the labelled span is no reference: what else is there is unknown.
        own = np.flatnonzero(np.isin(recordings.label_recording, chosen) & recordings.is_known)
        shift = np.array(
            [offset_of[int(r)] for r in recordings.label_recording[own]], dtype=np.int64
        )
        order = np.argsort(recordings.label_start[own] + shift, kind="stable")
        amplitude = recordings.label_amplitude
        if recordings.tolerance_ms is None:
            raise ValueError("detection needs a tolerance")
        return Timeline(
            recording=chosen,
            start=start[:-1],
            stop=start[1:],
            known_start=known[:, 0],
            known_stop=known[:, 1],
            onset=(recordings.label_start[own] + shift)[order],
            offset=(recordings.label_stop[own] + shift)[order],
            type=recordings.label[own][order],
            refractory_s=recordings.refractory_s,
            tolerance_ms=recordings.tolerance_ms,
            ranked_types=recordings.ranked_types,
            amplitude=None if amplitude is None else amplitude[own][order],
        )

    def check(self, splits: dict[Split, WindowSet]) -> None:
        """Refuse splits without an event, and types without one in train."""
        for split, windows in splits.items():
            if not len(windows.events.onset):
                raise DataError(
                    f"{split} has no labelled event; choose another split or add labelled"
                    " recordings"
                )
        train = splits["train"]
        missing = sorted(set(range(len(train.classes))) - set(train.events.type.tolist()))
        if missing:
            raise DataError(
                f"event type '{train.classes[missing[0]]}' does not occur in train; add recordings"
                " of it, move some to train, or drop the type from the events"
            )

    def reference(self, windows: WindowSet) -> Callable[[int], Hashable]:
        """Return a function that gives times and types of the events of a window."""
        timeline = windows.events

        def events(index: int) -> Hashable:
            start = windows.start[index]
            first, last = np.searchsorted(timeline.onset, [start, start + windows.length[index]])
            own = slice(int(first), int(last))
            return (timeline.onset[own] - start).tobytes(), timeline.type[own].tobytes()

        return events


def cut_recordings(recordings: Recordings, settings: WindowSettings) -> list[Window]:
    """Cut recordings with events into windows of one length, the last one moved back to fit.

    A recording shorter than that is one window. The class of a window is the
    type of its first event, or K for none. A window with samples inside and
    outside of the labelled span is kept for those inside; one altogether
    outside serves pretraining.
    """
    n_types = len(recordings.classes)
    order = np.lexsort((recordings.label_start, recordings.label_recording))
    order = order[recordings.is_known[order]]
    of_recording = np.split(
        order, np.searchsorted(recordings.label_recording[order], range(1, len(recordings.names)))
    )
    windows = []
    for recording, (n_samples, known) in enumerate(
        zip(recordings.lengths, recordings.known_spans, strict=True)
    ):
        onset = recordings.label_start[of_recording[recording]]
        kind = recordings.label[of_recording[recording]]
        length = min(int(n_samples), settings.length_samples or DEFAULT_SAMPLES)
        hop = hop_samples(length, settings)
        starts = list(range(0, int(n_samples) - length + 1, hop))
        if starts[-1] + length < n_samples:
            starts.append(int(n_samples) - length)
        for start in starts:
            first, last = np.searchsorted(onset, [start, start + length])
            is_known = start < known[1] and start + length > known[0]
            label = int(kind[first]) if first < last else n_types
            windows.append(
                Window(recording, start, start + length, label if is_known else UNLABELLED)
            )
    return windows
