"""Train an encoder on the train windows of a dataset, without their labels."""

from seqbench.steps.arguments import (
    TRAINING,
    curves,
    import_all,
    path_parser,
    registered,
    settings_of,
)
from seqbench.steps.training_arguments import add_training


def preload(arguments: list[str]) -> None:
    """Import what the forks of the fork server need."""
    from seqbench.config.registry import OBJECTIVES

    settings = settings_of(arguments)
    modules = [
        *registered(settings["architecture"]),
        OBJECTIVES.entry(settings["objective"]).module,
    ]
    import_all(*TRAINING, "seqbench.training.pretrain", *modules, *curves(arguments))


def main(argv: list[str]) -> None:
    """Turn the command line into a `PretrainJob` and train it."""
    from seqbench.plan.job_settings import PretrainJobSettings

    parser = path_parser(__name__, "windows", "encoder", "history")
    parser.add_argument("--settings", type=PretrainJobSettings.from_json, required=True)
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--seed", type=int, required=True)
    add_training(parser)
    arguments = parser.parse_args(argv)
    from seqbench.training.pretrain import PretrainJob, pretrain
    from seqbench.training.torchrun import train_in_processes

    train_in_processes(pretrain, PretrainJob(**vars(arguments)), ["pretrain", *argv])
