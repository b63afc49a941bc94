"""Which recordings are train, val and test. Decided before any window is cut."""

import numpy as np

from seqbench.config.registry import suggestion
from seqbench.config.stages import Fold, SplitSettings
from seqbench.datasets.base import DataError
from seqbench.storage.lazy_array import any_known
from seqbench.storage.recordings import Recordings
from seqbench.storage.windows import SPLITS, UNLABELLED

DEFAULT_TEST = 0.2

Move = tuple[str, float | list[str], int | list[int]]  # to a split: how many or which, and a seed


def assign_splits(
    recordings: Recordings, settings: SplitSettings, fold: Fold | None = None
) -> list[str]:
    """Give every recording one of train, val, test.

    An official split of the source is kept unless `settings.test` or a fold
    gives another; val is carved out of train where the source has none.

    Parameters
    ----------
    recordings
        Names, groups, official splits and labels are used, signals are not.
    settings
        Fractions are of the groups, stratified by their most frequent class;
        those that are known to hold no event are a stratum of their own.
    fold
        The groups that are test; val is then a fraction of the rest. Over the
        folds of one repeat every group with a label is test once; those
        without stay in train.

    Returns
    -------
    list of str
        One of "train", "val", "test" per recording; groups stay whole.

    Raises
    ------
    DataError
        If a name is unknown, a group would be cut, or a split would be empty.
    """
    units = split_units(recordings, settings)
    split = list(recordings.splits) if settings.test is None else [""] * len(units)
    seed_of_val: int | list[int] = settings.seed + 1
    if fold is not None:
        tested = _tested(recordings, units, fold, settings)
        split = ["test" if unit in tested else "train" for unit in units]
        # Another val each time, or some recordings would never be learned from.
        seed_of_val = [settings.seed + 1, fold.repeat, fold.index]
    if "" in split and set(split) != {""}:
        raise DataError("the source gives an official split to some recordings only")
    is_official = "" not in split
    if not is_official:
        split = ["train"] * len(split)
    moves: list[Move] = []
    if not is_official:
        test = DEFAULT_TEST if settings.test is None else settings.test
        moves.append(("test", test, settings.seed))
    if "val" not in split:
        _carve(recordings, settings, split, [*moves, ("val", settings.val, seed_of_val)])
    elif isinstance(settings.val, list):
        raise DataError(
            "split.val: the source has an official val; leave `val` out, or give `test` as well"
        )
    for i in named(recordings, settings, "unlabelled", settings.unlabelled):
        if split[i] != "train":
            raise DataError(
                f"split.unlabelled: recording '{recordings.names[i]}' is in {split[i]}; only those"
                " of train can go without labels"
            )
    seen: dict[str, str] = {}
    for unit, name in zip(units, split, strict=True):
        if seen.setdefault(unit, name) != name:
            raise DataError(
                f"split: group '{unit}' would be in {seen[unit]} and in {name};"
                " name the whole group, or set `by: recording`"
            )
    for name in SPLITS:
        if name not in split:
            raise DataError(
                f"split: no recording is left for {name}; {len(set(units))} {settings.by}s are"
                " too few for these fractions, name recordings or add some"
            )
    return split


def put_labels_aside(recordings: Recordings, settings: SplitSettings) -> Recordings:
    """Return the recordings without the labels of those that are named as unlabelled."""
    aside = named(recordings, settings, "unlabelled", settings.unlabelled)
    return recordings.without_labels(aside)


def split_units(recordings: Recordings, settings: SplitSettings) -> list[str]:
    """Return what a split never cuts through: the group of each recording, or its name, (R,).

    Segments of one recording have the name of that.
    """
    return recordings.groups if settings.by == "group" else recordings.origins


def named(
    recordings: Recordings, settings: SplitSettings, key: str, chosen: list[str]
) -> list[int]:
    """Return the indices of the recordings that are named themselves or by their unit.

    The name of a recording with gaps is that of all its segments.

    Raises
    ------
    DataError
        If a name is unknown; `key` is where in `split` it stands.
    """
    units = split_units(recordings, settings)
    pairs = list(zip(units, recordings.origins, recordings.names, strict=True))
    found: dict[int, None] = {}
    for name in chosen:
        matching = [i for i, pair in enumerate(pairs) if name in pair]
        if not matching:
            known = suggestion(name, sorted({one for pair in pairs for one in pair}))
            raise DataError(f"split.{key}: no recording or group is called '{name}'; {known}")
        found |= dict.fromkeys(matching)
    return list(found)


def _carve(
    recordings: Recordings, settings: SplitSettings, split: list[str], moves: list[Move]
) -> None:
    """Move recordings out of train in place, by name or by a stratified draw.

    Fractions count what was in train at first, so that val and test of 0.2
    each leave 0.6, whichever is drawn first. Units of which nothing is known
    stay in train, where pretraining sees them.
    """
    units = split_units(recordings, settings)
    by_class = _by_class(recordings, units, [i for i, name in enumerate(split) if name == "train"])
    # Names first, or a draw would take them.
    for name, amount, seed in sorted(moves, key=lambda move: not isinstance(move[1], list)):
        if isinstance(amount, list):
            moved = named(recordings, settings, name, amount)
        else:
            in_train = {unit for unit, now in zip(units, split, strict=True) if now == "train"}
            chosen = _drawn(by_class, in_train, amount, seed)
            moved = [i for i, unit in enumerate(units) if unit in chosen]
        for i in moved:
            if split[i] != "train":
                raise DataError(
                    f"split.{name}: recording '{recordings.names[i]}' is in {split[i]} already;"
                    " name it in one place"
                )
            split[i] = name


def _drawn(
    by_class: list[list[str]], in_train: set[str], fraction: float, seed: int | list[int]
) -> set[str]:
    """Draw a fraction of the units of each class, at least one where train keeps one."""
    generator = np.random.default_rng(seed)
    chosen: set[str] = set()
    for members in by_class:
        left = [unit for unit in members if unit in in_train]
        n = min(max(round(fraction * len(members)), 1), max(len(left) - 1, 0))
        chosen.update(left[i] for i in generator.permutation(len(left))[:n])
    return chosen


def _tested(
    recordings: Recordings, units: list[str], fold: Fold, settings: SplitSettings
) -> set[str]:
    """Return the units of a fold.

    Units are shuffled within their class and dealt out in turn, class after
    class, so that folds differ by one unit at most, in size and in each class.
    """
    generator = np.random.default_rng([settings.seed, fold.repeat])
    dealt = [
        members[i]
        for members in _by_class(recordings, units, list(range(len(units))))
        for i in generator.permutation(len(members))
    ]
    if len(dealt) < fold.n_folds:
        raise DataError(
            f"split.folds: {len(dealt)} labelled {settings.by}s are too few for {fold.n_folds}"
            " folds; take fewer, or add recordings"
        )
    return set(dealt[fold.index :: fold.n_folds])


def _by_class(recordings: Recordings, units: list[str], free: list[int]) -> list[list[str]]:
    """Return the units of each class in turn, those of which nothing is known left out."""
    members: dict[int, list[str]] = {}
    for unit, label in _most_frequent_class(recordings, units, free).items():
        members.setdefault(label, []).append(unit)
    return [members[label] for label in sorted(members.keys() - {UNLABELLED})]


def _most_frequent_class(
    recordings: Recordings, units: list[str], free: list[int]
) -> dict[str, int]:
    """Return the class of each unit.

    One for all where samples have values; K for units that are known to hold
    nothing of any class, and -1 for those of which nothing is known.
    """
    if recordings.targets is not None and not recordings.classes:
        has_target = {units[i] for i in free if any_known(recordings.targets[i])}
        return {units[i]: 0 if units[i] in has_target else UNLABELLED for i in free}
    counts: dict[str, dict[int, int]] = {units[i]: {} for i in free}
    for recording, label in zip(recordings.label_recording, recordings.label, strict=True):
        of_unit = counts.get(units[recording])
        if of_unit is not None:
            of_unit[int(label)] = of_unit.get(int(label), 0) + 1
    known = recordings.known_spans.tolist()
    known_units = {units[i] for i in free if known[i][0] < known[i][1]}
    return {
        unit: max(of_unit, key=lambda label: (of_unit[label], -label))
        if of_unit
        else (len(recordings.classes) if unit in known_units else UNLABELLED)
        for unit, of_unit in counts.items()
    }
