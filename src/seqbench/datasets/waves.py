"""Waves of known shape under noise: the smallest dataset that means something."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from seqbench.config.options import Count, Level, NaturalNumber, Positive
from seqbench.config.registry import DATASETS
from seqbench.datasets.base import DataError
from seqbench.storage.recordings import Recordings

FRACTIONS = {"train": 0.7, "val": 0.15, "test": 0.15}
SHAPES: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "sine": np.sin,
    "square": lambda phase: np.sign(np.sin(phase)),
    "triangle": lambda phase: 2 / np.pi * np.arcsin(np.sin(phase)),
    "sawtooth": lambda phase: (phase / np.pi) % 2 - 1,
}


@DATASETS.register("waves", task="classification", sample="series")
def waves(
    cache: Path,
    *,
    n_windows: Count = 1200,
    window_samples: Count = 200,
    min_samples: Count | None = None,
    shapes: Annotated[
        tuple[Literal["sine", "square", "triangle", "sawtooth"], ...], Field(min_length=2)
    ] = ("sine", "square"),
    noise: Level = 0.15,
    cycles: Positive = 1.0,
    max_cycles: Positive | None = None,
    random_phase: bool = False,
    seed: NaturalNumber = 0,
) -> Recordings:
    """Sine, square, triangle and sawtooth waves under white noise, one channel.

    With its defaults this is the introductory task of many courses, which any
    model solves; random phases, several cycles, more shapes and noise make it
    hard enough to separate models.

    Parameters
    ----------
    n_windows
        Windows of all splits together: 70 % train, 15 % val, 15 % test.
    window_samples
        Samples of a window; with `min_samples`, of the longest.
    min_samples
        Samples of the shortest window; empty: all are equally long.
    shapes
        One class for each.
    noise
        Standard deviation of the noise; the waves reach from -1 to 1.
    cycles
        Periods in a window; with `max_cycles`, the fewest.
    max_cycles
        The most periods in a window; empty: all windows hold the same number.
    random_phase
        Start each wave at a random point of its period.
    seed
        Seed of the dataset; each split draws from a generator of its own.
    """
    del cache  # made, not downloaded
    shortest = window_samples if min_samples is None else min_samples
    most = cycles if max_cycles is None else max_cycles
    if shortest > window_samples or most < cycles:
        raise DataError(
            "waves: `min_samples` must not exceed `window_samples`, nor `cycles` `max_cycles`"
        )
    signals: list[NDArray[np.float32]] = []
    rows: list[tuple[str, str, str]] = []  # name, label, split
    for number, (split, fraction) in enumerate(FRACTIONS.items()):
        generator = np.random.default_rng([seed, number])
        for i in range(round(n_windows * fraction)):
            shape = shapes[i % len(shapes)]
            n_samples = int(generator.integers(shortest, window_samples, endpoint=True))
            phase = np.linspace(0, 2 * np.pi * generator.uniform(cycles, most), n_samples)
            if random_phase:
                phase += generator.uniform(0, 2 * np.pi)
            wave = SHAPES[shape](phase) + generator.normal(scale=noise, size=n_samples)
            signals.append(wave[:, None].astype(np.float32))
            rows.append((f"{split}{i:05d}", shape, split))
    names, labels, splits = map(list, zip(*rows, strict=True))
    return Recordings.one_label_each(
        labels,
        signals,
        names=names,
        splits=splits,
        channels=["wave"],
        units=[""],
        source={"origin": "generated", "licence": "none needed"},
    )
