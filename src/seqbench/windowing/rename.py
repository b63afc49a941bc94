"""Channels and classes under other names than a source gives them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from seqbench.config.registry import suggestion
from seqbench.config.stages import RenameSettings
from seqbench.datasets.base import DataError
from seqbench.storage.recordings import Recordings


def renamed(recordings: Recordings, settings: RenameSettings) -> Recordings:
    """Return recordings whose channels and classes have the names of a configuration.

    Classes keep their order; of those that become one the first has its place.

    Raises
    ------
    DataError
        If a name is none of the source's, two channels would be called the same, or classes
        would become one of which a generator knows more than their names.
    """
    if settings == RenameSettings():
        return recordings
    channels = _names(recordings.channels, settings.channels, "channel")
    if twice := [name for name in channels if channels.count(name) > 1]:
        raise DataError(f"rename.channels: two channels would be called '{twice[0]}'; name one so")
    every = _names(recordings.classes, settings.classes, "class")
    classes = list(dict.fromkeys(every))
    if len(classes) < len(every) and (recordings.truth or recordings.label_amplitude is not None):
        raise DataError(
            "rename.classes: the source is a generator that knows the shape of each class, so none"
            " become one; give each a name of its own"
        )
    index = np.array([classes.index(name) for name in every], dtype=np.int64)
    source = dict(recordings.source)
    if "ecg" in source:
        source["ecg"] = settings.channels.get(source["ecg"], source["ecg"])
    if "physiology" in source:
        kinds = source["physiology"].items()
        source["physiology"] = {settings.channels.get(name, name): kind for name, kind in kinds}
    ranked = recordings.ranked_types
    return replace(
        recordings,
        channels=channels,
        classes=classes,
        label=index[recordings.label] if len(index) else recordings.label,
        ranked_types=ranked
        and list(dict.fromkeys(settings.classes.get(name, name) for name in ranked)),
        source=source,
    )


def _names(known: Sequence[str], new: Mapping[str, str], what: str) -> list[str]:
    for name in new:
        if name not in known:
            plural = {"channel": "channels", "class": "classes"}[what]
            raise DataError(
                f"rename.{plural}: there is no {what} '{name}'; {suggestion(name, [*known])}"
            )
    return [new.get(name, name) for name in known]
