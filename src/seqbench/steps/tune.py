"""Train one trial of a network on train, and score it on val."""

from seqbench.steps.arguments import (
    TRAINING,
    add_trial,
    import_all,
    path_parser,
    registered,
    settings_of,
)
from seqbench.steps.training_arguments import add_training


def preload(arguments: list[str]) -> None:
    """Import what the forks of the fork server need."""
    settings = settings_of(arguments)["training"]
    modules = registered(settings["architecture"], settings["task"])
    import_all(*TRAINING, "seqbench.tuning.network_trial", *modules)


def main(argv: list[str]) -> None:
    """Turn the command line into a `TrialJob` and run it."""
    from seqbench.plan.job_settings import TrialJobSettings
    from seqbench.storage.records import RunIdentity

    parser = path_parser(__name__, "windows", "trial")
    parser.add_argument("--settings", type=TrialJobSettings.from_json, required=True)
    add_trial(parser)
    parser.add_argument("--rung", type=int, default=0, help="of a search by halving, from 0")
    add_training(parser)
    arguments = vars(parser.parse_args(argv))
    settings = arguments.pop("settings")
    from seqbench.training.torchrun import train_in_processes
    from seqbench.tuning.network_trial import TrialJob, run_trial
    from seqbench.tuning.scores import ARM, LABELS, TRIAL_SEED

    names = {name: arguments.pop(name) for name in ("dataset", "architecture")}
    run = RunIdentity(**names, arm=ARM, labels=LABELS, seed=TRIAL_SEED)
    job = TrialJob(run=run, settings=settings.training, options=settings.options, **arguments)
    train_in_processes(run_trial, job, ["tune", *argv])
