"""Make the summary, the figures, tables and the page from what every run left behind."""

from pathlib import Path

from seqbench.steps.arguments import path_parser


def run(config: Path, summary: Path, page: Path) -> None:
    """Read the results that the config asks for, write the summary, figures, tables and the page.

    Inputs, figures and tables are where `layout` says, relative to the working directory.
    """
    from seqbench import layout
    from seqbench.config import Benchmark
    from seqbench.plan import Plan
    from seqbench.reporting.assembly import assemble
    from seqbench.storage.atomic import replacing, write_text

    report = assemble(Plan(Benchmark.read(config)), Path())
    write_text(summary, report.summary)
    for (dataset, figure), drawing in report.drawings.items():
        with replacing(Path(layout.FIGURE.format(dataset=dataset, figure=figure))) as temporary:
            temporary.write_bytes(drawing.svg)
    for path, text in report.tables.items():
        write_text(Path(path), text)
    write_text(page, report.page)


def warm_up(arguments: list[str]) -> None:
    """Load nothing: the report is made once."""
    del arguments


def main(argv: list[str] | None = None) -> None:
    """Turn the command line into typed arguments of `run`."""
    from seqbench.storage.atomic import remove_leftovers

    parser = path_parser(__doc__, "config", "summary", "page")
    arguments = parser.parse_args(argv)
    remove_leftovers(arguments.summary, arguments.page)
    run(**vars(arguments))


if __name__ == "__main__":
    from seqbench.launch import launch

    launch("seqbench.steps.report")
