"""Rank the trials of a rung on val: the best go on to the next one, with more epochs."""

from pathlib import Path

from seqbench.steps.arguments import path_parser


def main(argv: list[str] | None = None) -> None:
    """Turn the command line into typed arguments of `promote`."""
    from seqbench.storage.atomic import remove_leftovers
    from seqbench.tuning.promotion import promote

    parser = path_parser(__name__, "promotion")
    parser.add_argument("--trials", type=Path, nargs="+", required=True)
    parser.add_argument("--n-promoted", type=int, required=True, help="of the best trials")
    arguments = parser.parse_args(argv)
    remove_leftovers(arguments.promotion)
    promote(**vars(arguments))
