"""Entries of `datasets` in a configuration, the built-in ones, and the folds of each."""

from collections.abc import Mapping
from functools import cache
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from seqbench.config.stages import (
    Fold,
    RenameSettings,
    SplitSettings,
    TransformSettings,
    WindowSettings,
)

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=64)]
BUILT_IN_DATASETS = Path(__file__).parent.parent / "datasets" / "builtin.yaml"


class DatasetEntry(BaseModel):
    """One dataset: a source, its options beside it, and how it is split and cut."""

    model_config = ConfigDict(extra="allow", frozen=True)

    source: str = Field(description="Registered source; its own options stand beside this key.")
    licence: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="Under which the data may be used, for the report; empty: that of the source."
        " Changing it trains nothing.",
    )
    citation: str | None = Field(
        None,
        min_length=1,
        max_length=1000,
        description="What to cite for the data, for the report; empty: that of the source.",
    )
    rename: RenameSettings = RenameSettings()
    split: SplitSettings = SplitSettings()
    transform: TransformSettings = TransformSettings()
    window: WindowSettings = WindowSettings()
    normalization: Literal["zscore", "robust", "per_recording", "per_window", "none"] = Field(
        "zscore",
        description="zscore and robust take one centre and scale per channel from train;"
        " per_recording and per_window take a mean and deviation from each recording or window,"
        " wherever it belongs. Tokens are never normalised.",
    )

    @model_validator(mode="after")
    def _statistics_are_of_train(self) -> Self:
        if self.window.pad_to_samples and self.normalization == "per_window":
            raise ValueError(
                "pad_to_samples would enter the statistics of per_window; choose another"
                " normalization, or leave the padding out"
            )
        if self.split.by == "time" and self.normalization == "per_recording":
            raise ValueError(
                "a split by time cuts through recordings, so statistics of per_recording would hold"
                " val and test; choose another normalization"
            )
        return self

    @property
    def source_options(self) -> dict[str, Any]:
        """Keys that belong to the source."""
        return dict(self.model_extra or {})


@cache
def built_in_datasets() -> dict[str, DatasetEntry]:
    """Return the datasets that need no entry in the config."""
    raw = yaml.safe_load(BUILT_IN_DATASETS.read_text(encoding="utf-8"))
    return {name: DatasetEntry.model_validate(entry) for name, entry in raw.items()}


class FoldOf(NamedTuple):
    """A fold, and the dataset it is one of."""

    dataset: str
    fold: Fold


def folds_of(datasets: Mapping[str, DatasetEntry]) -> dict[str, FoldOf]:
    """Return the folds of every dataset that has some, by name, repeat by repeat."""
    found = {}
    for dataset, entry in datasets.items():
        n_folds = entry.split.folds or 0
        for repeat, index in product(range(entry.split.repeats), range(n_folds)):
            # Names sort by fold, and do not depend on how many repeats there are.
            name = f"{dataset}-repeat{repeat + 1}-fold{index + 1:0{len(str(n_folds))}d}"
            found[name] = FoldOf(dataset, Fold(n_folds=n_folds, repeat=repeat, index=index))
    return found
