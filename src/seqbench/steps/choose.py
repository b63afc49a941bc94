"""Choose the options of a model on a dataset: those of the trial that is best on val."""

from pathlib import Path

from seqbench.steps.arguments import path_parser


def main(argv: list[str] | None = None) -> None:
    """Turn the command line into typed arguments of `choose`."""
    from seqbench.storage.atomic import remove_leftovers
    from seqbench.tuning.choice import choose

    parser = path_parser(__name__, "choice")
    parser.add_argument("--trials", type=Path, nargs="+", required=True)
    arguments = parser.parse_args(argv)
    remove_leftovers(arguments.choice)
    choose(arguments.trials, arguments.choice)
