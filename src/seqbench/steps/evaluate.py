"""Predict and score; the step that opens test."""

from pathlib import Path

from seqbench.steps.arguments import (
    TRAINING,
    add_memory_limit,
    import_all,
    parsed_run,
    path_parser,
    registered,
    settings_of,
)


def preload(arguments: list[str]) -> None:
    """Import what the forks of the fork server need."""
    from seqbench.config.registry import BASELINES
    from seqbench.tasks.scoring import metric_code, metric_modules

    name = arguments[arguments.index("--architecture") + 1]
    task = settings_of(arguments)["task"]
    metric_code(task)  # which every fork would work out by itself
    needed = set(metric_modules(task))
    if name in BASELINES:
        needed |= {BASELINES.entry(name).module, *BASELINES.entry(name).tags.get("imports", ())}
    else:
        needed |= {*TRAINING, *registered(name, task)}
    import_all("seqbench.tasks.scoring", *sorted(needed))


def main(argv: list[str] | None = None) -> None:
    """Turn the command line into typed arguments of `evaluate`."""
    from seqbench.plan.job_settings import EvaluateJobSettings
    from seqbench.storage.atomic import remove_leftovers

    parser = path_parser(__name__, "windows", "model", "predictions", "metrics")
    parser.add_argument("--settings", type=EvaluateJobSettings.from_json, required=True)
    parser.add_argument(
        "--tested-on", help="another dataset whose test the windows are; without, that of the run"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--threads", type=int, default=1, help="threads of one prediction")
    parser.add_argument(
        "--refit", type=Path, help="the model after it has learned from val too, for test"
    )
    add_memory_limit(parser)
    run, arguments = parsed_run(parser, argv)
    remove_leftovers(arguments["predictions"], arguments["metrics"])
    from seqbench.tasks.scoring import evaluate

    evaluate(run=run, **arguments)
