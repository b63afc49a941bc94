"""What single precision loses of channels that vary little beside a large offset.

Single precision has 24 bits: counts around 1e9 are 64 apart in it, so a swing of
50 counts is gone. What is lost depends on how far a channel varies in all
recordings of a dataset, not in one of them: a sensor may rest in it.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FEWEST_STEPS = 200  # of single precision over the range of a channel: below, noise of 0.3 % of it
AMPLE_STEPS = 1000 * FEWEST_STEPS  # what begins with so many is taken to keep enough
N_LOOKED_AT = 1024  # samples of a block, evenly spaced
NEGLIGIBLE = 1e-12  # variation beside the offset that only rounding in double precision makes
TAILS = (0.05, 0.95)  # a dropout to 0 does not make the range of a channel wide

Values = NDArray[np.float64]


@dataclass
class Precision:
    """Range of each channel, and what its values lost when they became single precision.

    Parameters
    ----------
    spread
        Largest distance of the quantiles `TAILS` in a block, (C,).
    error
        Largest difference between a value and the same in single precision, (C,).
    centre
        A value in the middle of the block with the largest error, (C,).
    """

    spread: Values
    error: Values
    centre: Values

    is_lossy: bool = False  # whether any block had a type that single precision cannot hold

    @classmethod
    def of(cls, n_channels: int) -> "Precision":
        """Return that of no samples."""
        return cls(*np.zeros((3, n_channels)))

    @classmethod
    def joined(cls, of_recordings: Iterable["Precision"]) -> "Precision":
        """Return that of all recordings of a dataset."""
        first, *others = of_recordings
        whole = cls(first.spread.copy(), first.error.copy(), first.centre.copy())
        for one in others:
            whole._add(one.spread, one.error, one.centre)
        return whole

    def look_at(self, block: NDArray[Any]) -> None:
        """Take samples (n, C) into account, as they were before the cast; unknown ones are NaN."""
        if not len(block) or np.can_cast(block.dtype, np.float32):
            return
        self.is_lossy = True
        seen = block[:: -(-len(block) // N_LOOKED_AT)].astype(np.float64)
        seen[:, np.isnan(seen).all(axis=0)] = 0.0
        quantile = np.nanquantile if np.isnan(seen).any() else np.quantile
        low, centre, high = quantile(seen, [TAILS[0], 0.5, TAILS[1]], axis=0)
        # Of pulses that are rarer than the tails, the pulses are the range.
        whole = np.nanmax(seen, axis=0) - np.nanmin(seen, axis=0)
        spread = np.where(high > low, high - low, whole)
        error = np.nanmax(np.abs(seen - seen.astype(np.float32)), axis=0)
        self._add(spread, error, centre)

    def _add(self, spread: Values, error: Values, centre: Values) -> None:
        self.centre = np.where(error > self.error, centre, self.centre)
        self.spread = np.maximum(self.spread, spread)
        self.error = np.maximum(self.error, error)

    def n_steps(self) -> Values:
        """Return how many values of single precision lie within the range of each channel, (C,).

        Infinite where nothing is lost, and where only rounding varies.
        """
        is_lost = (self.error > 0) & (self.spread > NEGLIGIBLE * np.abs(self.centre))
        return np.where(is_lost, self.spread / np.where(is_lost, 2 * self.error, 1.0), np.inf)

    def offsets(self) -> tuple[float, ...]:
        """Return what to subtract so that single precision keeps the changes of each channel.

        Round numbers near its values, and 0 where enough is kept as it is.
        """
        columns = zip(self.n_steps(), self.centre, self.spread, strict=True)
        return tuple(
            0.0 if n_steps >= FEWEST_STEPS else round(float(centre), -math.ceil(math.log10(spread)))
            for n_steps, centre, spread in columns
        )
