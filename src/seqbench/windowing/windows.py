"""The whole way from recordings to the three sets of windows."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqbench.config.registry import TASK_WINDOWS
from seqbench.config.stages import SplitSettings, TransformSettings, WindowSettings
from seqbench.datasets.base import DataError
from seqbench.plan.job_settings import WindowJobSettings
from seqbench.storage.lazy_array import AnyArray, changed, joined, span
from seqbench.storage.model_header import PredictorHeader
from seqbench.storage.normalization import Normalization
from seqbench.storage.recordings import Recordings
from seqbench.storage.targets import Targets
from seqbench.storage.windows import SPLITS, UNLABELLED, Split, WindowSet
from seqbench.windowing.left_out import Cut, left_out
from seqbench.windowing.normalize import fit_normalization, normalized
from seqbench.windowing.rename import renamed
from seqbench.windowing.segment import Origins, Window, is_padded
from seqbench.windowing.split import assign_splits, put_labels_aside
from seqbench.windowing.time_split import split_in_time
from seqbench.windowing.tokens import token_codes, token_ids, token_names, vocabulary

if TYPE_CHECKING:
    from seqbench.tasks.windows import TaskWindows

logger = logging.getLogger("seqbench")


class Piece(NamedTuple):
    """Samples [start, stop) of a recording as they stand in the signal, padding behind them."""

    recording: int
    start: int
    stop: int
    n_padded: int = 0

    @property
    def length(self) -> int:
        """Samples of the signal that it takes."""
        return self.stop - self.start + self.n_padded


def make_windows(recordings: Recordings, job: WindowJobSettings) -> dict[Split, WindowSet]:
    """Split, cut and normalise a dataset.

    Tokens become ids of the vocabulary of train and are never normalised. What
    serves no split is logged, and noted in the source of the windows.

    Raises
    ------
    DataError
        If a split is empty, a recording named for one does not serve there, or a
        class has no window to train on.
    """
    task: TaskWindows = TASK_WINDOWS[recordings.task]()
    recordings, split_of = _split(task, renamed(recordings, job.rename), job)
    windows = task.cut(recordings, job)
    if sentences := left_out(Cut(recordings, windows, split_of), job, task):
        for sentence in sentences:
            logger.warning("%s", sentence)
        notes = [*recordings.source.get("notes", ()), *sentences]
        recordings = replace(recordings, source=recordings.source | {"notes": notes})
    in_train = [split == "train" for split in split_of]
    channels, signal_of_train = recordings.channels, _of_train(recordings.signals, in_train)
    if recordings.sample == "tokens":
        codes = vocabulary(signal_of_train)
        channels = token_names(codes)
        recordings = _with_ids(recordings, codes)
        normalization = Normalization.neutral(1)
    else:
        normalization = fit_normalization(signal_of_train, job.normalization)
        recordings = _standardized(recordings, job.normalization)
    of_targets = task.target_normalization(
        normalization, lambda: _of_train(recordings.targets or [], in_train)
    )
    splits = {
        split: _window_set(
            recordings,
            [w for w in windows if split_of[w.recording] == split and _is_used(w, split)],
            split,
            channels,
            (normalization, of_targets),
            job,
            task,
        )
        for split in SPLITS
    }
    task.check(splits)
    return splits


def windows_of_test(
    recordings: Recordings,
    job: WindowJobSettings,
    like: WindowSet,
    like_job: WindowJobSettings,
) -> WindowSet:
    """Cut and normalise test of a dataset as windows that a model of another one learned from.

    Parameters
    ----------
    recordings, job
        Of the dataset, which decide what is test.
    like, like_job
        Train of the other dataset and how its windows were made: length, transform,
        normalisation and the order of classes are those.

    Raises
    ------
    DataError
        If test has nothing to be scored on, cut like that.
    """
    recordings = _in_order(renamed(recordings, job.rename), like.classes)
    if like.timeline is not None:  # a model keeps to the rule that it has learned
        recordings = replace(recordings, refractory_s=like.timeline.refractory_s)
    shared = {"window": like_job.window, "transform": like_job.transform}
    mixed = job.model_copy(update=shared | {"normalization": like_job.normalization})
    task: TaskWindows = TASK_WINDOWS[recordings.task]()
    recordings, split_of = _split(task, recordings, mixed)
    windows = [
        window
        for window in task.cut(recordings, mixed)
        if split_of[window.recording] == "test" and _is_used(window, "test")
    ]
    if not windows:
        raise DataError(
            f"test has no {task.needed} of the length that the model was trained on; cut shorter"
            " windows there, or leave the dataset out of `test_on`"
        )
    if recordings.sample == "tokens":
        recordings = _with_ids(recordings, token_codes(like.channels))
    else:
        recordings = _standardized(recordings, mixed.normalization)
    of_targets = like.targets.normalization if like.targets else like.normalization
    normalizations = (like.normalization, of_targets)
    return _window_set(recordings, windows, "test", like.channels, normalizations, mixed, task)


def _in_order(recordings: Recordings, classes: list[str]) -> Recordings:
    """Return recordings with the same classes in another order."""
    place = np.array([classes.index(name) for name in recordings.classes], dtype=np.int64)
    label = place[recordings.label] if len(place) else recordings.label
    return replace(recordings, classes=classes, label=label)


def _split(
    task: TaskWindows, recordings: Recordings, job: WindowJobSettings
) -> tuple[Recordings, list[str]]:
    """Return prepared recordings, in time pieces of them, and the split of each."""
    recordings = task.prepared(recordings, job)
    if job.split.by == "time":
        recordings = split_in_time(
            recordings, job.split, context_samples=task.look_back(job), n_lost=task.n_lost(job)
        )
        return recordings, recordings.splits
    split_of = list(assign_splits(recordings, job.split, job.fold))
    return put_labels_aside(recordings, job.split), split_of


def windows_of(
    recordings: Recordings,
    header: PredictorHeader,
    origins: Origins = "end",
    *,
    in_units: bool = False,
) -> tuple[WindowSet, list[Window]]:
    """Cut and normalise recordings that belong to no split as those that a model learned from.

    Parameters
    ----------
    recordings
        Without labels, of the channels of the model.
    header
        Of the model.
    origins
        Forecasting: the first sample to predict, in each recording or, as "end", behind the
        last one; "all": wherever the benchmark would predict, and the horizon is there.
    in_units
        Leave the signal as it is, for models that normalise it themselves.

    Returns
    -------
    WindowSet
        Called test; none of its windows has a label.
    list
        Where each window lies in its recording.
    """
    cutting = header.cutting
    if header.window_samples == 1:  # rows of a table, each of which was a recording of its own
        cutting = WindowSettings(length_samples=1)
    job = WindowJobSettings(
        split=SplitSettings(),
        transform=header.targets.transform if header.targets else TransformSettings(),
        window=cutting,
        normalization=header.normalization.mode,
    )
    task: TaskWindows = TASK_WINDOWS[header.task]()
    recordings = task.prepared(recordings, job)
    windows = task.cut_new(recordings, job, origins)
    if recordings.sample == "tokens":
        recordings = _with_ids(recordings, token_codes(header.channels))
    else:
        recordings = _standardized(recordings, header.normalization.mode)
    normalization = Normalization.of(header.normalization)
    of_targets = Normalization.of(header.targets.normalization) if header.targets else normalization
    channels = list(header.channels)
    zero = np.zeros(len(normalization.centre))  # of padding
    if in_units:
        zero, normalization = normalization.centre, Normalization.neutral(len(zero))
    normalizations = (normalization, of_targets)
    made = _window_set(recordings, windows, "test", channels, normalizations, job, task, zero)
    return made, windows


def _with_ids(recordings: Recordings, codes: NDArray[np.int64]) -> Recordings:
    """Return recordings of tokens with ids in place of code points."""
    signals = [changed(s, lambda rows, _: token_ids(rows, codes)) for s in recordings.signals]
    return replace(recordings, signals=signals)


def _standardized(recordings: Recordings, mode: str) -> Recordings:
    """Return recordings each centred and scaled by itself, where the normalisation is so."""
    if mode != "per_recording":
        return recordings
    signals = [normalized(s, fit_normalization(s, "zscore")) for s in recordings.signals]
    return replace(recordings, signals=signals)


def _of_train(arrays: Sequence[AnyArray], in_train: list[bool]) -> AnyArray:
    of_train = [a for a, is_train in zip(arrays, in_train, strict=True) if is_train]
    return joined(of_train, of_train[0].shape[1:])


def _is_used(window: Window, split: Split) -> bool:
    """Windows without a class serve pretraining, which sees train alone."""
    return window.label != UNLABELLED or split == "train"


def _window_set(
    recordings: Recordings,
    windows: list[Window],
    split: Split,
    channels: list[str],
    normalizations: tuple[Normalization, Normalization],
    job: WindowJobSettings,
    task: TaskWindows,
    zero: NDArray[np.float64] | float = 0.0,
) -> WindowSet:
    pieces, start = _lay_out(windows, recordings, job.window)
    normal = [
        normalized(span(recordings.signals[p.recording], p.start, p.stop), normalizations[0])
        for p in pieces
    ]
    row = recordings.signals[0].shape[1:]
    signal = _padded(normal, pieces, job.window.pad_with, row, zero)
    return WindowSet(
        task=recordings.task,
        sample=recordings.sample,
        split=split,
        signal=signal,
        start=start,
        length=np.array(
            [p.length for p in pieces]
            if is_padded(job.window)
            else [w.stop - w.start for w in windows],
            dtype=np.int64,
        ),
        label=np.array([w.label for w in windows], dtype=np.int64),
        recording=np.array([w.recording for w in windows], dtype=np.int64),
        names=recordings.names,
        groups=recordings.groups,
        channels=channels,
        classes=recordings.classes,
        normalization=normalizations[0],
        sampling_rate_hz=recordings.sampling_rate_hz,
        timeline=task.timeline(recordings, windows),
        targets=_targets(recordings, pieces, normalizations[1], job, task.horizon_samples(job)),
        truth=recordings.truth,
        source=recordings.source,
        cutting=job.window,
        units=[] if recordings.sample == "tokens" else recordings.units,
        official_splits=_official_splits(recordings, job),
    )


def _official_splits(recordings: Recordings, job: WindowJobSettings) -> list[str]:
    """Return the splits that are those of the source: neither drawn nor named in the config."""
    if job.split.by == "time" or job.fold is not None or job.split.test is not None:
        return []
    return [split for split in SPLITS if split in recordings.splits]


def _targets(
    recordings: Recordings,
    pieces: list[Piece],
    normalization: Normalization,
    job: WindowJobSettings,
    horizon_samples: int,
) -> Targets | None:
    if recordings.targets is None:
        return None
    return Targets(
        values=_padded(
            [span(recordings.targets[p.recording], p.start, p.stop) for p in pieces],
            pieces,
            "nothing",
            recordings.targets[0].shape[1:],
        ),
        names=recordings.target_names,
        units=recordings.target_units,
        normalization=normalization,
        horizon_samples=horizon_samples,
        transform=job.transform,
    )


def _lay_out(
    windows: list[Window], recordings: Recordings, settings: WindowSettings
) -> tuple[list[Piece], np.ndarray]:
    """Return what stands end to end in the signal, and where each window begins in it.

    Recordings stand whole and once, however much their windows overlap.
    Padding has no place in a recording, so padded sequences stand one by one.
    """
    if not is_padded(settings):
        used = dict.fromkeys(w.recording for w in windows)
        pieces = [Piece(r, 0, len(recordings.signals[r])) for r in used]
        begin = np.cumsum([0, *(piece.length for piece in pieces)])
        offset_of = dict(zip(used, begin.tolist(), strict=False))
        start = [offset_of[w.recording] + w.start for w in windows]
    else:
        pad_to = settings.pad_to_samples or 0
        pieces = [
            Piece(w.recording, w.start, w.stop, max(0, pad_to - (w.stop - w.start)))
            for w in windows
        ]
        start = np.cumsum([0, *(piece.length for piece in pieces)])[:-1].tolist()
    return pieces, np.array(start, dtype=np.int64)


def _padded(
    arrays: Sequence[AnyArray],
    pieces: list[Piece],
    pad_with: str,
    row: tuple[int, ...],
    zero: NDArray[np.float64] | float = 0.0,
) -> AnyArray:
    """Return arrays end to end, (n_samples, *row) float32, each with its padding.

    `zero` is what stands for 0 in each channel.
    """
    if np.ndim(zero):
        zero = np.reshape(zero, (-1, *(1 for _ in row[1:])))
    parts: list[AnyArray] = []
    for array, piece in zip(arrays, pieces, strict=True):
        parts.append(array)
        if piece.n_padded:
            last = array[len(array) - 1 :][0]
            value = {"edge": last, "zero": zero, "nothing": np.nan}[pad_with]
            parts.append(np.broadcast_to(np.asarray(value, np.float32), (piece.n_padded, *row)))
    return joined(parts, row)
