"""Registered figures drawn as SVG, PDF and CSV."""

from __future__ import annotations

import io
from typing import Any

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.figure import Figure

from seqbench.config.registry import FIGURES
from seqbench.reporting.evidence.across import Across
from seqbench.reporting.evidence.margins import Margins
from seqbench.reporting.evidence.material import Material
from seqbench.reporting.evidence.published import Published
from seqbench.reporting.figures.catalog import caption, title
from seqbench.reporting.figures.drawing import Drawing
from seqbench.reporting.figures.fonts import has_room_for, small_family
from seqbench.reporting.figures.inline import inlined, name_parts, without_names
from seqbench.reporting.figures.plot import Plot
from seqbench.reporting.figures.style import STYLE
from seqbench.reporting.figures.svg import small

DPI = 150  # of what is not vectors


def draw(figure: str, material: Material | Across | Margins | Published) -> Drawing:
    """Draw a figure of a dataset, or across several; the same material gives the same bytes."""
    style: Any = STYLE | {"svg.hashsalt": f"{material.place}/{figure}"}
    with mpl.rc_context():
        mpl.rcdefaults()  # the settings of a machine would draw another figure there
        mpl.rcParams.update(style)
        plot: Plot = FIGURES[figure](material)
        keys = name_parts(plot)
        markup = as_svg(plot.figure)
        pdf = as_pdf(plot.figure)
    words = f"{title(figure)}, {material.place}. {plot.shown or caption(figure)}"
    return Drawing(
        place=material.place,
        figure=figure,
        element=Markup() if plot.left_out else inlined(markup, plot, keys, words),
        left_out=plot.left_out,
        svg=without_names(markup).encode(),
        pdf=pdf,
        csv=plot.csv,
    )


def as_svg(figure: Figure) -> str:
    """Return a figure as SVG; the hash salt of its ids is a setting."""
    return small(_saved(figure, "svg", "Date", "Creator", "Format", "Type").decode())


def as_pdf(figure: Figure) -> bytes:
    """Return a figure as PDF; only of one that was drawn before all texts are known."""
    family: Any = {"font.sans-serif": [small_family()]} if has_room_for(figure) else {}
    with mpl.rc_context(family):
        return _saved(figure, "pdf", "CreationDate", "Creator", "Producer")


def _saved(figure: Figure, form: str, *left_out: str) -> bytes:
    """Return a figure as a file without what differs from day to day or version to version."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format=form, dpi=DPI, metadata=dict.fromkeys(left_out))
    return buffer.getvalue()
