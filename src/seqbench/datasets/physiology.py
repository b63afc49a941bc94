"""What the channels of a recording measure of a body."""

import re
from typing import get_args

from seqbench.config.options import PhysiologyKind

# The first word of a name that says what its channel measures.
WORDS: dict[PhysiologyKind, set[str]] = {
    "pulse": {"bvp", "ppg", "pleth", "pulse"},
    "ecg": {"ecg", "ekg"},
    "eda": {"eda", "gsr"},
    "temperature": {"temp", "temperature", "skt"},
    "acceleration": {"acc", "accel", "acceleration", "accelerometer"},
}
KINDS: tuple[PhysiologyKind, ...] = get_args(PhysiologyKind)
OF_HEART_OR_SKIN = {"pulse", "ecg", "eda"}


def named_kind(name: str) -> PhysiologyKind:
    """Return what the first word of a name says that its channel measures."""
    first = re.match(r"[a-z]*", name.lower())
    return next((kind for kind, words in WORDS.items() if first and first[0] in words), "other")
