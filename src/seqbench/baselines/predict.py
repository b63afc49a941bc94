"""Predictions of a fitted baseline, from its file."""

from functools import partial
from pathlib import Path
from typing import Any

from seqbench.config.registry import BASELINES
from seqbench.storage.model_header import BaselineHeader
from seqbench.storage.models import StoredModel


def predictor(
    stored: StoredModel[BaselineHeader], path: Path, device: str, threads: int | None
) -> tuple[Any, bool, float | None]:
    """Return a function from windows to scores, whether these are probabilities, `compile_s`.

    Baselines run in numpy: path, device and threads serve the predictors of models.
    """
    baseline = BASELINES[stored.header.baseline](**stored.header.options)
    compile_s = baseline.compile(len(stored.header.channels))
    return partial(baseline.predict, stored.arrays), baseline.gives_probabilities, compile_s
