"""Fitting of a baseline, from windows to its file."""

import time
from pathlib import Path
from typing import Any

from seqbench.baselines.base import Baseline
from seqbench.config.registry import BASELINES, TASKS
from seqbench.plan.job_settings import BaselineJobSettings
from seqbench.process.memory import AUTO, PeakMemory, limit_bytes
from seqbench.process.origin import origin
from seqbench.storage.model_header import BaselineHeader, DataHeader, data_fields, windowing_fields
from seqbench.storage.models import StoredModel, write_model
from seqbench.storage.records import Cost, Provenance, RunIdentity
from seqbench.storage.windows import WindowSet, read_windows


def fit_baseline(
    windows: Path,
    settings: BaselineJobSettings,
    run: RunIdentity,
    model: Path,
    memory_limit: str = AUTO,
) -> None:
    """Fit a baseline on train and val; write the arrays that prediction needs.

    Where the task tunes on val, the baseline learns from train alone. Data larger than
    `memory_limit` stay on disk; a baseline that needs them whole is refused.
    """
    task = TASKS[settings.task](**settings.task_options)
    limit = limit_bytes(memory_limit)
    train = read_windows(windows, "train", memory_limit_bytes=limit)
    val = read_windows(windows, "val", memory_limit_bytes=limit)
    learned = [train] if task.tunes_on_val else [train, val]
    baseline = BASELINES[settings.baseline](**settings.options)
    compile_s = baseline.compile(len(train.channels))
    memory = PeakMemory()
    began, began_cpu = time.perf_counter(), time.process_time()
    arrays = baseline.fit(learned, run.seed)
    tuned: dict[str, Any] = {}
    if task.tunes_on_val:
        tuned = tuned_on_val(task, baseline, baseline.predict(arrays, val), train, val)
    header = BaselineHeader(
        run=run,
        task=settings.task,
        task_options=settings.task_options,
        tuned=tuned,
        baseline=settings.baseline,
        options=settings.options,
        **data_fields(train),
        **windowing_fields(train),
        cost=Cost(
            train_s=time.perf_counter() - began,
            compile_s=compile_s,
            train_cpu_s=time.process_time() - began_cpu,
            peak_memory_bytes=memory.peak_bytes(),
            n_parameters=sum(array.size for array in arrays.values()),
        ),
        n_windows={one.split: int((one.label >= 0).sum()) for one in (train, val)},
        provenance=Provenance(**origin(), device="cpu", threads=1),
    )
    write_model(model, StoredModel(arrays, header))


def tuned_on_val(
    task: Any, baseline: Baseline, predicted: Any, train: WindowSet, val: WindowSet
) -> dict[str, Any]:
    """Return what a task chooses on val for the predictions of a baseline there."""
    tuned: dict[str, Any] = task.tune(
        val,
        predicted,
        are_probabilities=baseline.gives_probabilities,
        are_decisions=baseline.decides,
        data=DataHeader(**data_fields(train)),
    )
    return tuned
