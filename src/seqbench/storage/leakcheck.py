"""What a search for leaks between train, val and test found, as `windows.h5` keeps it."""

import json
from dataclasses import asdict, dataclass

NAME_IN_FILES = "n_same_answer"  # of `n_same_target`: version 5 of `windows.h5` has it so


@dataclass(frozen=True, kw_only=True)
class LeakCheck:
    """Findings of one dataset; what no dataset may have is refused and never stands here.

    Parameters
    ----------
    by
        What splits never share: "group", "recording", or "time", a span of a recording.
    n_shared_groups
        Groups with windows in two splits or more; 0 unless the configuration allows it.
    n_windows
        Windows of val and test that were compared with those of train, by split.
    n_repeated
        Those that stand in train too, sample by sample.
    n_same_target
        Of the repeated ones, those with the same label, targets or events there.
    order_agreement
        How often recordings next to each other in the list have the same
        label, beyond chance: 0 as by chance, 1 sorted by label; None where
        recordings have no label, are too few, or are cut in time.
    """

    by: str
    n_shared_groups: int
    n_windows: dict[str, int]
    n_repeated: dict[str, int]
    n_same_target: dict[str, int]
    order_agreement: float | None

    def to_json(self) -> str:
        """Return the findings as text."""
        values = asdict(self)
        return json.dumps(values | {NAME_IN_FILES: values.pop("n_same_target")})

    @classmethod
    def from_json(cls, text: str) -> "LeakCheck":
        """Return what `to_json` wrote down."""
        values = json.loads(text)
        return cls(n_same_target=values.pop(NAME_IN_FILES), **values)
