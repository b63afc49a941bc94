"""The whole way from recordings to the three sets of windows."""

import numpy as np

from seqbench.datasets.base import DataError
from seqbench.jobs import WindowJob
from seqbench.settings import WindowSettings
from seqbench.storage.recordings import Recordings
from seqbench.storage.timeline import Timeline
from seqbench.storage.windows import SPLITS, UNLABELLED, Normalization, Split, WindowSet
from seqbench.windowing.normalize import fit_normalization, normalize
from seqbench.windowing.segment import Window, cut, cut_recordings
from seqbench.windowing.split import assign_splits, put_labels_aside


def make_windows(recordings: Recordings, job: WindowJob) -> dict[Split, WindowSet]:
    """Split, cut and normalise a dataset.

    Raises
    ------
    DataError
        If a part is empty, or a class has no window to train on.
    """
    part_of = assign_splits(recordings, job.split)
    recordings = put_labels_aside(recordings, job.split)
    is_detection = recordings.task == "detection"
    windows = (cut_recordings if is_detection else cut)(recordings, job.window)
    train = [s for s, part in zip(recordings.signals, part_of, strict=True) if part == "train"]
    normalization = fit_normalization(np.concatenate(train), job.normalization)
    splits = {
        split: _window_set(
            recordings,
            [w for w in windows if part_of[w.recording] == split and _is_used(w, split)],
            split,
            normalization,
            job.window,
        )
        for split in SPLITS
    }
    (_check_events if is_detection else _check)(splits, recordings.classes)
    return splits


def _is_used(window: Window, split: Split) -> bool:
    """Windows without a class serve pretraining, which sees train alone."""
    return window.label != UNLABELLED or split == "train"


def _window_set(
    recordings: Recordings,
    windows: list[Window],
    split: Split,
    normalization: Normalization,
    settings: WindowSettings,
) -> WindowSet:
    signal, start, length = _lay_out(recordings, windows, normalization, settings)
    timeline = _timeline(recordings, windows) if recordings.task == "detection" else None
    return WindowSet(
        task=recordings.task,
        sample=recordings.sample,
        split=split,
        signal=signal,
        start=start,
        length=length,
        label=np.array([w.label for w in windows], dtype=np.int64),
        recording=np.array([w.recording for w in windows], dtype=np.int64),
        names=recordings.names,
        groups=recordings.groups,
        channels=recordings.channels,
        classes=recordings.classes,
        normalization=normalization,
        sampling_rate_hz=recordings.sampling_rate_hz,
        timeline=timeline,
        truth=recordings.truth,
        source=recordings.source,
    )


def _timeline(recordings: Recordings, windows: list[Window]) -> Timeline:
    """Return the recordings that windows were cut from, end to end, and their events."""
    chosen = np.array(list(dict.fromkeys(w.recording for w in windows)), dtype=np.int64)
    lengths = recordings.lengths[chosen]
    start = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    known = recordings.known_spans[chosen] + start[:-1, None]
    offset_of = dict(zip(chosen.tolist(), start.tolist(), strict=False))
    # An event outside the labelled span is no reference: nobody says what else is there.
    own = np.flatnonzero(np.isin(recordings.label_recording, chosen) & recordings.is_known)
    shift = np.array([offset_of[int(r)] for r in recordings.label_recording[own]], dtype=np.int64)
    order = np.argsort(recordings.label_start[own] + shift, kind="stable")
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
    )


def _lay_out(
    recordings: Recordings,
    windows: list[Window],
    normalization: Normalization,
    settings: WindowSettings,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return one normalised signal and the start and length of each window in it.

    Recordings stand whole and once, however much their windows overlap.
    Padding has no place in a recording, so padded sequences stand one by one.
    """
    pad_to = settings.pad_to_samples if settings.length_samples is None else None
    pieces: list[np.ndarray] = []
    if pad_to is None:
        offset_of: dict[int, int] = {}
        total = 0
        for recording in dict.fromkeys(w.recording for w in windows):
            offset_of[recording] = total
            pieces.append(normalize(recordings.signals[recording], normalization))
            total += len(pieces[-1])
        start = [offset_of[w.recording] + w.start for w in windows]
        length = [w.stop - w.start for w in windows]
    else:
        for w in windows:
            piece = normalize(recordings.signals[w.recording][w.start : w.stop], normalization)
            missing = max(0, pad_to - len(piece))
            value = piece[-1] if settings.pad_with == "edge" else np.zeros_like(piece[-1])
            pieces.append(np.concatenate([piece, np.tile(value, (missing, 1))]))
        length = [len(piece) for piece in pieces]
        start = np.cumsum([0, *length])[:-1].tolist()
    empty = np.zeros((0, len(recordings.channels)), dtype=np.float32)
    signal = np.concatenate([empty, *pieces]).astype(np.float32, copy=False)
    return signal, np.array(start, dtype=np.int64), np.array(length, dtype=np.int64)


def _check(splits: dict[Split, WindowSet], classes: list[str]) -> None:
    for split, windows in splits.items():
        if not (windows.label != UNLABELLED).any():
            raise DataError(
                f"{split} has no labelled window; shorten `window.length_samples`, set"
                " `window.remainder: keep`, or choose another split"
            )
    if len(classes) < 2:
        raise DataError(
            f"the labels name a single class, '{classes[0]}'; classification needs two or more"
        )
    missing = sorted(set(range(len(classes))) - set(splits["train"].label.tolist()))
    if missing:
        raise DataError(
            f"class '{classes[missing[0]]}' has no window in train; add recordings of it, move"
            " some to train, or drop the class from the labels"
        )


def _check_events(splits: dict[Split, WindowSet], classes: list[str]) -> None:
    for split, windows in splits.items():
        if windows.timeline is None or not len(windows.timeline.onset):
            raise DataError(
                f"{split} has no labelled event; choose another split or add labelled recordings"
            )
    in_train = splits["train"].timeline
    missing = sorted(set(range(len(classes))) - set(in_train.type.tolist() if in_train else ()))
    if missing:
        raise DataError(
            f"event type '{classes[missing[0]]}' does not occur in train; add recordings of it,"
            " move some to train, or drop the type from the events"
        )
