"""Join results of several people or machines into one leaderboard: a page, and tables as CSV.

Each is a folder of results, or one that `seqbench publish` made, which is checked by its
SHA256SUMS. What several have is counted once.

What cannot be compared is not joined: other windows or labels, other settings of a dataset or of a
model of the same name, another metric or other code of the metrics, or one run with two scores.
"""

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from seqbench.cli.arguments import refuse_missing
from seqbench.cli.plans import results_root
from seqbench.errors import UserError

EXAMPLES = {
    "seqbench merge ana ben leaderboard": "two folders into the folder leaderboard/",
    "seqbench merge a/results b_published c out --names Ana Ben Cem": "under other names",
}


def add_arguments(parser: ArgumentParser) -> None:
    """Add the results, the folder to write, and what they are called."""
    parser.add_argument(
        "results", type=Path, nargs="+", metavar="RESULTS",
        help="folders of results, or that `seqbench publish` made; two or more",
    )  # fmt: skip
    parser.add_argument(
        "out", type=Path, metavar="OUT",
        help="folder to write; one that this command made before is replaced, any other refused",
    )  # fmt: skip
    parser.add_argument(
        "--names", nargs="+", metavar="NAME",
        help="what the results are called, one each; by default as their folders are",
    )  # fmt: skip
    parser.add_argument("--title", metavar="TEXT", help="heading of the page")


def run(results: list[Path], out: Path, names: list[str] | None, title: str | None) -> None:
    """Write the folder, and print what stands in it."""
    if len(results) < 2:
        raise UserError(f"one folder of results and {out}: name two or more, and OUT behind them")
    for path in results:
        refuse_missing(path, "name a folder of results, or one that `seqbench publish` made")
    roots = [results_root(path) for path in results]
    called = _names(roots, names)
    from seqbench.publishing.leaderboard import write_leaderboard
    from seqbench.reporting.page.merged import TITLE
    from seqbench.reporting.read.sources import read_source
    from seqbench.reporting.scores.merging import merge
    from seqbench.reporting.text.merging import lede, warnings
    from seqbench.storage.static_folder import MERGED, PAGE, refuse_others

    refuse_others(out, MERGED)  # before the time that reading takes
    merged = merge([read_source(root, name) for root, name in zip(roots, called, strict=True)])
    write_leaderboard(merged, out, title or TITLE)
    _print(lede(merged))
    for sentence in warnings(merged):
        _print(f"warning: {sentence}")
    print(f"page: {out / PAGE}")


def _names(roots: Sequence[Path], names: Sequence[str] | None) -> list[str]:
    """Return what the results are called: as requested, else as their folders, told apart."""
    if names is not None:
        if len(names) != len(roots):
            raise UserError(f"--names: {len(names)} for {len(roots)} results; give one each")
        if twice := [name for name, n in Counter(names).items() if n > 1]:
            raise UserError(f"--names: '{twice[0]}' stands there twice; give each another one")
        return list(names)
    found = [root.resolve().name for root in roots]
    if len({root.resolve() for root in roots}) < len(roots):
        raise UserError("one of the folders stands there twice; name each once")
    n = Counter(found)
    found = [
        name if n[name] == 1 else f"{root.resolve().parent.name}/{name}"
        for root, name in zip(roots, found, strict=True)
    ]
    if len(set(found)) < len(found):
        raise UserError("several folders are called alike; tell them apart by --names")
    return found


def _print(sentence: str) -> None:
    from seqbench.cli.text import wrapped
    from seqbench.errors import one_line

    print("\n".join(wrapped(one_line(sentence))))
