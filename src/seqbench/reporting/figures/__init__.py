"""Figures of datasets and across them, one look: `FIGURES` by name, `render` to SVG, PDF, CSV."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from seqbench.reporting.evidence.across import Across
from seqbench.reporting.evidence.material import Material
from seqbench.reporting.figures.across import critical_difference
from seqbench.reporting.figures.calibration import calibration, reliability
from seqbench.reporting.figures.classification import confusion, examples
from seqbench.reporting.figures.cost import cost
from seqbench.reporting.figures.curves import roc
from seqbench.reporting.figures.detection import timing_errors, tolerance
from seqbench.reporting.figures.fonts import has_room_for, small_family
from seqbench.reporting.figures.hardest import hardest
from seqbench.reporting.figures.pictures import frames, pictures
from seqbench.reporting.figures.plot import Plot
from seqbench.reporting.figures.scores import label_efficiency, leaderboard
from seqbench.reporting.figures.sequences import agreement, answers, horizon
from seqbench.reporting.figures.style import STYLE
from seqbench.reporting.figures.svg import small
from seqbench.reporting.figures.templates import templates
from seqbench.reporting.figures.timeline import timeline
from seqbench.reporting.figures.training import learning_curves, pretraining

DPI = 150  # of what is not vectors

FIGURES: dict[str, Callable[[Any], Plot]] = {
    "leaderboard": leaderboard,
    "confusion": confusion,
    "roc": roc,
    "calibration": calibration,
    "hardest": hardest,
    "answers": answers,
    "agreement": agreement,
    "frames": frames,
    "horizon": horizon,
    "learning_curves": learning_curves,
    "cost": cost,
    "label_efficiency": label_efficiency,
    "pretraining": pretraining,
    "examples": examples,
    "pictures": pictures,
    "tolerance": tolerance,
    "timing_errors": timing_errors,
    "timeline": timeline,
    "templates": templates,
    "reliability": reliability,
    "critical_difference": critical_difference,
}


@dataclass(frozen=True)
class Drawing:
    """A figure as SVG and PDF, the numbers in it as CSV, and its size in CSS pixels."""

    svg: bytes
    pdf: bytes
    csv: str
    width: int
    height: int


def render(figure: str, material: Material | Across) -> Drawing:
    """Draw a figure of a dataset, or across several; the same material gives the same bytes."""
    style: Any = STYLE | {"svg.hashsalt": f"{material.place}/{figure}"}
    with mpl.rc_context(style):
        plot = FIGURES[figure](material)
        svg, pdf = as_svg(plot.figure), as_pdf(plot.figure)
    width, height = (round(96 * inches) for inches in plot.figure.get_size_inches())
    return Drawing(svg, pdf, plot.csv, width, height)


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
