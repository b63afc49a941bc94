"""Write a page of how results B differ from results A: two versions, or two machines."""

from argparse import ArgumentParser
from pathlib import Path

from seqbench import layout
from seqbench.cli.arguments import refuse_overwriting
from seqbench.errors import UserError
from seqbench.storage.atomic import write_text

EXAMPLES = {
    "seqbench compare results_of_monday results": "two folders of results",
    "seqbench compare a/summary.csv b/summary.csv --out a_b.html": "the tables alone",
}


def add_arguments(parser: ArgumentParser) -> None:
    """Add both results and the page."""
    for name, metavar in (("a", "RESULTS_A"), ("b", "RESULTS_B")):
        parser.add_argument(
            name, type=Path, metavar=metavar, help="a folder of results, or a summary.csv alone"
        )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        default=Path("compare.html"),
        help="the page; compare.html by default",
    )


def run(a: Path, b: Path, out: Path) -> None:
    """Write the page, and print its path."""
    from seqbench.reporting.page.comparison import render_comparison
    from seqbench.reporting.read.stored import read_stored

    if out.name == Path(layout.SUMMARY).name:
        raise UserError(f"{out}: is called as a summary is; name another --out")
    refuse_overwriting(out, ("RESULTS_A", a), ("RESULTS_B", b))
    write_text(out, render_comparison(read_stored(a), read_stored(b)))
    print(out)
