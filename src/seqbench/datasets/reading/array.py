"""What arrays in files have in common, whatever the container."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqbench.datasets.base import fault
from seqbench.datasets.reading.column_names import meaning_of
from seqbench.datasets.reading.source import (
    Blocks,
    ReadOptions,
    Source,
    numbered_names,
    refuse_counters,
    select_channels,
)

RATE_KEY = "sampling_rate_hz"
RATE_KEYS = (
    RATE_KEY, "sampling_rate", "samplingrate", "sample_rate", "samplerate", "sampling_frequency",
    "sfreq", "srate", "fs",
)  # fmt: skip
MOST_CHANNELS = 1 << 16  # more are samples along the wrong axis


@dataclass(frozen=True)
class ArrayLayout:
    """An array as a recording: (n_samples, width), of which columns `selected` are the channels."""

    n_samples: int
    width: int
    channels: list[str]
    selected: list[int]

    @classmethod
    def of(
        cls,
        path: Path,
        dtype: np.dtype[Any],
        shape: tuple[int, ...],
        requested: Sequence[str] | None,
    ) -> "ArrayLayout":
        """Refuse an array that is no recording, and select its channels."""
        if dtype.kind not in "biuf":
            raise fault(path, f"it holds {dtype}, not numbers", "save plain numbers")
        if len(shape) not in (1, 2):
            hint = "save it as (n_samples,) or (n_samples, n_channels)"
            raise fault(path, f"its array has the shape {shape}", hint)
        width = math.prod(shape[1:])
        if width > MOST_CHANNELS:
            problem = f"its array of the shape {shape} has over {MOST_CHANNELS} channels"
            raise fault(path, problem, "save it as (n_samples, n_channels)")
        names = numbered_names(width)
        if 0 < shape[0] < width and set(requested or ()) != set(names):
            problem = f"its array of the shape {shape} has fewer samples than channels"
            hint = "save its transpose, (n_samples, n_channels), or name all its channels"
            raise fault(path, problem, f"{hint}, ch0 to ch{width - 1}, in `channels`")
        selected = select_channels(path, names, requested)
        return cls(shape[0], width, [names[i] for i in selected], selected)

    def take(self, block: NDArray[Any]) -> NDArray[Any]:
        """Return the channels of a block (n, width), copied only if they are not all of it."""
        return block if self.selected == list(range(self.width)) else block[:, self.selected]


def array_source(
    path: Path, layout: ArrayLayout, blocks: Blocks, rate: ArrayLike | None, options: ReadOptions
) -> Source:
    """Return a source of an array beside which the container may state a rate."""

    def checked() -> Blocks:
        for i, block in enumerate(blocks):
            if i == 0:
                refuse_counters(path, block, layout.channels, options)
            yield block

    return Source(
        channels=layout.channels,
        units=[""] * len(layout.channels),
        n_samples=layout.n_samples,
        blocks=checked(),
        files=[path],
        may_miss=options.targets,
        header_rate_hz=None if rate is None else _rate_hz(path, rate),
    )


def _rate_hz(path: Path, rate: ArrayLike) -> float:
    rate = np.asarray(rate)
    if rate.size != 1 or rate.dtype.kind not in "iuf":
        hint = "store one number of samples per second"
        raise fault(path, "its sampling_rate_hz is not a number", hint)
    return float(rate.item())


def rate_key(path: Path, names: Iterable[str]) -> str | None:
    """Return the name of the sampling rate among those of numbers; None: there is none."""
    rates = [name for name in names if name.lower() in RATE_KEYS]
    if len(rates) > 1:
        problem = f"{' and '.join(rates)} are both names of a sampling rate"
        raise fault(path, problem, "keep one of them")
    return rates[0] if rates else None


def signal_key(path: Path, keys: list[str]) -> str:
    """Return the key of the recording among those of the arrays of a container.

    Raises
    ------
    DataError
        If it may be one or another, or an array beside it holds times, by its name.
    """
    if "signal" not in keys and len(keys) != 1:
        held = f"arrays {', '.join(keys[:8])}" if keys else "no array"
        raise fault(path, f"it holds {held}", "name the one that is the recording 'signal'")
    key = "signal" if "signal" in keys else keys[0]
    for name in keys:
        meaning = None if name == key else meaning_of(name.rpartition("/")[2])
        if meaning is not None and meaning.kind == "time":
            problem = f"beside '{key}' it holds times, '{name}', which are not read"
            hint = "write a table with a time column (.csv, .parquet), or remove them"
            raise fault(path, problem, hint)
    return key
