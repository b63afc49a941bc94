"""Recordings without a window that serves their split: refused where named, else counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from seqbench.datasets.base import DataError, counted, listed
from seqbench.plan.job_settings import WindowJobSettings
from seqbench.storage.lazy_array import any_known
from seqbench.storage.recordings import Recordings
from seqbench.storage.windows import UNLABELLED
from seqbench.windowing.segment import Window
from seqbench.windowing.split import named

if TYPE_CHECKING:
    from seqbench.tasks.windows import TaskWindows


@dataclass(frozen=True)
class Cut:
    """Recordings as they were split and cut.

    Parameters
    ----------
    recordings
        Labels put aside are gone, and of a split in time each piece is a recording.
    windows
        All that were cut, with or without a class.
    split_of
        Split of each recording, (R,).
    """

    recordings: Recordings
    windows: list[Window]
    split_of: list[str]


def left_out(cut: Cut, job: WindowJobSettings, task: TaskWindows) -> list[str]:
    """Return a sentence for each reason why recordings or labels serve no split.

    Recordings whose labels the config puts aside are left out on purpose and not counted.

    Raises
    ------
    DataError
        If a recording or group that `split` names has no window that serves there.
    """
    recordings = cut.recordings
    reasons = _reasons(cut, job, task)
    has_window = {window.recording for window in cut.windows}
    _refuse_named(cut, job, reasons, has_window)
    aside = set(named(recordings, job.split, "unlabelled", job.split.unlabelled))
    found: dict[str, list[str]] = {}
    for i, reason in reasons.items():
        in_pretraining = cut.split_of[i] == "train" and i in has_window
        if in_pretraining and i in aside:
            continue
        fate = "Serve pretraining alone" if in_pretraining else "Left out"
        found.setdefault(f"{fate}, as {reason}", []).append(recordings.names[i])
    noun = "piece" if job.split.by == "time" else "recording"
    total = counted(len(recordings.names), noun)
    sentences = [f"{what}: {len(of)} of {total} ({listed(of)})." for what, of in found.items()]
    if task.one_class_each and job.window.length_samples and job.window.remainder == "drop":
        n_samples = recordings.label_stop - recordings.label_start
        is_short = n_samples < job.window.length_samples
        # Those of recordings counted above are not counted again.
        is_short &= ~np.isin(recordings.label_recording, list(reasons))
        if n_short := int(is_short.sum()):
            intervals = counted(len(n_samples), "labelled interval")
            sentences.append(f"Shorter than {_window(job, task)}: {n_short} of {intervals}.")
    return sentences


def _reasons(cut: Cut, job: WindowJobSettings, task: TaskWindows) -> dict[int, str]:
    """Return why recordings have no labelled window, by their index."""
    recordings, window = cut.recordings, _window(job, task)
    has_window = {window.recording for window in cut.windows}
    is_served = {w.recording for w in cut.windows if w.label != UNLABELLED}
    shortest = task.look_back(job) + task.horizon_samples(job) or job.window.length_samples or 1
    reasons = {}
    for i, n_samples in enumerate(recordings.lengths.tolist()):
        if i in is_served:
            continue
        if i not in has_window and n_samples < shortest:
            reasons[i] = f"shorter than {window}"
        elif _has_label(recordings, i):
            reasons[i] = f"labelled in intervals shorter than {window}"
        else:
            reasons[i] = task.unlabelled
    return reasons


def _has_label(recordings: Recordings, index: int) -> bool:
    if recordings.targets is not None:
        return any_known(recordings.targets[index])
    start, stop = recordings.known_spans[index].tolist()
    return bool(start < stop)


def _window(job: WindowJobSettings, task: TaskWindows) -> str:
    length = counted(job.window.length_samples or 1, "sample")
    horizon = task.horizon_samples(job)
    return f"a window of {length}" + (f" and its horizon of {horizon}" if horizon else "")


def _refuse_named(
    cut: Cut, job: WindowJobSettings, reasons: dict[int, str], has_window: set[int]
) -> None:
    """Refuse a name in `split` of which no recording serves where it is named."""
    recordings = cut.recordings
    for key, chosen in (
        ("val", job.split.val),
        ("test", job.split.test),
        ("unlabelled", job.split.unlabelled),
    ):
        for name in chosen if isinstance(chosen, list) else ():
            is_recording = name in recordings.names
            own = (
                [recordings.names.index(name)]
                if is_recording
                else named(recordings, job.split, key, [name])
            )
            idle = [i for i in own if i in reasons and (key != "unlabelled" or i not in has_window)]
            if len(idle) < len(own):
                continue
            what = f"recording '{name}' has" if is_recording else f"group '{name}' has"
            hint = "shorten the window" if "shorter" in reasons[own[0]] else "label it"
            raise DataError(
                f"split.{key}: {what} no window that serves there, being {reasons[own[0]]};"
                f" {hint}, or take the name out"
            )
