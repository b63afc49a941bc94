"""Centres and scales of channels, as arrays and as a record in the header of a model."""

from dataclasses import dataclass
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from seqbench.storage.records import Name, Record


class NormalizationRecord(Record):
    """A normalization as JSON values: one centre and one scale for each channel."""

    mode: Name
    centre: tuple[float, ...]
    scale: tuple[Annotated[float, Field(gt=0)], ...]

    @model_validator(mode="after")
    def _check_lengths(self) -> Self:
        if len(self.centre) != len(self.scale):
            raise ValueError("centre and scale must have the same length")
        return self


@dataclass(frozen=True)
class Normalization:
    """Centre and scale of each channel, (C,) float64; both neutral unless fitted on train."""

    mode: str
    centre: NDArray[np.float64]
    scale: NDArray[np.float64]

    @classmethod
    def neutral(cls, n_channels: int) -> "Normalization":
        """Return the normalisation that changes nothing."""
        return cls("none", np.zeros(n_channels), np.ones(n_channels))

    def undone(self, signal: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a normalised signal (n_samples, C, ...) in its units, rounded to float32."""
        centre, scale = (
            values.astype(np.float32).reshape(-1, *(1 for _ in signal.shape[2:]))
            for values in (self.centre, self.scale)
        )
        return signal * scale + centre

    def record(self) -> NormalizationRecord:
        """Return the normalization for the header of a model."""
        return NormalizationRecord(
            mode=self.mode, centre=tuple(self.centre.tolist()), scale=tuple(self.scale.tolist())
        )

    @classmethod
    def of(cls, record: NormalizationRecord) -> "Normalization":
        """Return the normalization of a record."""
        return cls(record.mode, np.array(record.centre), np.array(record.scale))
