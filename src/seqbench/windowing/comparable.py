"""Whether test of one dataset can be scored with a model of another."""

import re

from seqbench.errors import UserError
from seqbench.storage.recordings import Recordings
from seqbench.storage.windows import WindowSet
from seqbench.windowing.compatible import check_compatible


def check_comparable(own: Recordings, name: str, other: WindowSet, other_name: str) -> None:
    """Refuse recordings whose predictions by a model of another dataset would mean nothing.

    Parameters
    ----------
    own, name
        Recordings of the dataset that is test, under the names that the configuration gives.
    other, other_name
        Train of the dataset that models learned from.

    Raises
    ------
    UserError
        If signals do not fit, see `check_compatible`, or known units, classes, targets,
        subtracted offsets or what ranks events differ; the sentence names both datasets.
    """
    check_compatible(_Signals(own), name, other, other_name)
    for channel, unit, expected in zip(own.channels, own.units, other.units, strict=False):
        if unit and expected and _plain(unit) != _plain(expected):
            raise UserError(
                f"channel '{channel}' of dataset '{name}' is in {unit}, but that of '{other_name}',"
                f" on which the model was trained, in {expected}; convert one of them"
            )
    ours, theirs = (one.source.get("subtracted", ()) for one in (own, other))
    if (any(ours) or any(theirs)) and list(ours) != list(theirs):
        raise UserError(
            f"datasets '{name}' and '{other_name}' are stored less different offsets, as single"
            " precision cannot hold them; subtract the same ones from the files of both"
        )
    if missing := sorted(set(own.classes) ^ set(other.classes)):
        where, there = (name, other_name) if missing[0] in own.classes else (other_name, name)
        raise UserError(
            f"dataset '{where}' has the class '{missing[0]}', but '{there}' has not, and a model of"
            f" '{other_name}' is scored on '{name}'; if it is called otherwise there, state it in"
            f" `datasets.{name}.rename.classes`"
        )
    mine = list(zip(own.target_names, own.target_units, strict=True)) if own.targets else []
    learned = list(zip(other.targets.names, other.targets.units, strict=True)) if (
        other.targets and not other.horizon_samples and not other.classes
    ) else []  # fmt: skip
    if mine != learned:
        raise UserError(
            f"dataset '{name}' has the targets {_named(mine)}, but '{other_name}', on which the"
            f" model was trained, {_named(learned)}; a model is scored on what it predicts"
        )
    if other.timeline is not None:
        ranked = other.timeline.tolerance_ms, other.timeline.ranked_types
        if (own.tolerance_ms, own.ranked_types) != ranked:
            raise UserError(
                f"`tolerance_ms` or `ranked_types` of datasets '{name}' and '{other_name}' differ,"
                " and so would the metric that ranks; give both the same"
            )


class _Signals:
    """Recordings as `check_compatible` takes them."""

    def __init__(self, recordings: Recordings) -> None:
        self.sample = recordings.sample
        self.channels = recordings.channels
        self.frame_size = recordings.signals[0].shape[2:]
        self.sampling_rate_hz = recordings.sampling_rate_hz


def _plain(unit: str) -> str:
    """Return a unit however micro is written, without the offset that it is less of."""
    return re.sub("[µμ]", "u", re.sub(r"(^| )less \S+$", "", unit))


def _named(targets: list[tuple[str, str]]) -> str:
    return ", ".join(f"{name} ({unit})" if unit else name for name, unit in targets) or "of none"
