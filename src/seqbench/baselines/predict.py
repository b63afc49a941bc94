"""Predictions of a fitted baseline, from its file."""

from functools import partial
from typing import Any

from seqbench.config.registry import BASELINES
from seqbench.storage.models import StoredModel


def predictor(stored: StoredModel, device: str, threads: int) -> tuple[Any, bool]:
    """Return a function from windows to scores, and whether these are probabilities."""
    del device, threads  # baselines run in numpy
    baseline = BASELINES[stored.header["baseline"]](**stored.header["options"])
    return partial(baseline.predict, stored.arrays), baseline.gives_probabilities
