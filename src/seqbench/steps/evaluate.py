"""Predict and score; the only step that opens test."""

from __future__ import annotations

import importlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqbench.steps.arguments import TRAINING, add_run, import_all, parse_run, path_parser

if TYPE_CHECKING:
    from seqbench.plan.job_settings import EvaluateJobSettings


def run(
    windows: Path,
    model: Path,
    settings: EvaluateJobSettings,
    identity: dict[str, Any],
    device: str,
    threads: int,
    predictions: Path,
    metrics: Path,
) -> None:
    """Read the windows a model has not learned from, predict, write predictions and metrics."""
    from seqbench.config.registry import TASKS
    from seqbench.errors import FormatError, UserError
    from seqbench.plan.job_code import PREDICTORS
    from seqbench.process.origin import commit
    from seqbench.storage.metrics import Metrics, Score, write_metrics
    from seqbench.storage.model_header import BaselineHeader, ModelHeader
    from seqbench.storage.models import read_model
    from seqbench.storage.predictions import write_predictions
    from seqbench.storage.records import RunIdentity
    from seqbench.storage.windows import Split, read_windows
    from seqbench.tasks.scoring import N_RESAMPLES, score

    stored = read_model(model)
    header = stored.header
    if not isinstance(header, ModelHeader | BaselineHeader):
        raise FormatError(f"{model}: holds no model, but an {header.kind}")
    if header.run != RunIdentity(**identity):
        raise UserError(f"{model}: holds {header.run}, not {identity}; train it again")
    unseen: tuple[Split, ...] = ("val", "test") if isinstance(header, ModelHeader) else ("test",)
    task = TASKS[settings.task](**header.task_options)
    found: dict[Split, Any] = {}
    predicting = importlib.import_module(PREDICTORS[header.kind])
    answer_to, are_probabilities, compile_s = predicting.predictor(stored, model, device, threads)
    cost: dict[str, float] = {}
    n_windows = dict(header.n_windows)
    headline = task.headline
    for split in unseen:
        of_split = read_windows(windows, split)
        began, began_cpu = time.perf_counter(), time.process_time()
        answer = answer_to(of_split)
        cost = {  # of test, which comes last and is the same for all
            "predict_s": time.perf_counter() - began,
            "predict_cpu_s": time.process_time() - began_cpu,
        }
        found[split] = task.join(
            of_split, answer, are_probabilities=are_probabilities, tuned=header.tuned
        )
        n_windows[split] = len(of_split)
        headline = task.headline_of(of_split)
    write_predictions(predictions, found)
    scores = {
        split: score(
            task, of_split, resamples=N_RESAMPLES if split == "test" else 0, headline=headline
        )
        for split, of_split in found.items()
    }
    if compile_s is not None:
        cost["compile_s"] = (header.cost.compile_s or 0.0) + compile_s
    write_metrics(
        metrics,
        Metrics(
            run=header.run,
            task=settings.task,
            headline=headline,
            scores={
                split: {name: Score(**one) for name, one in of_split.items()}
                for split, of_split in scores.items()
            },
            n_windows=n_windows,
            cost=header.cost.model_copy(update=cost),
            pretraining=header.pretraining if isinstance(header, ModelHeader) else None,
            model=header.architecture_options
            if isinstance(header, ModelHeader)
            else header.options,
            provenance=header.provenance.model_copy(update={"evaluated_at_commit": commit()}),
        ),
    )


def preload(arguments: list[str]) -> None:
    """Import what the forks of the fork server need."""
    from seqbench.config.registry import BASELINES

    name = arguments[arguments.index("--architecture") + 1]
    needed = BASELINES.entry(name).tags["imports"] if name in BASELINES else TRAINING
    import_all("seqbench.tasks.scoring", *needed)


def main(argv: list[str] | None = None) -> None:
    """Turn the command line into typed arguments of `run`."""
    from seqbench.plan.job_settings import EvaluateJobSettings
    from seqbench.storage.atomic import remove_leftovers

    parser = path_parser(__doc__, "windows", "model", "predictions", "metrics")
    parser.add_argument("--settings", type=EvaluateJobSettings.from_json, required=True)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--threads", type=int, default=1, help="threads of one prediction")
    add_run(parser)
    arguments = parser.parse_args(argv)
    remove_leftovers(arguments.predictions, arguments.metrics)
    run(identity=parse_run(arguments), **vars(arguments))


if __name__ == "__main__":
    from seqbench.process.launch import launch

    launch("seqbench.steps.evaluate")
