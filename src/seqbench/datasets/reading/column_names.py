"""What the name of a column says about it: a time and its unit, row numbers, or a label."""

import re
from dataclasses import dataclass
from typing import Literal

from seqbench.config.options import TimeUnit

UNNAMED_INDEX = "Unnamed: 0"  # the name pandas gives to row numbers without one
SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "min": 60.0, "h": 3600.0}

UNIT_WORDS: dict[str, TimeUnit] = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("ms", "msec", "msecs", "millis", "millisecond", "milliseconds"), "ms"),
    **dict.fromkeys(("us", "usec", "usecs", "micros", "microsecond", "microseconds"), "us"),
    **dict.fromkeys(("ns", "nsec", "nanos", "nanosecond", "nanoseconds"), "ns"),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), "min"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "h"),
}
SYMBOLS = {"s", "ms", "us", "ns", "min", "h"}  # alone, one of these may be a channel
TIME_WORDS = {"time", "times", "timestamp", "timestamps", "datetime", "date", "clock"}
AROUND_TIME = {
    "t", "stamp", "elapsed", "unix", "epoch", "utc", "gmt", "local", "system", "device", "lsl",
    "since", "start", "relative", "absolute", "of", "in", "the", "day", "from", "begin",
    "beginning", "recording", "formatted", "iso", "sample",
}  # fmt: skip
COUNTED = {"sample", "samples", "row", "rows", "frame", "frames", "packet", "packets", "unnamed"}
COUNTING = {"index", "idx", "number", "no", "nr", "id", "count", "counter", "level"}
LABELS = {
    "label", "labels", "class", "classes", "target", "targets", "annotation", "annotations",
    "activity", "activities", "event", "events", "marker", "markers", "trigger", "triggers",
    "stim", "stimulus", "stage", "state", "status", "condition", "category", "outcome",
    "diagnosis", "truth", "gt", "subject", "participant", "patient", "person", "user", "trial",
    "session", "fold", "split",
}  # fmt: skip
AROUND_LABELS = {
    "id", "ids", "name", "true", "ground", "number", "nr", "no", "code", "index", "is", "sleep"
}  # fmt: skip


@dataclass(frozen=True)
class Meaning:
    """What a name says: "time", "index" or "label", and the unit of a time.

    An index holds row numbers; a label what was done, or by whom.
    """

    kind: Literal["time", "index", "label"]
    unit: TimeUnit | None = None


def meaning_of(name: str) -> Meaning | None:
    """Return what the name of a column says; None: it is the name of a channel."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
    words = re.findall(r"[^\W\d_]+|\d+", re.sub("[µμ]", "u", spaced))
    letters = [word for word in words if not word.isdecimal()]
    if not letters:
        return None
    units = [UNIT_WORDS[word] for word in words if word in UNIT_WORDS]
    others = [word for word in words if word not in UNIT_WORDS]
    is_stamp = {"timestamp", "timestamps"} & set(others)
    is_time = is_stamp or all(word in TIME_WORDS | AROUND_TIME for word in others)
    if is_time and len(set(units)) <= 1:
        is_unit = not others and words[0] not in SYMBOLS
        if is_unit or others == ["t"] or TIME_WORDS & set(others) or "elapsed" in others:
            return Meaning("time", units[0] if units else None)
    if set(letters) <= COUNTED | COUNTING and (COUNTED | {"index", "idx"}) & set(letters):
        return Meaning("index", "samples")
    says_whether = letters[0] == "is" and len(letters) > 1
    if says_whether or (LABELS & set(letters) and set(letters) <= LABELS | AROUND_LABELS):
        return Meaning("label")
    return None
