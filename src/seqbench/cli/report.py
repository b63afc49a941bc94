"""Write the page of the runs that have finished so far, without Snakemake.

Nothing is trained, and no file that Snakemake makes is touched.
"""

from argparse import ArgumentParser
from pathlib import Path

from seqbench import layout
from seqbench.cli.arguments import refuse_overwriting
from seqbench.cli.plans import add_plan_arguments, read_plan
from seqbench.errors import UserError
from seqbench.storage.atomic import write_text

EXAMPLES = {
    "seqbench report": f"in the folder that holds results/; writes {layout.REPORT_SO_FAR}",
    "seqbench report --directory bells --out bells.html": "of another folder, under another name",
}


def add_arguments(parser: ArgumentParser) -> None:
    """Add the plan and the page."""
    add_plan_arguments(parser)
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help=f"the page; {layout.REPORT_SO_FAR} in the folder by default",
    )


def run(config: list[Path] | None, directory: Path, out: Path | None) -> None:
    """Write the page, and print how many runs are on it."""
    from seqbench.plan.workflow_jobs import jobs_of
    from seqbench.reporting.figures.catalog import figure_names, table_paths
    from seqbench.reporting.page.assembly import assemble
    from seqbench.reporting.read.finished import finished_part
    from seqbench.reporting.read.promotions import read_promotions

    plan = read_plan(config, directory)
    out = out or directory / layout.REPORT_SO_FAR
    promotions = read_promotions(plan, directory)
    figures = [layout.FIGURE.format(dataset=p, figure=figure) for p, figure in figure_names(plan)]
    owned = {
        layout.CONFIG,
        *figures,
        *table_paths(plan),
        *(path for job in jobs_of(plan, promotions) for path in job.outputs),
    }
    if out.resolve() in {(directory / path).resolve() for path in owned}:
        raise UserError(f"{out}: is made by Snakemake; choose another name for --out")
    refuse_overwriting(out, *(("--config", path) for path in config or []))
    finished = finished_part(plan, directory)
    write_text(out, assemble(finished, directory).page)
    print(f"{out}: {len(finished.runs)} of {len(plan.runs)} runs")
