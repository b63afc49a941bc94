"""A registered figure as SVG, PDF and CSV, with its words."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.figure import Figure

from seqbench import layout
from seqbench.config.registry import FIGURES
from seqbench.reporting.evidence.across import Across
from seqbench.reporting.evidence.margins import Margins
from seqbench.reporting.evidence.material import Material
from seqbench.reporting.evidence.published import Published
from seqbench.reporting.figures.catalog import block, caption, title
from seqbench.reporting.figures.fonts import has_room_for, small_family
from seqbench.reporting.figures.inline import inlined, name_parts, without_names
from seqbench.reporting.figures.plot import Plot
from seqbench.reporting.figures.style import STYLE
from seqbench.reporting.figures.svg import small

DPI = 150  # of what is not vectors


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A figure as SVG and PDF, the numbers in it as CSV, and what the page has of it.

    Parameters
    ----------
    element
        The SVG as an element of the page, see `inline`.
    left_out
        Why the page does not show it; empty: it does.
    block
        Where the page shows it, see `catalog`.
    leads
        Whether it may stand open below the leaderboard.
    place, figure
        As in the paths of its files.
    """

    title: str
    caption: str
    element: Markup
    left_out: str
    block: str
    leads: bool
    place: str
    figure: str
    svg: bytes
    pdf: bytes
    csv: str

    @property
    def files(self) -> dict[str, str]:
        """Address of each file as seen from the page, by what it is."""
        patterns = {"SVG": layout.FIGURE, "PDF": layout.FIGURE_PDF, "CSV": layout.FIGURE_TABLE}
        folder = PurePosixPath(layout.REPORT).parent
        return {
            form: quote(str(PurePosixPath(self._path(pattern)).relative_to(folder)))
            for form, pattern in patterns.items()
        }

    def _path(self, pattern: str) -> str:
        return pattern.format(dataset=self.place, figure=self.figure)


def draw(figure: str, material: Material | Across | Margins | Published) -> Drawing:
    """Draw a figure of a dataset, or across several; the same material gives the same bytes."""
    style: Any = STYLE | {"svg.hashsalt": f"{material.place}/{figure}"}
    with mpl.rc_context(style):
        plot: Plot = FIGURES[figure](material)
        keys = name_parts(plot)
        markup = as_svg(plot.figure)
        pdf = as_pdf(plot.figure)
    words = f"{title(figure)}, {material.place}. {plot.shown or caption(figure)}"
    return Drawing(
        title=title(figure),
        caption=caption(figure),
        element=Markup() if plot.left_out else inlined(markup, plot, keys, words),
        left_out=plot.left_out,
        block=block(figure),
        leads=FIGURES.entry(figure).tags.get("leads", False),
        place=material.place,
        figure=figure,
        svg=without_names(markup).encode(),
        pdf=pdf,
        csv=plot.csv,
    )


def as_svg(figure: Figure) -> str:
    """Return a figure as SVG; the hash salt of its ids is a setting."""
    return small(_saved(figure, "svg", "Date", "Creator", "Format", "Type").decode())


def as_pdf(figure: Figure) -> bytes:
    """Return a figure as PDF; only of one that was drawn before all texts are known."""
    small = [small_family()] if has_room_for(figure) else []
    with mpl.rc_context({"font.sans-serif": [*small, *STYLE["font.sans-serif"]]}):
        return _saved(figure, "pdf", "CreationDate", "Creator", "Producer")


def _saved(figure: Figure, form: str, *left_out: str) -> bytes:
    """Return a figure as a file without what differs from day to day or version to version."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format=form, dpi=DPI, metadata=dict.fromkeys(left_out))
    return buffer.getvalue()
