"""A registered figure as SVG, PDF and CSV, with its words."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.figure import Figure

from seqbench.config.registry import FIGURES
from seqbench.reporting.evidence.across import Across
from seqbench.reporting.evidence.margins import Margins
from seqbench.reporting.evidence.material import Material
from seqbench.reporting.evidence.published import Published
from seqbench.reporting.figures.catalog import block, caption, title
from seqbench.reporting.figures.fonts import has_room_for, small_family
from seqbench.reporting.figures.plot import Plot
from seqbench.reporting.figures.style import STYLE
from seqbench.reporting.figures.svg import small

DPI = 150  # of what is not vectors


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A figure as SVG and PDF, the numbers in it as CSV, and its size in CSS pixels.

    Parameters
    ----------
    alt
        What the figure shows in words, for those who cannot see it.
    block
        Where the page shows it, see `catalog`.
    leads
        Whether it may stand open below the leaderboard.
    """

    title: str
    caption: str
    alt: str
    block: str
    leads: bool
    svg: bytes
    pdf: bytes
    csv: str
    width: int
    height: int

    @property
    def source(self) -> Markup:
        """The SVG as the address of an image, ready to stand in a quoted attribute.

        An image of its own keeps the ids inside one SVG from meeting those of another,
        and runs no script. As text it takes a quarter less room than as base64: only
        what would end the attribute or mean something in an address is written otherwise.
        """
        text = " ".join(self.svg.decode().split("\n"))  # an address loses its line ends
        for mark, written in (("%", "%25"), ("#", "%23"), ("&", "%26"), ('"', "%22")):
            text = text.replace(mark, written)
        return Markup(f"data:image/svg+xml,{text}")


def draw(figure: str, material: Material | Across | Margins | Published) -> Drawing:
    """Draw a figure of a dataset, or across several; the same material gives the same bytes."""
    style: Any = STYLE | {"svg.hashsalt": f"{material.place}/{figure}"}
    with mpl.rc_context(style):
        plot: Plot = FIGURES[figure](material)
        svg, pdf = as_svg(plot.figure), as_pdf(plot.figure)
    width, height = (round(96 * inches) for inches in plot.figure.get_size_inches())
    return Drawing(
        title=title(figure),
        caption=caption(figure),
        alt=f"{title(figure)}, {material.place}. {plot.shown or caption(figure)}",
        block=block(figure),
        leads=FIGURES.entry(figure).tags.get("leads", False),
        svg=svg,
        pdf=pdf,
        csv=plot.csv,
        width=width,
        height=height,
    )


def as_svg(figure: Figure) -> bytes:
    """Return a figure as SVG; the hash salt of its ids is a setting."""
    svg = _saved(figure, "svg", "Date", "Creator", "Format", "Type")
    return small(svg.decode()).encode()


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
