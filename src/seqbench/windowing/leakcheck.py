"""Search finished windows for leaks between train, val and test.

Everything is worked out anew from the recordings and the windows, and nothing
is taken from the code that made them but what fits statistics and draws splits:
a check must not share the mistake that it looks for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from seqbench.config.registry import TASK_WINDOWS
from seqbench.datasets.base import counted
from seqbench.errors import UserError
from seqbench.plan.job_settings import WindowJobSettings
from seqbench.storage.lazy_array import AnyArray, blocks, changed, joined, span
from seqbench.storage.normalization import Normalization
from seqbench.storage.recordings import Recordings
from seqbench.storage.windows import SPLITS, UNLABELLED, LeakCheck, Split, WindowSet
from seqbench.windowing.normalize import fit_normalization, normalized
from seqbench.windowing.rename import renamed
from seqbench.windowing.segment import is_padded
from seqbench.windowing.split import DEFAULT_TEST, assign_splits, put_labels_aside
from seqbench.windowing.tokens import token_ids, token_names, vocabulary

if TYPE_CHECKING:
    from seqbench.tasks.windows import TaskWindows

UNSEEN: tuple[Split, ...] = ("val", "test")
FEWEST_NEIGHBOURS = 30  # fewer labels agree or not by chance
ROUNDING = 1e-9  # of sums in another order, relative to the scale
HINT = "run again with `--forcerun window`, and report the fault if it comes back"


class LeakError(UserError):
    """Something of val or test reaches train: a fault of the program, or an edited file."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"leak: {problem}; no score would mean anything, {HINT}")


def find_leaks(
    recordings: Recordings, splits: dict[Split, WindowSet], job: WindowJobSettings
) -> LeakCheck:
    """Compare the windows of all splits with each other and with the recordings.

    Parameters
    ----------
    recordings
        As `ingest` left them.
    splits
        All windows that were made of them.
    job
        How they were to be made.

    Returns
    -------
    LeakCheck
        Findings that can be the nature of the data: windows of val and test
        that stand in train too, labels that follow the order of the
        recordings, groups that `by: recording` cuts. Windows
        without any change of value repeat in every silence and do not count.

    Raises
    ------
    LeakError
        If a group, a recording or, with `by: time`, samples of one are in two
        splits, or statistics or vocabulary are not those of train.
    """
    given = Given(recordings, job)
    for name, places in _shared(splits, "names").items():
        raise LeakError(f"recording '{name}' has windows in {places}")
    # In time every split holds every group: that is what such a split is.
    shared = {} if given.in_time else _shared(splits, "groups")
    if job.split.by == "group" and shared:
        group, places = next(iter(shared.items()))
        raise LeakError(f"group '{group}' has windows in {places}")
    _refuse_foreign_statistics(splits, given)
    for windows in splits.values():
        _refuse_foreign_samples(windows, given)
    known = _by_content(splits["train"])
    repeats = {
        split: _repeats(given.task, splits[split], splits["train"], known) for split in UNSEEN
    }
    return LeakCheck(
        by=job.split.by,
        n_shared_groups=len(shared),
        n_windows={split: len(splits[split]) for split in UNSEEN},
        n_repeated={split: len(of_split) for split, of_split in repeats.items()},
        n_same_target={split: sum(of_split) for split, of_split in repeats.items()},
        order_agreement=_order_agreement(splits)
        if given.task.one_class_each and not given.in_time
        else None,
    )


class Given:
    """What the config gives to each split, in samples of the recordings.

    Parameters
    ----------
    recordings
        As `ingest` left them.
    job
        How windows were to be made.
    """

    def __init__(self, recordings: Recordings, job: WindowJobSettings) -> None:
        self.task: TaskWindows = TASK_WINDOWS[recordings.task]()
        prepared = self.task.prepared(renamed(recordings, job.rename), job)
        self.job = job
        self.in_time = job.split.by == "time"
        self.split_of = [] if self.in_time else assign_splits(prepared, job.split, job.fold)
        self.recordings = put_labels_aside(prepared, job.split)  # splits are drawn before
        self.index_of = {name: index for index, name in enumerate(recordings.names)}

    def origin(self, windows: WindowSet, recording: int) -> int:
        """Return the index that ingest gave to a recording of a split."""
        name = windows.names[recording]
        piece = f" ({windows.split})" if self.in_time else ""
        index = self.index_of.get(name.removesuffix(piece))
        if index is None or not name.endswith(piece):
            raise LeakError(
                f"{windows.split} has a window of '{name}', which is not one of its own"
            )
        return index

    def own(self, index: int, split: Split) -> tuple[int, int]:
        """Return the samples [begin, end) of a recording that belong to a split."""
        n_samples = len(self.recordings.signals[index])
        if not self.in_time:
            return (0, n_samples) if self.split_of[index] == split else (0, 0)
        n_lost = self.task.n_lost(self.job)
        test = DEFAULT_TEST if self.job.split.test is None else self.job.split.test
        shares = [share for share in (test, self.job.split.val) if isinstance(share, float)]
        n_test, n_val = (round(share * (n_samples + n_lost)) for share in shares)
        bounds = [0, n_samples - n_test - n_val, n_samples - n_test, n_samples]
        return bounds[SPLITS.index(split)], bounds[SPLITS.index(split) + 1]

    def of_train(self, arrays: Sequence[AnyArray]) -> AnyArray:
        """Return what belongs to train of an array for each recording, end to end."""
        bounds = [self.own(index, "train") for index in range(len(arrays))]
        own = [span(array, a, b) for array, (a, b) in zip(arrays, bounds, strict=True) if a < b]
        return joined(own, own[0].shape[1:])


def _shared(splits: dict[Split, WindowSet], column: Literal["names", "groups"]) -> dict[str, str]:
    """Return the recordings or groups with windows in several splits, and which those are."""
    split_of: dict[str, Split] = {}
    shared = {}
    for split, windows in splits.items():
        for recording in np.unique(windows.recording).tolist():
            name = getattr(windows, column)[recording]
            if (other := split_of.setdefault(name, split)) != split:
                shared[name] = f"{other} and {split}"
    return shared


def _refuse_foreign_statistics(splits: dict[Split, WindowSet], given: Given) -> None:
    """Refuse a normalisation or vocabulary that train alone does not give."""
    recordings = given.recordings
    train = given.of_train(recordings.signals)
    if recordings.sample == "tokens":
        own = token_names(vocabulary(train))
        if any(windows.channels != own for windows in splits.values()):
            n_known = counted(len(own) - 1, "token")  # beside the one for all others
            raise LeakError(f"the vocabulary is not that of train, {n_known}")
        expected = Normalization.neutral(1)
    else:
        expected = fit_normalization(train, given.job.normalization)
    of_targets = given.task.target_normalization(
        expected, lambda: given.of_train(recordings.targets or [])
    )
    for split, windows in splits.items():
        _refuse_other(windows.normalization, expected, windows.channels, split)
        if (targets := windows.targets) is not None:
            _refuse_other(targets.normalization, of_targets, targets.names, split)


def _refuse_other(
    stored: Normalization, expected: Normalization, names: list[str], split: Split
) -> None:
    allowed = ROUNDING * expected.scale
    for what in ("centre", "scale"):
        one, other = getattr(stored, what), getattr(expected, what)
        differs = ~(np.abs(one - other) <= allowed)
        if differs.any():
            channel = int(differs.argmax())
            raise LeakError(
                f"'{names[channel]}' of {split} is normalised with the {what} {one[channel]:g},"
                f" but that of train is {other[channel]:g}"
            )


def _refuse_foreign_samples(windows: WindowSet, given: Given) -> None:
    """Refuse inputs or targets of a split that are not among its own samples.

    Of a split in time all recordings are looked at; else the first, which shows
    whether the signal is what its statistics make of it.
    """
    used = np.unique(windows.recording)
    for recording in (used if given.in_time else used[:1]).tolist():
        index = given.origin(windows, recording)
        begin, end = given.own(index, windows.split)
        signal = given.recordings.signals[index]
        if given.job.normalization == "per_recording" and windows.sample != "tokens":
            signal = normalized(signal, fit_normalization(signal, "zscore"))
        own = as_read(span(signal, begin, end), windows)
        for rows in _own_rows(windows, recording, is_padded=is_padded(given.job.window)):
            if not _holds(own, rows):
                raise LeakError(
                    f"a window of {windows.split} holds samples of recording"
                    f" '{given.recordings.names[index]}' that are not its own, {begin} to {end}"
                )


def as_read(signal: AnyArray, windows: WindowSet) -> AnyArray:
    """Return samples of a recording as they stand in a split."""
    if windows.sample == "tokens":
        codes = np.array([_code(name) for name in windows.channels[1:]], dtype=np.int64)
        return changed(signal, lambda rows, _: token_ids(rows, codes))
    return normalized(signal, windows.normalization)


def _code(name: str) -> int:
    """Return the code point that `token_names` has named."""
    return ord(name) if len(name) == 1 else int(name.removeprefix("U+"), 16)


def _own_rows(windows: WindowSet, recording: int, *, is_padded: bool) -> Iterator[AnyArray]:
    """Yield the rows of the signal that must belong to the split of a recording's windows.

    In forecasting those of horizons; what stands before them may belong to others.
    Padding belongs to no recording: padded windows stand apart, and what is
    alike at their ends is left out.
    """
    own = np.flatnonzero(windows.recording == recording)
    start, stop = windows.start[own], windows.start[own] + windows.length[own]
    horizon = windows.horizon_samples
    if horizon:
        start, stop = stop, stop + horizon
    if not is_padded:
        yield span(windows.signal, int(start.min()), int(stop.max()))
        return
    for a, b in zip(start.tolist(), stop.tolist(), strict=True):
        rows = windows.signal[a:b]
        differs = (rows != rows[-1]).reshape(len(rows), -1).any(axis=1)
        yield rows[: int(np.flatnonzero(differs).max(initial=0)) + 1]


def _holds(signal: AnyArray, rows: AnyArray) -> bool:
    """Return whether `rows` stand in a signal one behind the other."""
    n_places, n_done = len(signal) - len(rows) + 1, 0
    if n_places < 1:
        return False
    first = rows[:1]
    for block in blocks(span(signal, 0, n_places)):
        begins = (block == first).reshape(len(block), -1).all(axis=1)
        for place in (n_done + np.flatnonzero(begins)).tolist():
            there = blocks(span(signal, place, place + len(rows)))
            if all(map(np.array_equal, there, blocks(rows))):
                return True
        n_done += len(block)
    return False


def _by_content(windows: WindowSet) -> dict[bytes, list[int]]:
    """Return the windows of each content."""
    found: dict[bytes, list[int]] = {}
    for index, digest in enumerate(_digests(windows)):
        found.setdefault(digest, []).append(index)
    return found


def _digests(windows: WindowSet) -> Iterator[bytes]:
    """Yield a hash of each window, its horizon included."""
    for index in range(len(windows)):
        yield hashlib.sha256(np.ascontiguousarray(content(windows, index)).data).digest()


def content(windows: WindowSet, index: int) -> NDArray[np.float32]:
    """Return the samples of a window, (T, C, ...), its horizon included."""
    horizon = windows.horizon_samples
    start = windows.start[index]
    return windows.signal[start : start + windows.length[index] + horizon]


def _repeats(
    task: TaskWindows, windows: WindowSet, train: WindowSet, known: dict[bytes, list[int]]
) -> list[bool]:
    """Return for each window that stands in train too whether its reference is the same there."""
    reference, reference_in_train = task.reference(windows), task.reference(train)
    references: dict[bytes, set[Hashable]] = {}
    found = []
    for index, digest in enumerate(_digests(windows)):
        if digest not in known or is_constant(content(windows, index)):
            continue
        if digest not in references:
            references[digest] = {reference_in_train(i) for i in known[digest]}
        found.append(reference(index) in references[digest])
    return found


def is_constant(rows: NDArray[np.float32]) -> bool:
    """Return whether no channel changes; one value alone has nothing to change from."""
    values = np.moveaxis(rows, 1, 0).reshape(rows.shape[1], -1)
    return values.shape[1] > 1 and bool((values == values[:, :1]).all())


def _order_agreement(splits: dict[Split, WindowSet]) -> float | None:
    """Return Cohen's kappa between the labels of recordings and of those before them in the list.

    Neighbours are of the same split, and a recording has the label of its first
    window. Names are often the order of the list: sorted by label, they reveal it.
    """
    n_pairs, n_alike, n_by_chance = 0, 0, 0.0
    for windows in splits.values():
        own = np.flatnonzero(windows.label != UNLABELLED)
        _, first = np.unique(windows.recording[own], return_index=True)
        label = windows.label[own][first]
        share = np.bincount(label, minlength=len(windows.classes)) / max(len(label), 1)
        n_pairs += max(len(label) - 1, 0)
        n_alike += int((label[1:] == label[:-1]).sum())
        n_by_chance += max(len(label) - 1, 0) * float((share**2).sum())
    if n_pairs < FEWEST_NEIGHBOURS or n_pairs <= n_by_chance:
        return None
    return (n_alike - n_by_chance) / (n_pairs - n_by_chance)
