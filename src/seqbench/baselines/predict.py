"""Predictions of a fitted baseline, from its file."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbench.config.registry import BASELINES
from seqbench.errors import UserError
from seqbench.storage.model_header import BaselineHeader
from seqbench.storage.models import StoredModel
from seqbench.storage.windows import WindowSet


def predictor(
    stored: StoredModel[BaselineHeader], path: Path, device: str, threads: int | None
) -> tuple[Any, bool, float | None]:
    """Return a function from windows to scores, whether these are probabilities, `compile_s`.

    Baselines run in numpy: path, device and threads serve the predictors of models.
    """
    baseline = BASELINES[stored.header.baseline](**stored.header.options)
    compile_s = baseline.compile(len(stored.header.channels))
    return partial(baseline.predict, stored.arrays), baseline.gives_probabilities, compile_s


def ensemble(
    stored: Sequence[StoredModel[BaselineHeader]],
    paths: Sequence[Path],
    device: str,
    threads: int | None,
) -> tuple[Any, bool, float | None]:
    """Return the same of several baselines, whose scores of windows are averaged.

    Raises
    ------
    UserError
        If the scores of different baselines are no probabilities.
    """
    made = [predictor(*one, device, threads) for one in zip(stored, paths, strict=True)]
    if len({one.header.baseline for one in stored}) > 1 and not all(one[1] for one in made):
        raise UserError(
            f"{paths[0]}: scores of different baselines are averaged if they are probabilities,"
            " which these are not; name models of one baseline"
        )

    def mean(windows: WindowSet) -> NDArray[Any]:
        return np.mean([predict(windows) for predict, _, _ in made], axis=0)

    return mean, made[0][1], made[0][2]
