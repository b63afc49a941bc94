"""Centres and scales, as files keep them."""

from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray


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

    def to_json(self) -> dict[str, Any]:
        """Return the normalisation as JSON values, for the header of a model."""
        return {"mode": self.mode, "centre": self.centre.tolist(), "scale": self.scale.tolist()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Normalization":
        """Return what `to_json` wrote down."""
        return cls(values["mode"], np.array(values["centre"]), np.array(values["scale"]))


def write_normalization(group: h5py.Group, normalization: Normalization) -> None:
    """Store a normalisation in a group of its own."""
    group.attrs["mode"] = normalization.mode
    group["centre"], group["scale"] = normalization.centre, normalization.scale


def read_normalization(group: h5py.Group) -> Normalization:
    """Return what `write_normalization` stored."""
    return Normalization(str(group.attrs["mode"]), group["centre"][:], group["scale"][:])
