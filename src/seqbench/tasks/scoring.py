"""Predictions of one model, and their scores; apart, so that no model depends on a metric."""

import importlib
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from seqbench.config.registry import METRICS, TASK_ANALYSES, TASKS
from seqbench.errors import FormatError, UserError
from seqbench.plan.job_code import PREDICTORS
from seqbench.plan.job_settings import EvaluateJobSettings
from seqbench.process.code_digest import source_digest
from seqbench.process.memory import AUTO, limit_bytes
from seqbench.process.origin import commit
from seqbench.statistics.bootstrap import cluster_weights, interval
from seqbench.statistics.proportion import wilson
from seqbench.storage.detections import Detections
from seqbench.storage.metrics import Metrics, Score, write_metrics
from seqbench.storage.model_header import BaselineHeader, ModelHeader
from seqbench.storage.models import StoredModel, read_model
from seqbench.storage.predictions import AnyPredictions, Predictions, write_predictions
from seqbench.storage.records import RunIdentity
from seqbench.storage.sequences import Sequences
from seqbench.storage.windows import Split, read_windows
from seqbench.tasks.base import Task
from seqbench.tasks.metric_names import expand, family_of

N_RESAMPLES = 500
INTERVALS = ("seqbench.statistics.bootstrap", "seqbench.statistics.proportion")


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
    refit: Path | None = None,
    memory_limit: str = AUTO,
    tested_on: str | None = None,
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
    refit
        File of the same model after it has learned from val too: it predicts test alone.
    memory_limit
        Larger data stay on disk; see `limit_bytes`.
    tested_on
        Another dataset whose test `windows` are, and nothing else; None: that of the run.

    Raises
    ------
    UserError
        If the model is of another run.
    """
    paths: dict[Split, Path] = {"val": model, "test": refit or model}
    last: Path | None = None
    stored, header = _read(paths["test"], run)
    unseen: tuple[Split, ...] = ("val", "test")
    if isinstance(header, ModelHeader):
        options, pretraining = header.architecture_options, header.pretraining
    else:  # a baseline has learned from val as well
        unseen, options, pretraining = ("test",), header.options, None
    if tested_on is not None:
        unseen = ("test",)
    task = TASKS[settings.task](**header.task_options)
    found: dict[Split, Any] = {}
    scores: dict[str, dict[str, Score]] = {}
    predicting = importlib.import_module(PREDICTORS[header.kind])
    cost: dict[str, float] = {}
    limit = limit_bytes(memory_limit)
    n_windows = dict(header.n_windows)
    for split in unseen:
        if paths[split] != last:
            last = paths[split]
            one = stored if last == paths["test"] else _read(last, run)[0]
            predict, are_probabilities, compile_s = predicting.predictor(one, last, device, threads)
        of_split = read_windows(windows, split, memory_limit_bytes=limit)
        began, began_cpu = time.perf_counter(), time.process_time()
        predicted = predict(of_split)
        cost = {  # of test, which comes last and is the same for all
            "predict_s": time.perf_counter() - began,
            "predict_cpu_s": time.process_time() - began_cpu,
        }
        if of_split.sample == "series" and of_split.sampling_rate_hz:
            duration_s = len(of_split.signal) / of_split.sampling_rate_hz
            cost["predict_s_per_s"] = cost["predict_s"] / duration_s
        found[split] = task.join(
            of_split, predicted, are_probabilities=are_probabilities, tuned=header.tuned
        )
        n_windows[split] = len(of_split)
        headline = task.headline_of(of_split)
        resamples = N_RESAMPLES if split == "test" else 0
        scored = score(task, found[split], resamples=resamples, headline=headline)
        scores[split] = {name: Score(**one) for name, one in scored.items()}
    write_predictions(predictions, found)
    analysed = settings.task in TASK_ANALYSES
    if compile_s is not None:
        cost["compile_s"] = (header.cost.compile_s or 0.0) + compile_s
    write_metrics(
        metrics,
        Metrics(
            run=header.run,
            task=settings.task,
            tested_on=tested_on,
            headline=headline,
            scores=scores,
            n_windows=n_windows,
            cost=header.cost.model_copy(update=cost),
            pretraining=pretraining,
            model=options,
            events=TASK_ANALYSES[settings.task](of_split, found["test"]) if analysed else None,
            metric_code=metric_code(settings.task),
            provenance=header.provenance.model_copy(update={"evaluated_at_commit": commit()}),
        ),
    )


def metric_code(task: str) -> str:
    """Return the digest of the code of a task's metrics and intervals, but not of file formats."""
    return source_digest(*metric_modules(task), *INTERVALS, without="seqbench.storage.")


def metric_modules(task: str) -> list[str]:
    """Return the modules of a task's metrics, sorted."""
    entries = [METRICS.entry(name) for name in METRICS]
    return sorted({entry.module for entry in entries if task in entry.tags["tasks"]})


def _read(path: Path, run: RunIdentity) -> tuple[StoredModel[Any], ModelHeader | BaselineHeader]:
    """Return the model of a run, and its header."""
    stored = read_model(path)
    header = stored.header
    if not isinstance(header, ModelHeader | BaselineHeader):
        raise FormatError(f"{path}: holds no model, but an {header.kind}")
    if header.run != run:
        raise UserError(f"{path}: holds {header.run}, not {run}; train it again")
    return stored, header


def score(
    task: Task,
    predictions: AnyPredictions,
    *,
    resamples: int = N_RESAMPLES,
    headline: str = "",
    only: Collection[str] | None = None,
) -> dict[str, Any]:
    """Score predictions with every metric of a task.

    Parameters
    ----------
    task
        Names the metrics.
    predictions
        Of one split: of windows or of whole recordings.
    resamples
        Bootstrap resamples of whole groups; 0 gives no intervals. They are the same
        for all that is scored on the same groups, so models can be compared
        resample by resample.
    headline
        The metric of which every resampled value is kept.
    only
        Metrics to compute; None: all.

    Returns
    -------
    dict
        By metric, families at every tolerance: ``value``, and ``low`` and
        ``high`` of a 95 % interval, null where it is not defined, as with a
        single group. Where the headline is perfect it is Wilson's, as if windows or
        events were independent. The headline has ``resampled``, its values in all resamples.
        Metrics that need probabilities are left out where a model
        gives other scores, and metrics of frames where it predicts none.
    """
    generator = np.random.default_rng(0)
    once = np.ones((1, len(predictions)))
    has_intervals = resamples > 0 and len(set(predictions.group)) > 1
    weights = cluster_weights(predictions.group, resamples, generator) if has_intervals else None
    scores: dict[str, Any] = {}
    for name in [name for family in task.metric_names() for name in expand(family)]:
        if only is not None and name not in only:
            continue
        family, tolerance_ms = family_of(name)
        if not _is_defined(METRICS.entry(family).tags, predictions):
            continue
        metric = METRICS[family]
        settings = () if tolerance_ms is None else (tolerance_ms,)
        value = float(metric(predictions, once, *settings)[0])
        resampled = metric(predictions, weights, *settings) if weights is not None else None
        bounds = None if resampled is None else interval(resampled)
        if name == headline and bounds == (1, 1) and (n := _n_counted(predictions)):
            # No resample of what is perfect has a fault, but what was not seen may.
            bounds = float(wilson(1.0, n)[0]), 1.0
        scores[name] = {
            "value": _or_none(value),
            "low": bounds[0] if bounds else None,
            "high": bounds[1] if bounds else None,
        }
        if name == headline and resampled is not None:
            scores[name]["resampled"] = tuple(_or_none(round(float(one), 6)) for one in resampled)
    return scores


def _n_counted(predictions: AnyPredictions) -> int:
    """Return of how many windows or events the headline is a fraction; 0 if of none."""
    if isinstance(predictions, Detections):
        return len(predictions.reference_type)
    return len(predictions) if isinstance(predictions, Predictions) else 0


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _is_defined(tags: dict[str, Any], predictions: AnyPredictions) -> bool:
    """Return whether a metric is defined for these predictions."""
    has_ends = isinstance(predictions, Detections) and predictions.has_ends
    if tags.get("ends", False) and not has_ends:
        return False
    if tags.get("probabilities", False) and not predictions.are_probabilities:
        return False
    has_frames = isinstance(predictions, Sequences) and predictions.has_frames
    return has_frames or not tags.get("of_frames", False)
