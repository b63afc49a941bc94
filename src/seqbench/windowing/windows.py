"""The whole way from recordings to the three sets of windows."""

import numpy as np

from seqbench.config import WindowSettings
from seqbench.datasets.base import DataError
from seqbench.jobs import WindowJob
from seqbench.storage.recordings import Recordings
from seqbench.storage.windows import SPLITS, UNLABELLED, Normalization, Split, WindowSet
from seqbench.windowing.normalize import fit_normalization, normalize
from seqbench.windowing.segment import Window, cut
from seqbench.windowing.split import assign_splits


def make_windows(recordings: Recordings, job: WindowJob) -> dict[Split, WindowSet]:
    """Split, cut and normalise a dataset.

    Raises
    ------
    DataError
        If a part is empty, or a class has no window to train on.
    """
    part_of = assign_splits(recordings, job.split)
    windows = cut(recordings, job.window)
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
    _check(splits, recordings.classes)
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
