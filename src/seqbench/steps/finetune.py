"""Train one run with labels: an encoder, random or pretrained, and the head of its task."""

from pathlib import Path

from seqbench.steps.arguments import (
    TRAINING,
    curves,
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
    modules = registered(settings["architecture"], settings["task"])
    import_all(*TRAINING, *modules, *curves(arguments))


def main(argv: list[str]) -> None:
    """Turn the command line into a `FinetuneJob` and train it."""
    from seqbench.plan.job_settings import FinetuneJobSettings

    parser = path_parser(__name__, "windows", "model", "history", "transfer")
    parser.add_argument(
        "--encoder", type=Path, help="an encoder or model to start from; without, random weights"
    )
    parser.add_argument("--settings", type=FinetuneJobSettings.from_json, required=True)
    add_training(parser)
    run, arguments = parsed_run(parser, argv)
    from seqbench.training.finetune import FinetuneJob, finetune
    from seqbench.training.torchrun import train_in_processes

    train_in_processes(finetune, FinetuneJob(run=run, **arguments), ["finetune", *argv])
