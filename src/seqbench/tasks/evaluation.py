"""Prediction and scores of one model, from windows to its predictions and metrics."""

import importlib
import time
from pathlib import Path
from typing import Any

from seqbench.config.registry import TASKS
from seqbench.errors import FormatError, UserError
from seqbench.plan.job_code import PREDICTORS
from seqbench.plan.job_settings import EvaluateJobSettings
from seqbench.process.origin import commit
from seqbench.storage.metrics import Metrics, Score, write_metrics
from seqbench.storage.model_header import BaselineHeader, ModelHeader
from seqbench.storage.models import read_model
from seqbench.storage.predictions import write_predictions
from seqbench.storage.records import RunIdentity
from seqbench.storage.windows import Split, read_windows
from seqbench.tasks.scoring import N_RESAMPLES, score


def evaluate(
    *,
    windows: Path,
    model: Path,
    settings: EvaluateJobSettings,
    run: RunIdentity,
    device: str,
    threads: int,
    predictions: Path,
    metrics: Path,
) -> None:
    """Predict and score the windows that a model has not learned from.

    Parameters
    ----------
    windows, model
        Files that are read.
    settings
        The task.
    run
        Identity that the model must have.
    device, threads
        Where a trained model predicts.
    predictions, metrics
        Files that are written.

    Raises
    ------
    UserError
        If the model is of another run.
    """
    stored = read_model(model)
    header = stored.header
    if not isinstance(header, ModelHeader | BaselineHeader):
        raise FormatError(f"{model}: holds no model, but an {header.kind}")
    if header.run != run:
        raise UserError(f"{model}: holds {header.run}, not {run}; train it again")
    unseen: tuple[Split, ...] = ("val", "test")
    if isinstance(header, ModelHeader):
        options, pretraining = header.architecture_options, header.pretraining
    else:  # a baseline has learned from val as well
        unseen, options, pretraining = ("test",), header.options, None
    task = TASKS[settings.task](**header.task_options)
    found: dict[Split, Any] = {}
    scores: dict[str, dict[str, Score]] = {}
    predicting = importlib.import_module(PREDICTORS[header.kind])
    predict, are_probabilities, compile_s = predicting.predictor(stored, model, device, threads)
    cost: dict[str, float] = {}
    n_windows = dict(header.n_windows)
    for split in unseen:
        of_split = read_windows(windows, split)
        began, began_cpu = time.perf_counter(), time.process_time()
        predicted = predict(of_split)
        cost = {  # of test, which comes last and is the same for all
            "predict_s": time.perf_counter() - began,
            "predict_cpu_s": time.process_time() - began_cpu,
        }
        found[split] = task.join(
            of_split, predicted, are_probabilities=are_probabilities, tuned=header.tuned
        )
        n_windows[split] = len(of_split)
        headline = task.headline_of(of_split)
        resamples = N_RESAMPLES if split == "test" else 0
        scored = score(task, found[split], resamples=resamples, headline=headline)
        scores[split] = {name: Score(**one) for name, one in scored.items()}
    write_predictions(predictions, found)
    if compile_s is not None:
        cost["compile_s"] = (header.cost.compile_s or 0.0) + compile_s
    write_metrics(
        metrics,
        Metrics(
            run=header.run,
            task=settings.task,
            headline=headline,
            scores=scores,
            n_windows=n_windows,
            cost=header.cost.model_copy(update=cost),
            pretraining=pretraining,
            model=options,
            provenance=header.provenance.model_copy(update={"evaluated_at_commit": commit()}),
        ),
    )
