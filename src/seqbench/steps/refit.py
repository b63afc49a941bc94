"""Train the model of a run once more, on train and val, for as many epochs as val has chosen."""

from pathlib import Path

from seqbench.steps.arguments import (
    TRAINING,
    import_all,
    parsed_run,
    path_parser,
    registered,
    settings_of,
)
from seqbench.steps.training_arguments import add_training


def preload(arguments: list[str]) -> None:
    """Import what the forks of the fork server need."""
    settings = settings_of(arguments)
    import_all(*TRAINING, *registered(settings["architecture"], settings["task"]))


def main(argv: list[str]) -> None:
    """Turn the command line into a `RefitJob` and train it."""
    from seqbench.plan.job_settings import FinetuneJobSettings

    parser = path_parser(__name__, "windows", "first", "history", "model")
    parser.add_argument(
        "--encoder", type=Path, help="an encoder or model to start from; without, random weights"
    )
    parser.add_argument("--settings", type=FinetuneJobSettings.from_json, required=True)
    add_training(parser)
    run, arguments = parsed_run(parser, argv)
    from seqbench.training.refit import RefitJob, refit
    from seqbench.training.torchrun import train_in_processes

    train_in_processes(refit, RefitJob(run=run, **arguments), ["refit", *argv])
