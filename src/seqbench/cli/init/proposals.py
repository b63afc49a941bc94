"""What a starter config proposes, each with the reason that stands beside it as a comment."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqbench.config.registry import BASELINES
from seqbench.datasets.base import counted
from seqbench.datasets.physiology import OF_HEART_OR_SKIN, named_kind
from seqbench.extras import absent
from seqbench.storage.recordings import Recordings

LONGEST, SHORTEST = 1024, 16  # samples of a window that is proposed
N_INTERVALS = 4  # between events, in a window of detection
COVERED = 0.5  # of the recordings by intervals, from which on they are classes and no events
LAGS = (1, 12, 13)  # of `log_ar`, where none are given
FEWEST_GROUPS = 3  # that leave one each for train, val and test
ECG = re.compile(r"(?i)\b(ecg|ekg|ml(i|ii|iii)|v[1-6])\b|^I{1,3}$")  # names of leads


class Proposal(NamedTuple):
    """A value of a key, and why."""

    value: Any
    reason: str


class Models(NamedTuple):
    """What is compared in a task."""

    architectures: list[str]
    baselines: list[str]
    reason: str


MODELS = {
    "classification": Models(
        ["cnn1d", "lstm"],
        ["majority", "logistic_regression", "minirocket"],
        "the floor, and two methods without a network",
    ),
    "detection": Models(
        ["event_rnn", "event_unet"],
        ["metronome", "matched_filter"],
        "the floor, and templates learned from the events",
    ),
    "labelling": Models(["rnn", "lstm"], ["majority"], "the floor"),
    "regression": Models(["rnn", "lstm"], ["mean"], "the floor"),
    "forecasting": Models(
        ["lstm", "gru"], ["persistence", "log_ar"], "the floor, and autoregression"
    ),
}


def models(task: str, window: Mapping[str, Any]) -> Models:
    """Return what is compared on windows of a task."""
    own = MODELS[task]
    for name in own.baselines:
        if lacks := absent(BASELINES.entry(name).tags.get("imports", ())):
            rest = [one for one in own.baselines if one != name]
            own = own._replace(baselines=rest, reason=f"{own.reason}, but for {name}: {lacks}")
    if task == "forecasting" and window["length_samples"] < max(LAGS):
        reason = f"the floor; `log_ar` takes windows of {max(LAGS)} samples or more"
        return own._replace(baselines=own.baselines[:1], reason=reason)
    return own


def are_classes(found: Recordings) -> bool:
    """Return whether events are intervals of several classes that cover most of the recordings."""
    lengths = found.label_stop - found.label_start
    labelled = found.lengths[np.unique(found.label_recording)]
    is_covered = lengths.sum() >= COVERED * labelled.sum()
    return len(found.classes) > 1 and len(lengths) > 0 and lengths.min() > 1 and bool(is_covered)


def rare_types(found: Recordings) -> list[str]:
    """Return the types of label that fewer groups have than there are splits, unless all are so."""
    groups = np.array(found.groups)[found.label_recording]
    n_groups = [
        len(set(groups[found.label == kind].tolist())) for kind in range(len(found.classes))
    ]
    rare = [name for name, n in zip(found.classes, n_groups, strict=True) if n < FEWEST_GROUPS]
    n_kept = len(found.classes) - len(rare)
    return rare if n_kept >= (1 if found.task == "detection" else 2) else []


def window(found: Recordings) -> Proposal:
    """Return how recordings are cut."""
    if found.task == "detection":
        return _window_of_events(found)
    if found.task == "forecasting":
        return _window_of_forecasts(found)
    if found.task == "regression" or not len(found.label):
        return _sliding(found.lengths, "recording")
    return _sliding(found.label_stop - found.label_start, "labelled interval")


def _sliding(lengths: NDArray[np.int64], what: str) -> Proposal:
    shortest, longest = int(lengths.min()), int(lengths.max())
    if longest <= LONGEST:
        reason = f"each {what} is one window: the longest has {counted(longest, 'sample')}"
        return Proposal({}, reason)
    length = max(min(shortest, LONGEST), min(SHORTEST, longest))
    reason = f"the shortest {what} has {counted(shortest, 'sample')}; at most {LONGEST} are taken"
    return Proposal({"length_samples": length, "overlap": 0.5}, reason)


def _window_of_events(found: Recordings) -> Proposal:
    steps = [
        np.diff(np.sort(found.label_start[found.label_recording == i]))
        for i in np.unique(found.label_recording)
    ]
    between = np.concatenate(steps) if steps else np.zeros(0)
    between = between[between > 0]
    shortest = int(found.lengths.min())
    if len(between):
        median = float(np.median(between))
        length = 2 ** round(math.log2(N_INTERVALS * median))
        reason = f"about {N_INTERVALS} times the median of {median:.4g} samples between two events"
    else:
        length, reason = LONGEST, "no recording has two events, from which to take a length"
    length = min(max(length, SHORTEST), LONGEST)
    if length > shortest:
        length, reason = max(shortest, 1), "the length of the shortest recording"
    return Proposal({"length_samples": length, "overlap": 0.5}, f"{reason}; at most {LONGEST}")


def _window_of_forecasts(found: Recordings) -> Proposal:
    shortest = int(found.lengths.min())
    length = max(1, min(LONGEST // 4, shortest // 16))
    horizon = max(1, length // 4)
    reason = f"a sixteenth of the shortest recording, at most {LONGEST // 4} samples; a guess"
    value = {"length_samples": length, "horizon_samples": horizon, "step_samples": horizon}
    return Proposal(value, f"{reason}: the horizon is what you want to know ahead")


def splits(found: Recordings, has_groups: bool) -> Iterator[Proposal]:
    """Yield splits, the best one first; whether one leaves enough in each split, windows show."""
    n_groups = len(set(found.groups))
    what = "group" if has_groups else "recording"
    if found.task == "forecasting":
        yield Proposal({"by": "time", "val": 0.2, "test": 0.2}, "forecasts are of what comes later")
    if n_groups >= FEWEST_GROUPS:
        whole = "groups.csv says what belongs together" if has_groups else "no groups.csv"
        reason = f"{whole}: a fifth each of {counted(n_groups, what)} is val and test"
        yield Proposal({"by": "group", "val": 0.2, "test": 0.2}, reason)
        third = f"{counted(n_groups, what)} are few: a third each is val and test"
        yield Proposal({"by": "group", "val": 0.33, "test": 0.33}, third)
    reason = f"{counted(n_groups, what)} are too few to set some aside: the end of each is test"
    yield Proposal({"by": "time", "val": 0.2, "test": 0.2}, reason)


def tolerance_ms(found: Recordings, known: tuple[float, ...]) -> Proposal:
    """Return how far off an onset may be: the default, or what two samples can tell apart."""
    sample_ms = 1000 / (found.sampling_rate_hz or 1000)
    fitting = [one for one in known if one >= max(5.0, 2 * sample_ms)]
    value = fitting[0] if fitting else known[-1]
    if value == 5:
        return Proposal(value, "the default")
    return Proposal(value, f"a sample lasts {sample_ms:.4g} ms, so 5 ms would be less than two")


def refractory_notes(found: Recordings) -> list[str]:
    """Return a comment on `refractory_s`; none where no type has two events in a recording."""
    nearest = math.inf
    pairs = {
        pair for pair in zip(found.label_recording.tolist(), found.label.tolist(), strict=True)
    }
    for recording, kind in pairs:
        own = (found.label_recording == recording) & (found.label == kind)
        nearest = min([nearest, *np.diff(np.sort(found.label_start[own])).tolist()])
    if not math.isfinite(nearest) or found.sampling_rate_hz is None:
        return []
    return [
        "refractory_s: set it if you know the shortest time between two events of one type; here"
        f" it is {nearest / found.sampling_rate_hz:.4g} s."
    ]


def ecg_notes(found: Recordings) -> list[str]:
    """Return a comment on `ecg` where the name of a channel is that of a lead; else none."""
    leads = [name for name in found.channels if ECG.search(name)]
    return [
        f"ecg: {name} would let the baselines xqrs and neurokit look for beats in that channel."
        for name in leads[:1]
    ]


def physiology_notes(found: Recordings) -> list[str]:
    """Return a comment on `physiology` where names say that channels are of a body; else none."""
    kinds = {name: named_kind(name) for name in found.channels}
    of_body = [f"{name} as {kind}" for name, kind in kinds.items() if kind in OF_HEART_OR_SKIN]
    if not of_body:
        return []
    return [
        "physiology: {} would let the baseline physiology_forest take " + ", ".join(of_body) + "."
    ]
