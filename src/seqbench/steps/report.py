"""Make the summary, the figures and the page from what every run left behind."""

from pathlib import Path

from seqbench.steps.arguments import path_parser


def run(config: Path, summary: Path, page: Path) -> None:
    """Read the results that the config asks for, write the summary, the figures and the page.

    Inputs and figures are where `layout` says, relative to the working directory.
    """
    import logging

    from seqbench import layout
    from seqbench.config import Benchmark
    from seqbench.plan import Plan
    from seqbench.reporting.catalog import figure_names
    from seqbench.reporting.figures import render
    from seqbench.reporting.material import gather
    from seqbench.reporting.page import render_page
    from seqbench.reporting.tables import collect
    from seqbench.reporting.tables import summary as summary_table
    from seqbench.storage.atomic import replacing, write_text

    logging.getLogger("fontTools").setLevel(logging.WARNING)  # it tells of every font it cuts
    plan = Plan(Benchmark.read(config))
    results = collect(plan, Path())
    write_text(summary, summary_table(results).to_csv(index=False, lineterminator="\n"))
    materials = {material.dataset: material for material in gather(plan, results, Path())}
    drawings = {
        (dataset, figure): render(figure, materials[dataset])
        for dataset, figure in figure_names(plan)
    }
    for (dataset, figure), drawing in drawings.items():
        for pattern, content in (
            (layout.FIGURE, drawing.svg),
            (layout.FIGURE_PDF, drawing.pdf),
            (layout.FIGURE_TABLE, drawing.csv.encode()),
        ):
            with replacing(Path(pattern.format(dataset=dataset, figure=figure))) as temporary:
                temporary.write_bytes(content)
    write_text(page, render_page(plan, results, list(materials.values()), drawings))


def warm_up(arguments: list[str]) -> None:
    """Load nothing: the report is made once."""
    del arguments


def main(argv: list[str] | None = None) -> None:
    """Turn the command line into typed arguments of `run`."""
    parser = path_parser(__doc__, "config", "summary", "page")
    run(**vars(parser.parse_args(argv)))


if __name__ == "__main__":
    from seqbench.launch import launch

    launch("seqbench.steps.report")
