"""Where windows begin and end. Every window lies inside one recording, and inside one label.

In detection labels are events, and windows slide over whole recordings.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from seqbench.config.stages import WindowSettings
from seqbench.storage.recordings import Recordings
from seqbench.storage.windows import UNLABELLED

DETECTION_SAMPLES = 1024  # of a window, unless the config says otherwise


@dataclass(frozen=True)
class Window:
    """Samples [start, stop) of a recording, and the index of their class or -1.

    In detection the class is that of the first event, or K for none.
    """

    recording: int
    start: int
    stop: int
    label: int


def cut(recordings: Recordings, settings: WindowSettings) -> list[Window]:
    """Cut recordings into windows.

    With `length_samples` a window of that length slides over each label;
    without, each label is one window with a length of its own. What no label
    covers becomes windows without a class, which serve pretraining: whole
    recordings always, gaps between labels when windows slide.
    """
    lengths = recordings.lengths
    spans: dict[int, list[tuple[int, int, int]]] = {i: [] for i in range(len(lengths))}
    for recording, label, start, stop in zip(
        recordings.label_recording,
        recordings.label,
        recordings.label_start,
        recordings.label_stop,
        strict=True,
    ):
        spans[int(recording)].append((int(start), int(stop), int(label)))
    windows = []
    for recording, labelled in spans.items():
        gaps = _gaps(sorted(labelled), int(lengths[recording]))
        if labelled and settings.length_samples is None:
            gaps = []
        for start, stop, label in sorted([*labelled, *gaps]):
            windows += [Window(recording, a, b, label) for a, b in _pieces(start, stop, settings)]
    return windows


def _gaps(labelled: list[tuple[int, int, int]], length: int) -> list[tuple[int, int, int]]:
    gaps, end = [], 0
    for start, stop, _ in labelled:
        if start > end:
            gaps.append((end, start, UNLABELLED))
        end = max(end, stop)
    if end < length:
        gaps.append((end, length, UNLABELLED))
    return gaps


def _pieces(start: int, stop: int, settings: WindowSettings) -> Iterator[tuple[int, int]]:
    """Yield the bounds of the windows of one span."""
    length = settings.length_samples
    if length is None:
        yield _truncated(start, stop, settings)
        return
    hop = _hop(length, settings)
    position = start
    while position + length <= stop:
        yield position, position + length
        position += hop
    covered = position - hop + length if position > start else start
    if settings.remainder == "keep" and covered < stop:
        yield position, stop


def cut_sequences(recordings: Recordings, settings: WindowSettings) -> list[Window]:
    """Cut recordings into windows whose samples each have a target, or none at all.

    Without `length_samples` a recording is one window.
    """
    windows = []
    for recording, targets in enumerate(recordings.targets or []):
        is_told = np.asarray(np.isfinite(targets).any(axis=1))
        for start, stop in _pieces(0, len(targets), settings):
            label = 0 if is_told[start:stop].any() else UNLABELLED
            windows.append(Window(recording, start, stop, label))
    return windows


def cut_before_horizons(
    recordings: Recordings, settings: WindowSettings, context: int
) -> list[Window]:
    """Cut windows with a horizon behind each that lies where it may be asked for.

    A window may reach back before that place; what it is asked never does.
    `context` samples before a horizon must be there.
    """
    length, horizon = settings.length_samples, settings.horizon_samples or 1
    if length is None:
        raise ValueError("forecasting needs `window.length_samples`")
    hop = _hop(length, settings) if settings.overlap or settings.step_samples else 1
    return [
        Window(recording, origin - length, origin, 0)
        for recording, (known_start, known_stop) in enumerate(recordings.known_spans.tolist())
        for origin in range(max(known_start, context), known_stop - horizon + 1, hop)
    ]


def _truncated(start: int, stop: int, settings: WindowSettings) -> tuple[int, int]:
    """Shorten a sequence to `max_samples`."""
    surplus = stop - start - (settings.max_samples or stop - start)
    if surplus <= 0:
        return start, stop
    lost_at_start = {"end": 0, "start": surplus, "centre": surplus // 2}[settings.truncate]
    return start + lost_at_start, stop - surplus + lost_at_start


def cut_recordings(recordings: Recordings, settings: WindowSettings) -> list[Window]:
    """Cut recordings with events into windows of one length, the last one moved back to fit.

    A recording shorter than that is one window. What reaches into a part
    where no event is labelled is kept for the rest; what lies in it altogether
    serves pretraining.
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
        length = min(int(n_samples), settings.length_samples or DETECTION_SAMPLES)
        hop = _hop(length, settings)
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


def _hop(length: int, settings: WindowSettings) -> int:
    return settings.step_samples or max(1, round(length * (1 - settings.overlap)))
