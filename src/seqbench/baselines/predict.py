"""Predictions of a fitted baseline, from its file."""

from functools import partial
from pathlib import Path
from typing import Any

from seqbench.config.registry import BASELINES
from seqbench.storage.model_header import BaselineHeader
from seqbench.storage.models import StoredModel


def predictor(
    stored: StoredModel[BaselineHeader], path: Path, device: str, threads: int
) -> tuple[Any, bool]:
    """Return a function from windows to scores, and whether these are probabilities."""
    del path, device, threads  # baselines run in numpy
    baseline = BASELINES[stored.header.baseline](**stored.header.options)
    return partial(baseline.predict, stored.arrays), baseline.gives_probabilities
