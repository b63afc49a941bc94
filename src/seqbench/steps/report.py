"""Make the summary, the figures, tables and the page from what every run left behind."""

from pathlib import Path

from seqbench.steps.arguments import path_parser


def run(root: Path, summary: Path, page: Path) -> None:
    """Read the results below a folder, write the summary, figures, tables and the page.

    Drawings are kept for the next report, of which only those that have changed are drawn.
    The config, inputs, figures and tables lie where `layout` has them.
    """
    import logging

    from seqbench import layout
    from seqbench.config.benchmark import Benchmark
    from seqbench.plan.plan import Plan
    from seqbench.reporting.figures.kept import keep_drawings
    from seqbench.reporting.page.assembly import assemble, write_figures_and_tables
    from seqbench.storage.atomic import write_text

    logging.getLogger("fontTools").setLevel(logging.WARNING)  # it logs every font it cuts
    report = assemble(Plan(Benchmark.read(root / layout.CONFIG)), root)
    write_text(summary, report.summary)
    write_figures_and_tables(report, root)
    write_text(page, report.page)
    keep_drawings(root / layout.DRAWINGS, report.drawings.values())


def preload(arguments: list[str]) -> None:
    """Import nothing: the report is made once."""


def main(argv: list[str] | None = None) -> None:
    """Turn the command line into typed arguments of `run`."""
    from seqbench import layout
    from seqbench.storage.atomic import remove_leftovers

    parser = path_parser(__name__, "root", "summary", "page")
    arguments = parser.parse_args(argv)
    remove_leftovers(arguments.summary, arguments.page, arguments.root / layout.DRAWINGS)
    run(**vars(arguments))
