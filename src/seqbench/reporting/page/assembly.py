"""All that a report is made of, in memory: where it is written is for others to decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from seqbench import layout
from seqbench.plan.plan import Plan
from seqbench.reporting.evidence.across import Across, gather_across
from seqbench.reporting.evidence.margins import Margins, gather_margins
from seqbench.reporting.evidence.material import Material, gather
from seqbench.reporting.evidence.published import Published, gather_published
from seqbench.reporting.figures.catalog import figure_names
from seqbench.reporting.figures.drawing import Drawing
from seqbench.reporting.figures.kept import drawings_of, read_drawings
from seqbench.reporting.page.paper import paper_tables
from seqbench.reporting.page.report import render_page
from seqbench.reporting.read.crossings import read_crossings
from seqbench.reporting.read.results import collect, summary
from seqbench.reporting.read.searches import search_table
from seqbench.reporting.scores.crossings import cross_table, matrices
from seqbench.reporting.scores.leaderboards import Leaderboard
from seqbench.reporting.text.beside import Beside
from seqbench.storage.atomic import replacing, write_text

IN_RESULTS = Beside()


@dataclass(frozen=True)
class Report:
    """A finished report.

    Parameters
    ----------
    summary
        The tidy table as CSV.
    drawings
        By dataset, or task of datasets that are compared, and name of the figure.
    tables
        Those for papers, by path.
    page
        HTML.
    boards
        Of each dataset, that with most labels.
    """

    summary: str
    drawings: Mapping[tuple[str, str], Drawing]
    tables: Mapping[str, str]
    page: str
    boards: Sequence[Leaderboard]


def assemble(plan: Plan, root: Path, beside: Beside = IN_RESULTS) -> Report:
    """Read the results of a plan, under `root`, and return their report; `beside` has its links.

    Figures of which nothing has changed since the last report are not drawn again.
    """
    results = collect(plan, root)
    materials = gather(plan, results, root)
    ensembles = [one for m in materials if m.ensemble is not None for one in m.ensemble.results]
    table = summary([*results, *ensembles]).to_csv(index=False, lineterminator="\n")
    tables = paper_tables([material.boards for material in materials])
    if searches := [one for material in materials for one in material.searches]:
        tables[layout.TRIALS_TABLE] = search_table(searches)
    overlaps = [one for material in materials for one in material.overlaps]
    crossed = matrices(read_crossings(plan, root), results, overlaps)
    if plan.crossings:
        tables[layout.CROSS_TABLE] = cross_table(crossed)
    compared = gather_across(plan, materials)
    published = gather_published(plan, materials)
    margins = gather_margins(materials)
    shown: list[Material | Across | Margins | Published] = [margins, *materials, *compared]
    if published is not None:
        shown.append(published)
    kept = read_drawings(root / layout.DRAWINGS)
    drawings = drawings_of(figure_names(plan), {one.place: one for one in shown}, kept)
    return Report(
        summary=table,
        drawings=drawings,
        tables=tables,
        page=render_page(
            plan, results, materials, margins, compared, crossed, published, drawings, beside
        ),
        boards=[material.board for material in materials],
    )


def write_figures_and_tables(report: Report, root: Path) -> None:
    """Write the figures and tables of a report where `layout` has them; `root` holds `results/`."""
    write_figures(report.drawings, root)
    for path, text in report.tables.items():
        write_text(root / path, text)


def write_figures(drawings: Mapping[tuple[str, str], Drawing], root: Path) -> None:
    """Write figures, by place and name, where `layout` has them; `root` holds `results/`."""
    for (place, figure), drawing in drawings.items():
        for pattern, content in (
            (layout.FIGURE, drawing.svg),
            (layout.FIGURE_PDF, drawing.pdf),
            (layout.FIGURE_TABLE, drawing.csv.encode()),
        ):
            with replacing(root / pattern.format(dataset=place, figure=figure)) as temporary:
                temporary.write_bytes(content)
