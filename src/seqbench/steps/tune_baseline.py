"""Fit one trial of a baseline on train, and score it on val."""

from seqbench.steps.arguments import (
    add_memory_limit,
    add_trial,
    import_all,
    path_parser,
    settings_of,
)


def preload(arguments: list[str]) -> None:
    """Import what the forks of the fork server need."""
    from seqbench.config.registry import BASELINES

    fit = settings_of(arguments)["fit"]
    needed = BASELINES.entry(fit["baseline"]).tags.get("imports", ())
    import_all("seqbench.tuning.baseline_trial", *needed)


def main(argv: list[str] | None = None) -> None:
    """Turn the command line into typed arguments of `run_baseline_trial`."""
    from seqbench.plan.job_settings import BaselineTrialJobSettings
    from seqbench.storage.atomic import remove_leftovers

    parser = path_parser(__name__, "windows", "trial")
    parser.add_argument("--settings", type=BaselineTrialJobSettings.from_json, required=True)
    add_trial(parser)
    add_memory_limit(parser)
    arguments = parser.parse_args(argv)
    remove_leftovers(arguments.trial)
    from seqbench.tuning.baseline_trial import run_baseline_trial

    run_baseline_trial(**vars(arguments))
