"""Compare results B with results A, two versions or two machines: a summary, and a page.

Compared are runs of the same dataset, model, fraction of labels and seed, by the metric that ranks
models. What differs stands first, and what is equal to the last digit is counted.

With --fail-if-worse the exit code tells scripts whether B is worse beyond chance: a paired t test
over seeds for each model, its p-values adjusted by Holm's procedure for all models that are
compared, at 5 %. Models with a single seed cannot be tested; where all that differ have one, the
command ends in an error.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seqbench import layout
from seqbench.cli.arguments import refuse_missing, refuse_overwriting
from seqbench.cli.exit_codes import WORSE
from seqbench.cli.text import INDENT, wrapped
from seqbench.errors import UserError, one_line
from seqbench.storage.atomic import write_text

if TYPE_CHECKING:
    from seqbench.reporting.scores.differences import Difference

EXAMPLES = {
    "seqbench compare results_of_monday results": "two folders of results",
    "seqbench compare a/summary.csv b/summary.csv --out a_b.html": "the tables alone",
    "seqbench compare old new --names 0.1 0.2 --fail-if-worse": "for a script, with names",
}
EXIT_CODES = {WORSE: "with --fail-if-worse: some model of B is worse beyond chance"}
MOST_SHOWN = 10  # models of a verdict; the page has them all


def add_arguments(parser: ArgumentParser) -> None:
    """Add both results, what they are called, and the page."""
    for name, metavar in (("a", "RESULTS_A"), ("b", "RESULTS_B")):
        parser.add_argument(
            name, type=Path, metavar=metavar, help="a folder of results, or a summary.csv alone"
        )
    parser.add_argument(
        "--names", nargs=2, default=("A", "B"), metavar=("A", "B"), help="what they are called"
    )
    parser.add_argument(
        "--fail-if-worse", action="store_true",
        help=f"end with code {WORSE} if a model of B is worse than in A beyond chance",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, default=Path("compare.html"), metavar="FILE",
        help="the page; compare.html by default",
    )  # fmt: skip


def run(a: Path, b: Path, names: Sequence[str], fail_if_worse: bool, out: Path) -> None:
    """Write the page, print a summary, and judge where requested."""
    for path in (a, b):
        refuse_missing(path, "name a folder of results, or its summary.csv")
    from seqbench.datasets.base import counted
    from seqbench.reporting.page.comparison import render_comparison
    from seqbench.reporting.read.stored import read_stored
    from seqbench.reporting.scores import differences
    from seqbench.reporting.text.differences import by_chance, fitted, lede, lone, warnings

    if out.name == Path(layout.SUMMARY).name:
        raise UserError(f"{out}: is called as a summary is; name another --out")
    refuse_overwriting(out, ("RESULTS_A", a), ("RESULTS_B", b))
    of_a, of_b = read_stored(a), read_stored(b)
    both = (names[0], names[1])
    write_text(out, render_comparison(of_a, of_b, both))
    found = differences.differences(of_a, of_b)
    for name, stored in zip(both, (of_a, of_b), strict=True):
        print(f"{name}: {stored.path}, {counted(len(stored.runs), 'run')}")
    _print(lede(found, differences.equality(of_a, of_b, costs=False), both))
    for sentence in warnings(of_a, of_b, found, both):
        _print(f"warning: {sentence}")
    for line in _by_verdict(found, both):
        print(line)
    _print(by_chance(found))
    for name, one, other in ((names[0], of_a, of_b), (names[1], of_b, of_a)):
        missing = lone(differences.only_in(one, other))
        for line in missing[:MOST_SHOWN]:
            _print(f"only in {name}: {line}")
        if len(missing) > MOST_SHOWN:
            print(f"and {len(missing) - MOST_SHOWN} more; the page has them")
    print(f"page: {out}")
    if fail_if_worse:
        _refuse_unjudged(found, both)
        if worse := differences.worse(found):
            named = "; ".join(fitted(one.model) for one in worse)
            print(f"{names[1]} is worse beyond chance: {one_line(named)}", file=sys.stderr)
            sys.exit(WORSE)


def _by_verdict(found: Sequence["Difference"], names: tuple[str, str]) -> Iterator[str]:
    """Yield the models that differ, the lower ones first."""
    from seqbench.reporting.text.differences import change, fitted, verdicts

    for verdict, words in verdicts(names).items():
        own = [one for one in found if one.verdict == verdict]
        if not own or verdict == "identical":
            continue
        yield words
        for one in own[:MOST_SHOWN]:
            yield from wrapped(one_line(fitted(one.model)), INDENT, INDENT)
            yield from wrapped(one_line(change(one)), 2 * INDENT, 2 * INDENT)
        if len(own) > MOST_SHOWN:
            yield f"{INDENT}and {len(own) - MOST_SHOWN} more; the page has them"


def _refuse_unjudged(found: Sequence["Difference"], names: tuple[str, str]) -> None:
    """Refuse to judge where nothing can be tested, and name what cannot."""
    if not found:
        raise UserError(f"{names[0]} and {names[1]} have no run in common to judge")
    differing = [one for one in found if one.verdict != "identical" and not one.model.is_ensemble]
    untested = [one for one in differing if one.p is None]
    if untested and len(untested) == len(differing):
        raise UserError(
            "--fail-if-worse: every model that differs has a single seed or no score, so a loss"
            " cannot be told from chance; train more `seeds` in both"
        )
    if untested:
        print(
            "not judged, with a single seed or no score:"
            f" {len(untested)} of {len(differing)} models that differ",
            file=sys.stderr,
        )


def _print(sentence: str) -> None:
    if sentence:
        print("\n".join(wrapped(one_line(sentence))))
