"""What became of the labelled events of test, counted: the part of `metrics.json` on detection.

Small whatever the recordings: the report adds up counts of runs and opens no signal.
"""

from typing import NamedTuple

from seqbench.storage.records import Count, Record


class OfLevel(NamedTuple):
    """Events of one type and level.

    `level_db` is that of the amplitude against the template, rounded to decibels, 0
    where no amplitude is known. `n_timed` events have a detection near enough for an
    error in time; `error_ms` is the sum of their absolute errors.
    """

    type: Count
    level_db: int
    n: Count
    n_found: Count
    n_timed: Count
    error_ms: float


class OfLag(NamedTuple):
    """Events whose nearest other event is up to `lag_ms` away, and beyond the lag before.

    None: further than all lags, or alone in their recording.
    """

    lag_ms: float | None
    n: Count
    n_found: Count


class OfRival(NamedTuple):
    """Events of a type whose nearest other event is near and of the type `rival`."""

    type: Count
    rival: Count
    n: Count
    n_found: Count


class Confused(NamedTuple):
    """Events of a type found as a type; None in place of one: extra, or missed."""

    type: Count | None
    found: Count | None
    n: Count


class EventCounts(Record):
    """Labelled events of test and detections, counted by what may decide whether they are found.

    Attributes
    ----------
    tolerance_ms
        Within which a detection of its type finds an event.
    near_ms
        Lag up to which `by_rival` counts an event.
    has_levels
        Whether the source knows the amplitude of every event.
    by_level, by_lag, by_rival
        Rows with events alone.
    confusion
        One to one: first detections of the right type, then, of what is left, any
        two within the tolerance.
    """

    tolerance_ms: float
    near_ms: float
    has_levels: bool
    by_level: tuple[OfLevel, ...]
    by_lag: tuple[OfLag, ...]
    by_rival: tuple[OfRival, ...]
    confusion: tuple[Confused, ...]
