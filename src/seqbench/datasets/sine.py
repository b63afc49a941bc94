"""Sines and their cosines: a target value for every sample."""

from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from seqbench.config.options import Count, Level, NaturalNumber
from seqbench.config.registry import DATASETS
from seqbench.storage.recordings import Recordings
from seqbench.storage.windows import SPLITS

SLOWEST, FASTEST = 1.0, 4.0  # cycles in a recording
# Cycles that train never sees: those of val, and those of test.
HELD_OUT = {"val": (1.6, 1.9), "test": (2.6, 3.0)}


@DATASETS.register("sin_to_cos", task="regression", sample="series")
def sin_to_cos(
    cache: Path,
    *,
    n_train: Count = 1000,
    n_val: Count = 40,
    n_test: Count = 60,
    n_samples: Annotated[int, Field(ge=2)] = 100,
    noise: Level = 0.0,
    seed: NaturalNumber = 0,
) -> Recordings:
    """Sines of unknown phase and frequency; the target is the cosine at every sample.

    Parameters
    ----------
    n_train, n_val, n_test
        Recordings of the split.
    n_samples
        Samples of a recording.
    noise
        Standard deviation of white noise on the sine; the cosine is without.
    seed
        Seed of the dataset; each split draws from a generator of its own.

    Notes
    -----
    A recording holds 1 to 4 cycles from a random phase on. Those of val have
    1.6 to 1.9 of them and those of test 2.6 to 3.0, and train has none of
    either: a model that knows its train waves by heart does not get through.
    The exercise that this comes from trains and tests on one and the same
    wave. The first sample alone does not determine it: two phases have the same sine.
    """
    del cache  # made, not downloaded
    signals: list[NDArray[np.float32]] = []
    targets: list[NDArray[np.float32]] = []
    splits: list[str] = []
    for number, (split, n) in enumerate(zip(SPLITS, (n_train, n_val, n_test), strict=True)):
        generator = np.random.default_rng([seed, number])
        for _ in range(n):
            start = generator.uniform(0, 2 * np.pi)
            phase = start + 2 * np.pi * _cycles(generator, split) * np.arange(n_samples) / n_samples
            wave = np.sin(phase) + noise * generator.standard_normal(n_samples)
            signals.append(wave[:, None].astype(np.float32))
            targets.append(np.cos(phase)[:, None].astype(np.float32))
            splits.append(split)
    names = [f"{split}{i:04d}" for i, split in enumerate(splits)]
    return Recordings.without_classes(
        signals,
        task="regression",
        targets=targets,
        target_names=["cosine"],
        target_units=[""],
        names=names,
        splits=splits,
        channels=["sine"],
        units=[""],
        source={"origin": "generated", "licence": "none needed"},
    )


def _cycles(generator: np.random.Generator, split: str) -> float:
    """Draw a number of cycles: within the split's own, or for train outside of those held out."""
    if split in HELD_OUT:
        return float(generator.uniform(*HELD_OUT[split]))
    while True:
        cycles = float(generator.uniform(SLOWEST, FASTEST))
        if not any(low <= cycles <= high for low, high in HELD_OUT.values()):
            return cycles
