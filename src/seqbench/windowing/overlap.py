"""Search the val and test windows of one dataset in what models learn from another.

Both datasets are split, cut and normalised apart, so that their windows can differ where their
samples do not. Recordings of the other dataset are therefore brought to the form that the windows
have, and searched at every sample.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from seqbench.plan.job_settings import WindowJobSettings
from seqbench.storage.lazy_array import AnyArray, blocks, changed, span
from seqbench.storage.overlaps import Overlap
from seqbench.storage.recordings import Recordings
from seqbench.storage.windows import Split, WindowSet
from seqbench.windowing.leakcheck import Given, as_read, content, is_constant
from seqbench.windowing.normalize import fit_normalization, normalized
from seqbench.windowing.segment import is_padded
from seqbench.windowing.transform import n_samples_lost, transformed

Hashes = NDArray[np.uint64]
BASE = 0x9E3779B97F4A7C15  # odd, so that it has an inverse modulo 2 to the 64
INVERSE = pow(BASE, -1, 1 << 64)
N_PLACES = 1 << 20  # places of a recording that are looked at together


def find_overlap(
    unseen: dict[Split, WindowSet],
    own: Recordings,
    source: Recordings,
    jobs: tuple[WindowJobSettings, WindowJobSettings],
    names: tuple[str, str],
) -> Overlap:
    """Return what val and test of a dataset share with train, and with val, of another one.

    Parameters
    ----------
    unseen
        Windows of val and test of the dataset.
    own, source
        Recordings of the dataset and of the other one, as `ingest` left them.
    jobs, names
        How windows of both were made, and what both are called.

    Returns
    -------
    Overlap
        A window is repeated if its samples stand in a split of the other dataset, in single
        precision and units of the dataset; a sequence of tokens, if it is a whole recording there.
        Windows without any change of value do not count.
    """
    job, source_job = jobs
    given = Given(source, source_job)
    rows = {split: _as_compared(windows, job) for split, windows in unseen.items()}
    first = next(iter(unseen.values()))

    def n_repeated(learned: Split) -> dict[str, int]:
        parts = (
            _of_split(given, index, learned, signal, lambda whole: _in_form_of(first, job, whole))
            for index, signal in enumerate(source.signals)
        )
        others = [part for part in parts if len(part)]
        if first.sample == "tokens":
            known = {_whole(one) for one in others}
            counts = [sum(_whole(one) in known for one in of_split) for of_split in rows.values()]
        else:
            counts = _n_found([*rows.values()], others)
        return dict(zip(map(str, rows), counts, strict=True))

    are_same = _share_recordings(own, source) and not (given.in_time or job.split.by == "time")
    learned: tuple[Split, Split] = ("train", "val")
    of_train, of_val = (
        _n_shared_groups(unseen, source, given, split)
        if are_same
        else dict.fromkeys(map(str, unseen), 0)
        for split in learned
    )
    return Overlap(
        dataset=names[0],
        source=names[1],
        n_windows={split: len(windows) for split, windows in unseen.items()},
        n_repeated=n_repeated("train"),
        n_shared_groups=of_train,
        n_repeated_in_val=n_repeated("val"),
        n_shared_groups_in_val=of_val,
    )


def _of_split(
    given: Given,
    index: int,
    split: Split,
    signal: AnyArray,
    in_form: Callable[[AnyArray], AnyArray],
) -> AnyArray:
    """Return the samples of a recording that belong to a split, in another form.

    It is given that form whole, as statistics of a recording are not those of its splits in time.
    """
    begin, end = given.own(index, split)
    if end <= begin:
        return span(signal, 0, 0)
    whole = in_form(signal)
    n_lost = given.task.n_lost(given.job) - (len(signal) - len(whole))
    return span(whole, begin, max(begin, end + n_lost))


def _in_form_of(windows: WindowSet, job: WindowJobSettings, signal: AnyArray) -> AnyArray:
    """Return samples of another dataset as they would stand among windows."""
    settings = job.transform
    if n_lost := n_samples_lost(settings) or settings.log:
        # What has no logarithm is among no windows; any number stands for it.
        least = np.finfo(np.float32).tiny if settings.log else -np.inf

        def change(rows: NDArray[np.float32], first: int) -> NDArray[np.float32]:
            return transformed(np.maximum(rows, least), settings, "", first)

        signal = changed(signal, change, n_ahead=int(n_lost))
    if job.normalization == "per_recording" and windows.sample != "tokens":
        signal = normalized(signal, fit_normalization(signal, "zscore"))
    return as_read(signal, windows)


def _as_compared(windows: WindowSet, job: WindowJobSettings) -> list[NDArray[np.float32]]:
    """Return the content of each window that changes at all, without padding."""
    found = []
    for index in range(len(windows)):
        rows = content(windows, index)
        if is_padded(job.window):
            differs = (rows != rows[-1]).reshape(len(rows), -1).any(axis=1)
            rows = rows[: int(np.flatnonzero(differs).max(initial=0)) + 1]
        if not is_constant(rows):
            found.append(rows)
    return found


def _n_found(sets: list[list[NDArray[np.float32]]], signals: Iterable[AnyArray]) -> list[int]:
    """Return how many windows of each set stand in one of the signals.

    Of a window its first and its last samples are looked for, in number the largest power of two
    that it holds: together they are all of it, and few lengths have to be searched.
    """
    wanted: dict[int, list[int]] = {}
    ends: list[list[tuple[int, int, int]]] = []
    for windows in sets:
        of_set = []
        for rows in windows:
            length = 1 << (len(rows).bit_length() - 1)
            hashed = _of_rows(rows)
            first, last = _of_spans(hashed, length)[[0, -1]].tolist()
            wanted.setdefault(length, []).extend((first, last))
            of_set.append((length, first, last))
        ends.append(of_set)
    distinct = {length: np.unique(np.array(of, np.uint64)) for length, of in wanted.items()}
    known: dict[int, set[int]] = {length: set() for length in distinct}
    for signal in signals:
        for hashed in _hashed_rows(signal, max(distinct, default=1)):
            for length, hashes in distinct.items():
                if length <= len(hashed):
                    there = np.isin(hashes, _of_spans(hashed, length))
                    known[length].update(hashes[there].tolist())
    return [
        sum(first in known[length] and last in known[length] for length, first, last in of_set)
        for of_set in ends
    ]


def _hashed_rows(signal: AnyArray, longest: int) -> Iterator[Hashes]:
    """Yield a number for each row of a signal, in pieces that overlap by the longest span."""
    for start in range(0, len(signal), N_PLACES):
        piece = span(signal, start, min(len(signal), start + N_PLACES + longest - 1))
        yield np.concatenate([_of_rows(block) for block in blocks(piece)])


def _of_rows(rows: NDArray[np.float32]) -> Hashes:
    """Return a number for each row, (n_samples,), the same for the same values."""
    bits = np.ascontiguousarray(rows.reshape(len(rows), -1)).view(np.uint32).astype(np.uint64)
    weights = np.random.default_rng(0).integers(1 << 63, size=bits.shape[1], dtype=np.uint64)
    mixed: Hashes = ((bits + np.uint64(1)) * (2 * weights + np.uint64(1))).sum(
        axis=1, dtype=np.uint64
    )
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


def _of_spans(rows: Hashes, length: int) -> Hashes:
    """Return a number for every `length` rows that follow each other, by where they begin.

    References
    ----------
    Karp, Rabin (1987). Efficient randomized pattern-matching algorithms. IBM Journal of Research
    and Development 31(2), here modulo 2 to the 64, of rows that are numbers drawn at random.
    """
    powers = np.cumprod(np.full(len(rows), BASE, np.uint64))
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(rows * powers, dtype=np.uint64)])
    n_spans = len(rows) - length + 1
    found: Hashes = (sums[length:] - sums[:n_spans]) * np.cumprod(
        np.full(n_spans, INVERSE, np.uint64), dtype=np.uint64
    )
    return found


def _whole(rows: AnyArray) -> bytes:
    digest = hashlib.sha256()
    for block in blocks(rows):
        digest.update(np.ascontiguousarray(block).data)
    return digest.digest()


def _share_recordings(own: Recordings, source: Recordings) -> bool:
    """Return whether names of groups mean the same in two datasets.

    They do where both hold the same recording, in a group of the same name.
    """
    of_source = {
        (_whole(one), group) for one, group in zip(source.signals, source.groups, strict=True)
    }
    pairs = zip(own.signals, own.groups, strict=True)
    return any((_whole(one), group) in of_source for one, group in pairs)


def _n_shared_groups(
    unseen: dict[Split, WindowSet], source: Recordings, given: Given, learned: Split
) -> dict[str, int]:
    """Return how many groups of val and of test are in a split of the other dataset."""
    splits = zip(source.groups, given.split_of, strict=True)
    known = {group for group, split in splits if split == learned}
    return {
        split: len({windows.groups[i] for i in windows.recording.tolist()} & known)
        for split, windows in unseen.items()
    }
