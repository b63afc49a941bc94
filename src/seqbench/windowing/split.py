"""Which recordings are train, val and test. Decided before any window is cut."""

import numpy as np

from seqbench.config import SplitSettings
from seqbench.datasets.base import DataError
from seqbench.registry import suggestion
from seqbench.storage.recordings import Recordings
from seqbench.storage.windows import SPLITS

DEFAULT_TEST = 0.2
UNLABELLED = -1


def assign_splits(recordings: Recordings, settings: SplitSettings) -> list[str]:
    """Give every recording one of train, val, test.

    An official split of the source is kept unless `settings.test` asks for
    another; val is carved out of train where the source has none.

    Parameters
    ----------
    recordings
        Names, groups, official splits and labels are used, signals are not.
    settings
        Fractions are of the groups, stratified by their most frequent class.

    Returns
    -------
    list of str
        One of "train", "val", "test" per recording; groups stay whole.

    Raises
    ------
    DataError
        If a name is unknown, a group would be cut, or a part would be empty.
    """
    units = recordings.groups if settings.by == "group" else recordings.names
    split = list(recordings.splits) if settings.test is None else [""] * len(units)
    if "" in split and set(split) != {""}:
        raise DataError("the source gives an official split to some recordings only")
    if "" in split:
        split = ["train"] * len(split)
        test = DEFAULT_TEST if settings.test is None else settings.test
        _move(recordings, units, split, "test", test, settings.seed)
    if "val" not in split:
        _move(recordings, units, split, "val", settings.val, settings.seed + 1)
    _refuse_cut_groups(units, split)
    for part in SPLITS:
        if part not in split:
            raise DataError(
                f"split: no recording is left for {part}; {len(set(units))} {settings.by}s are"
                " too few for these fractions, name recordings or add some"
            )
    return split


def _move(
    recordings: Recordings,
    units: list[str],
    split: list[str],
    part: str,
    wanted: float | list[str],
    seed: int,
) -> None:
    """Move recordings from train to `part`, by name or by a stratified draw."""
    if isinstance(wanted, list):
        moved = _named(recordings, units, part, wanted)
    else:
        free = [i for i, where in enumerate(split) if where == "train"]
        chosen = _drawn(recordings, units, free, wanted, seed)
        moved = [i for i in free if units[i] in chosen]
    for i in moved:
        if split[i] != "train":
            raise DataError(
                f"split.{part}: recording '{recordings.names[i]}' is in {split[i]} already;"
                " name it in one place"
            )
        split[i] = part


def _named(recordings: Recordings, units: list[str], part: str, wanted: list[str]) -> list[int]:
    moved = []
    for name in wanted:
        matching = [
            i
            for i, (unit, recording) in enumerate(zip(units, recordings.names, strict=True))
            if name in (unit, recording)
        ]
        if not matching:
            known = suggestion(name, sorted({*units, *recordings.names}))
            raise DataError(f"split.{part}: no recording or group is called '{name}'; {known}")
        moved += [i for i in matching if i not in moved]
    return moved


def _drawn(
    recordings: Recordings, units: list[str], free: list[int], fraction: float, seed: int
) -> set[str]:
    """Draw a fraction of the units of each class, at least one where a class has two."""
    generator = np.random.default_rng(seed)
    by_class: dict[int, list[str]] = {}
    for unit, label in _most_frequent_class(recordings, units, free).items():
        by_class.setdefault(label, []).append(unit)
    chosen: set[str] = set()
    for label in sorted(by_class):
        members = by_class[label]
        n = round(fraction * len(members))
        if len(members) > 1:
            n = min(max(n, 1), len(members) - 1)
        chosen.update(members[i] for i in generator.permutation(len(members))[:n])
    return chosen


def _most_frequent_class(
    recordings: Recordings, units: list[str], free: list[int]
) -> dict[str, int]:
    counts: dict[str, dict[int, int]] = {units[i]: {} for i in free}
    for recording, label in zip(recordings.label_recording, recordings.label, strict=True):
        of_unit = counts.get(units[recording])
        if of_unit is not None:
            of_unit[int(label)] = of_unit.get(int(label), 0) + 1
    return {
        unit: max(sorted(of_unit), key=lambda label: of_unit[label], default=UNLABELLED)
        for unit, of_unit in counts.items()
    }


def _refuse_cut_groups(units: list[str], split: list[str]) -> None:
    seen: dict[str, str] = {}
    for unit, part in zip(units, split, strict=True):
        if seen.setdefault(unit, part) != part:
            raise DataError(
                f"split: group '{unit}' would be in {seen[unit]} and in {part};"
                " name the whole group, or set `by: recording`"
            )
