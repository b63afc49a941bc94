"""Where windows begin and end. Every window lies inside one recording."""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np

from seqbench.config.stages import WindowSettings
from seqbench.storage.lazy_array import blocks
from seqbench.storage.recordings import Recordings
from seqbench.storage.windows import UNLABELLED

Origins = Literal["end", "all"] | Sequence[int]


class Window(NamedTuple):
    """Samples [start, stop) of a recording, and the index of their class or -1."""

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
    hop = hop_samples(length, settings)
    position = start
    while position + length <= stop:
        yield position, position + length
        position += hop
    covered = position - hop + length if position > start else start
    if settings.remainder == "keep" and max(covered, position) < stop:
        yield position, stop


def cut_sequences(recordings: Recordings, settings: WindowSettings) -> list[Window]:
    """Cut recordings into windows whose samples each have a target, or none at all.

    Without `length_samples` a recording is one window.
    """
    windows = []
    for recording, targets in enumerate(recordings.targets or []):
        is_known = np.concatenate(
            [np.isfinite(block).any(axis=1) for block in blocks(targets)] or [np.zeros(0, np.bool_)]
        )
        for start, stop in _pieces(0, len(targets), settings):
            label = 0 if is_known[start:stop].any() else UNLABELLED
            windows.append(Window(recording, start, stop, label))
    return windows


def _truncated(start: int, stop: int, settings: WindowSettings) -> tuple[int, int]:
    """Shorten a sequence to `max_samples`."""
    surplus = stop - start - (settings.max_samples or stop - start)
    if surplus <= 0:
        return start, stop
    lost_at_start = {"end": 0, "start": surplus, "centre": surplus // 2}[settings.truncate]
    return start + lost_at_start, stop - surplus + lost_at_start


def hop_samples(length: int, settings: WindowSettings) -> int:
    """Return the samples from the start of one sliding window to that of the next."""
    return settings.step_samples or max(1, round(length * (1 - settings.overlap)))


def is_padded(settings: WindowSettings) -> bool:
    """Return whether short sequences are filled up to a length."""
    return settings.length_samples is None and settings.pad_to_samples is not None
