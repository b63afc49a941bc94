"""Fit a baseline on the train and val windows of a dataset."""

from seqbench.steps.arguments import (
    add_memory_limit,
    import_all,
    parsed_run,
    path_parser,
    settings_of,
)


def preload(arguments: list[str]) -> None:
    """Import what the forks of the fork server need."""
    from seqbench.config.registry import BASELINES

    settings = settings_of(arguments)
    import_all(*BASELINES.entry(settings["baseline"]).tags.get("imports", ()))


def main(argv: list[str] | None = None) -> None:
    """Turn the command line into typed arguments of `fit_baseline`."""
    from seqbench.plan.job_settings import BaselineJobSettings
    from seqbench.storage.atomic import remove_leftovers

    parser = path_parser(__name__, "windows", "model")
    parser.add_argument("--settings", type=BaselineJobSettings.from_json, required=True)
    add_memory_limit(parser)
    run, arguments = parsed_run(parser, argv)
    remove_leftovers(arguments["model"])
    from seqbench.baselines.fitting import fit_baseline

    fit_baseline(run=run, **arguments)
