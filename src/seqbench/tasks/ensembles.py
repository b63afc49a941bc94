"""An ensemble over seeds: the scores of several models averaged, tuned and scored as one."""

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seqbench.config.registry import TASKS
from seqbench.errors import FormatError
from seqbench.plan.job_code import PREDICTORS
from seqbench.process.memory import AUTO, limit_bytes
from seqbench.storage.metrics import Score
from seqbench.storage.model_card import Ensemble
from seqbench.storage.model_header import ModelHeader
from seqbench.storage.models import read_as
from seqbench.storage.windows import read_windows
from seqbench.tasks.scoring import N_RESAMPLES, score


def evaluate_ensemble(
    models: Sequence[Path],
    windows: Path,
    refits: Sequence[Path] = (),
    *,
    device: str,
    threads: int,
    memory_limit: str = AUTO,
) -> Ensemble:
    """Tune the averaged scores of models on val, and score them on val and test.

    Parameters
    ----------
    models
        Files of trained networks that differ in their seed alone.
    windows
        File of the windows they learned from.
    refits
        The same models after they have learned from val too: they predict test, and the tuning
        and the scores on val stay those of `models`. Empty: there are none.
    device, threads
        Where they predict.
    memory_limit
        Larger data stay on disk; see `limit_bytes`.

    Raises
    ------
    FormatError
        If the models are of several runs beside their seeds.
    """
    header, limit = read_as(models[0], ModelHeader).header, limit_bytes(memory_limit)
    task = TASKS[header.task](**header.task_options)
    predicting = importlib.import_module(PREDICTORS["model"])

    def ensemble(paths: Sequence[Path]) -> tuple[Any, bool]:
        stored = [read_as(path, ModelHeader) for path in paths]
        for path, other in zip(paths, stored, strict=True):
            if other.header.run.model_copy(update={"seed": header.run.seed}) != header.run:
                raise FormatError(
                    f"{path}: is of another run than {models[0]} in more than its seed"
                )
        predict, are_probabilities, _ = predicting.ensemble(stored, paths, device, threads)
        return predict, are_probabilities

    predict, are_probabilities = ensemble(models)
    val = read_windows(windows, "val", memory_limit_bytes=limit)
    of_val = predict(val)
    tuned = task.tune(val, of_val, are_probabilities=are_probabilities, data=header)
    scores = {}
    for split, predicted in (("val", of_val), ("test", None)):
        of_split = val
        if predicted is None:
            of_split = read_windows(windows, "test", memory_limit_bytes=limit)
            if refits:
                predict, _ = ensemble(refits)
            predicted = predict(of_split)
        joined = task.join(of_split, predicted, are_probabilities=are_probabilities, tuned=tuned)
        resamples = N_RESAMPLES if split == "test" else 0
        headline = task.headline_of(of_split)
        found = score(task, joined, resamples=resamples, headline=headline)
        scores[split] = {name: Score(**one) for name, one in found.items()}
    return Ensemble(tuned=tuned, scores=scores)
