"""The vocabulary in which every extension states its options.

A registered function or class offers options through its
keyword-only parameters, annotated with the types below. The registry turns
those signatures into closed pydantic models, so an unknown key or a value out
of range is refused before anything is imported, let alone trained.
"""

import json
from glob import escape
from pathlib import PurePath
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

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
OddCount = Annotated[
    Count, AfterValidator(_odd), Field(json_schema_extra={"not": {"multipleOf": 2}})
]
OddWidths = Annotated[tuple[OddCount, ...], Field(min_length=1, max_length=100)]
Lags = Annotated[tuple[Count, ...], Field(min_length=1)]
Pooling = Literal["last", "mean", "attention"]
TimeOrigin = Literal["start", "clock"]
Gaps = Literal["refuse", "split"]
TimeUnit = Literal["s", "ms", "us", "ns", "min", "h", "samples"]
Text = Annotated[str, Field(min_length=1)]
PhysiologyKind = Literal["pulse", "ecg", "eda", "temperature", "acceleration", "other"]
PhysiologyKinds = dict[Text, PhysiologyKind]  # of channels, by their names
MOVING = ("shift", "time_warp")  # augmentations after which a label may be of another sample
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


Tolerance = Annotated[
    float, AfterValidator(_known_tolerance), Field(json_schema_extra={"enum": [*TOLERANCES_MS]})
]


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


LABEL_SUFFIXES = {  # of the files of each format
    "audacity": (".txt",),
    "bids": (".tsv",),
    "edf": (".edf", ".bdf"),
    "elan": (".eaf",),
    "label_studio": (".json",),
    "raven": (".txt",),
    "textgrid": (".textgrid",),
    "wfdb": (),  # as `extension` says
}
LABEL_OPTIONS = {  # which of the options only some formats have
    "tier": ("elan", "textgrid"),
    "column": ("bids", "raven"),
    "extension": ("wfdb",),
    "unit": ("label_studio",),
}


def _plain_suffix(text: str) -> str:
    if not text.replace("-", "").replace("_", "").isalnum():
        raise ValueError("must be letters and digits, without a dot")
    return text


class LabelFiles(Options):
    """Label files of another program, and where they are."""

    format: Literal[
        "audacity", "bids", "edf", "elan", "label_studio", "raven", "textgrid", "wfdb"
    ] = Field(description="Program or standard that wrote the files.")
    path: Text | None = Field(
        None,
        description="Folder of the files, each named as its recording, or the one file of all,"
        " below the folder of the dataset; empty: recordings/, of label_studio labels.json.",
    )
    tier: Text | None = Field(None, description="textgrid, elan: the tier; empty: the only one.")
    column: Text | None = Field(
        None,
        description="Column of the labels; empty: of bids trial_type, else value; of raven"
        " Annotation.",
    )
    extension: Annotated[Text, AfterValidator(_plain_suffix)] | None = Field(
        None, description="wfdb: suffix of the annotation files; empty: atr."
    )
    unit: Literal["s", "ms", "samples"] | None = Field(
        None,
        description="label_studio: unit of the time column of its tasks; without one, samples.",
    )
    only: Annotated[tuple[Text, ...], Field(min_length=1)] | None = Field(
        None, description="Labels to keep; empty keeps all."
    )

    @model_validator(mode="after")
    def _options_fit_the_format(self) -> Self:
        for option, formats in LABEL_OPTIONS.items():
            if getattr(self, option) is not None and self.format not in formats:
                raise ValueError(f"{option} belongs to {' and '.join(formats)}; leave it out")
        if self.path is not None:
            path = PurePath(self.path)
            if path.is_absolute() or ".." in path.parts:
                raise ValueError("path is below the folder of the dataset; move the files there")
        return self

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Suffixes of the label files, in lower case."""
        if self.format == "wfdb":
            return (f".{self.extension or 'atr'}".lower(),)
        return LABEL_SUFFIXES[self.format]

    @property
    def place(self) -> str:
        """Folder of the files, or the one file of all, below the folder of the dataset."""
        return self.path or ("labels.json" if self.format == "label_studio" else "recordings")

    @property
    def counts_samples(self) -> bool:
        """Whether the labels count from the first sample, whatever clock a recording has."""
        return self.format in ("bids", "edf", "wfdb") or self.unit == "samples"

    @property
    def beside_recordings(self) -> tuple[str, ...]:
        """Suffixes of files in recordings/ that belong to the labels, in lower case."""
        if self.path is not None or self.format == "edf":
            return ()
        return (*self.suffixes, ".json") if self.format == "bids" else self.suffixes

    def patterns(self) -> list[str]:
        """Return patterns of the label files below the dataset's folder, names in lower case."""
        folder, _, name = self.place.rpartition("/")
        inside = [f"{self.place}/*{escape(suffix)}" for suffix in self.suffixes]
        return [f"{folder}/{escape(name.lower())}".lstrip("/"), *inside]
