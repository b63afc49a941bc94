"""Fit a baseline on the train and val windows of a dataset."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqbench.steps.arguments import add_run, import_all, parse_run, path_parser

if TYPE_CHECKING:
    from seqbench.plan.job_settings import BaselineJobSettings


def run(
    windows: Path, settings: BaselineJobSettings, identity: dict[str, Any], model: Path
) -> None:
    """Read train and val, fit, write the arrays that prediction needs."""
    from seqbench.config.registry import BASELINES, TASKS
    from seqbench.process.memory import PeakMemory
    from seqbench.process.origin import origin
    from seqbench.storage.model_header import BaselineHeader
    from seqbench.storage.models import StoredModel, write_model
    from seqbench.storage.records import Cost, Provenance, RunIdentity
    from seqbench.storage.windows import read_windows

    task = TASKS[settings.task](**settings.task_options)
    train, val = read_windows(windows, "train"), read_windows(windows, "val")
    parts = [train] if task.tunes_on_val else [train, val]
    baseline = BASELINES[settings.baseline](**settings.options)
    compile_s = baseline.compile(len(train.channels))
    memory = PeakMemory()
    began, began_cpu = time.perf_counter(), time.process_time()
    arrays = baseline.fit(parts, identity["seed"])
    tuned: dict[str, Any] = {}
    if task.tunes_on_val:
        answer = baseline.predict(arrays, val)
        tuned = task.tune(val, answer, are_probabilities=baseline.gives_probabilities)
    header = BaselineHeader(
        run=RunIdentity(**identity),
        task=settings.task,
        task_options=settings.task_options,
        tuned=tuned,
        baseline=settings.baseline,
        options=settings.options,
        channels=tuple(train.channels),
        classes=tuple(train.classes),
        sampling_rate_hz=train.sampling_rate_hz,
        normalization=train.normalization.record(),
        cost=Cost(
            train_s=time.perf_counter() - began,
            train_cpu_s=time.process_time() - began_cpu,
            peak_memory_bytes=memory.peak_bytes(),
            n_parameters=sum(array.size for array in arrays.values()),
            compile_s=compile_s,
        ),
        n_windows={part.split: int((part.label >= 0).sum()) for part in (train, val)},
        provenance=Provenance(**origin(), device="cpu", threads=1),
    )
    write_model(model, StoredModel(arrays, header))


def preload(arguments: list[str]) -> None:
    """Import what the forks of the fork server need."""
    from seqbench.config.registry import BASELINES

    settings = json.loads(arguments[arguments.index("--settings") + 1])
    import_all(*BASELINES.entry(settings["baseline"]).tags["imports"])


def main(argv: list[str] | None = None) -> None:
    """Turn the command line into typed arguments of `run`."""
    from seqbench.plan.job_settings import BaselineJobSettings
    from seqbench.storage.atomic import remove_leftovers

    parser = path_parser(__doc__, "windows", "model")
    parser.add_argument("--settings", type=BaselineJobSettings.from_json, required=True)
    add_run(parser)
    arguments = parser.parse_args(argv)
    remove_leftovers(arguments.model)
    run(identity=parse_run(arguments), **vars(arguments))


if __name__ == "__main__":
    from seqbench.process.launch import launch

    launch("seqbench.steps.fit_baseline")
