"""The vocabulary in which every extension states its options.

A registered function or class offers options through its
keyword-only parameters, annotated with the types below. The registry turns
those signatures into closed pydantic models, so an unknown key or a value out
of range is refused before anything is imported, let alone trained.
"""

import json
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from seqbench.config.tolerances import TOLERANCES_MS


def _odd(number: int) -> int:
    if number % 2 == 0:
        raise ValueError("must be odd, so that a filter has a middle")
    return number


Count = Annotated[int, Field(ge=1)]
NaturalNumber = Annotated[int, Field(ge=0, le=2**32 - 1)]
Fraction = Annotated[float, Field(gt=0, le=1)]
Dropout = Annotated[float, Field(ge=0, lt=1)]
Level = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Layers = Annotated[int, Field(ge=1, le=100)]
Widths = Annotated[tuple[Count, ...], Field(min_length=1, max_length=100)]
OddCount = Annotated[Count, AfterValidator(_odd)]
OddWidths = Annotated[tuple[OddCount, ...], Field(min_length=1, max_length=100)]
Lags = Annotated[tuple[Count, ...], Field(min_length=1)]
Pooling = Literal["last", "mean", "attention"]
Text = Annotated[str, Field(min_length=1)]
AugmentationNames = tuple[
    Literal[
        "jitter",
        "band_noise",
        "scaling",
        "channel_drop",
        "channel_mix",
        "time_mask",
        "shift",
        "time_warp",
    ],
    ...,
]


def _known_tolerance(tolerance_ms: float) -> float:
    if tolerance_ms not in TOLERANCES_MS:
        raise ValueError("must be one of " + ", ".join(f"{t:g}" for t in TOLERANCES_MS))
    return tolerance_ms


Tolerance = Annotated[float, AfterValidator(_known_tolerance)]


class Options(BaseModel):
    """A closed, immutable set of options with one canonical JSON form."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def to_json(self) -> str:
        """Return the options, defaults included, as JSON with sorted keys."""
        return canonical_json(self.model_dump(mode="json"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote."""
        return cls.model_validate_json(text)


def canonical_json(value: Any) -> str:
    """Return `value` as JSON whose text depends on its meaning alone."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
