"""Recordings cut in time: what comes first is train, what comes last is test."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from seqbench.config.registry import TASKS
from seqbench.config.stages import SplitSettings
from seqbench.datasets.base import DataError
from seqbench.storage.lazy_array import span
from seqbench.storage.recordings import Recordings
from seqbench.storage.windows import SPLITS
from seqbench.windowing.split import DEFAULT_TEST


def split_in_time(
    recordings: Recordings, settings: SplitSettings, *, context_samples: int, n_lost: int
) -> Recordings:
    """Cut every recording into train, val and test.

    Parameters
    ----------
    recordings
        Without an official split.
    settings
        `val` and `test` are fractions of each recording.
    context_samples
        Samples before val and test that stand in front of them as well, as inputs of
        windows; they are no targets.
    n_lost
        Samples that recordings lost at their beginning; fractions count them.

    Returns
    -------
    Recordings
        Three for each, with their splits. `known` are the samples of the split itself.
        An event is in the split in which it begins; other labels are cut.

    Raises
    ------
    DataError
        If the source has an official split, or a split would be empty.
    """
    if of_segment := recordings.source.get("segments"):
        name = next(iter(of_segment.values()))
        raise DataError(
            f"split.by: '{name}' was split at its gaps, and what is in train of a segment would"
            " follow test of the one before; leave `by: time` out"
        )
    if any(recordings.splits):
        raise DataError("split.by: the source has an official split; leave `by: time` out")
    test = DEFAULT_TEST if settings.test is None else settings.test
    if isinstance(test, list) or isinstance(settings.val, list):
        raise ValueError("a split by time takes fractions")
    pieces = []
    for index, n_samples in enumerate(recordings.lengths.tolist()):
        n_test, n_val = (round(share * (n_samples + n_lost)) for share in (test, settings.val))
        bounds = [0, n_samples - n_test - n_val, n_samples - n_test, n_samples]
        for split, begin, end in zip(SPLITS, bounds[:-1], bounds[1:], strict=True):
            if begin >= end:
                raise DataError(
                    f"split: recording '{recordings.names[index]}' has {n_samples} samples, of"
                    f" which {split} would get none; choose larger fractions or longer recordings"
                )
            pieces.append((index, split, max(0, begin - context_samples), begin, end))
    return _pieces(recordings, pieces)


def _pieces(recordings: Recordings, pieces: Sequence[tuple[int, str, int, int, int]]) -> Recordings:
    known = recordings.known_spans
    have_onsets = TASKS.entry(recordings.task).tags.get("labels") == "events"
    labels: list[tuple[int, int, int, int]] = []
    kept_labels: list[int] = []
    for place, (index, _, first, begin, end) in enumerate(pieces):
        own = np.flatnonzero(recordings.label_recording == index)
        start = np.maximum(recordings.label_start[own], begin)
        stop = np.minimum(recordings.label_stop[own], end)
        kept = start < stop
        if have_onsets:  # what goes on past a bound does not begin there
            kept &= recordings.label_start[own] >= begin
        kept_labels += own[kept].tolist()
        spans = zip(recordings.label[own][kept], start[kept], stop[kept], strict=True)
        labels += [(place, int(label), int(a) - first, int(b) - first) for label, a, b in spans]
    of_labels = np.array(labels or np.zeros((0, 4)), dtype=np.int64)
    targets, amplitude = recordings.targets, recordings.label_amplitude
    return replace(
        recordings,
        signals=[span(recordings.signals[i], first, end) for i, _, first, _, end in pieces],
        targets=None if targets is None else [span(targets[i], f, e) for i, _, f, _, e in pieces],
        names=[f"{recordings.names[i]} ({split})" for i, split, *_ in pieces],
        groups=[recordings.groups[i] for i, *_ in pieces],
        splits=[split for _, split, *_ in pieces],
        known=np.array(
            [
                [max(begin, known[i, 0]) - first, max(min(end, known[i, 1]), begin) - first]
                for i, _, first, begin, end in pieces
            ],
            dtype=np.int64,
        ),
        label_recording=of_labels[:, 0],
        label=of_labels[:, 1],
        label_start=of_labels[:, 2],
        label_stop=of_labels[:, 3],
        label_amplitude=None if amplitude is None else amplitude[kept_labels],
    )
