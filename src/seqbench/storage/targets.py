"""Targets of single samples, as `windows.h5` keeps them.

Layout of the group: ``values`` (n_samples, D) float32, NaN where nothing is
known, a row for every row of ``signal``; none in forecasting of video, whose
frames would stand there twice: they are the signal, its normalisation undone.
``name`` and ``unit``, (D,) text;
``normalization`` as of the signal; the attributes ``horizon_samples`` and
``transform``, a JSON object.
"""

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from seqbench.config.stages import TransformSettings
from seqbench.storage.lazy_array import AnyArray
from seqbench.storage.normalization import Normalization, NormalizationRecord
from seqbench.storage.records import Record

PATHS = {"names": "name", "units": "unit"}  # in a file


class TargetsRecord(Record):
    """All but the values of `Targets`, for the header of a model."""

    names: tuple[str, ...]
    units: tuple[str, ...]
    normalization: NormalizationRecord
    horizon_samples: Annotated[int, Field(ge=0, le=2**31)] = 0
    transform: TransformSettings = TransformSettings()


@dataclass(frozen=True, kw_only=True)
class Targets:
    """Values that belong to the samples of a split.

    Parameters
    ----------
    values
        (n_samples, D) in `units`, in memory or a `LazyArray`, NaN where nothing
        is known. In labelling the index of the class, D = 1; in forecasting the
        signal before it was transformed and normalised, of video (n_samples, C, H, W).
    names, units
        Of the D values.
    normalization
        Of the values, from train; neutral in labelling. In forecasting that of
        the transformed signal, from which models learn.
    horizon_samples
        0: the values of a window's own samples are its targets; else those of
        so many samples behind its end.
    transform
        What the signal went through before it was normalised.
    """

    values: AnyArray
    names: list[str]
    units: list[str]
    normalization: Normalization
    horizon_samples: int = 0
    transform: TransformSettings = field(default_factory=TransformSettings)

    def record(self) -> TargetsRecord:
        """Return all but the values, for the header of a model."""
        return TargetsRecord(
            names=tuple(self.names),
            units=tuple(self.units),
            normalization=self.normalization.record(),
            horizon_samples=self.horizon_samples,
            transform=self.transform,
        )
