"""Events on their way into `Recordings`."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np


class Event(NamedTuple):
    """A typed event: the index of its type, and the samples [start, stop) it covers."""

    type: int
    start: int
    stop: int


def label_columns(events: Sequence[Sequence[Event]]) -> dict[str, Any]:
    """Return the label columns of `Recordings` for the events of each recording, by onset."""
    rows = [
        (recording, *event)
        for recording, of_one in enumerate(events)
        for event in sorted(of_one, key=lambda event: (event.start, event.type))
    ]
    table = np.array(rows, dtype=np.int64).reshape(-1, 4)
    names = ("label_recording", "label", "label_start", "label_stop")
    return {name: table[:, i].copy() for i, name in enumerate(names)}
