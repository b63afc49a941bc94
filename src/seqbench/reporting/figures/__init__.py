"""Figures of datasets and across them, one look for all: `FIGURES` by name, `render` to SVG."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from seqbench.reporting.across import Across
from seqbench.reporting.figures.across import critical_difference
from seqbench.reporting.figures.classification import confusion, examples
from seqbench.reporting.figures.detection import reliability, timing_errors, tolerance
from seqbench.reporting.figures.pictures import frames, pictures
from seqbench.reporting.figures.scores import cost, label_efficiency, leaderboard
from seqbench.reporting.figures.sequences import answers, horizon
from seqbench.reporting.figures.style import STYLE
from seqbench.reporting.figures.templates import templates
from seqbench.reporting.figures.timeline import timeline
from seqbench.reporting.figures.training import learning_curves, pretraining
from seqbench.reporting.material import Material

PATH = re.compile(rb'<path d="[^"]*"')
DIGITS = re.compile(rb"(\.\d\d)\d+")

FIGURES: dict[str, Callable[[Any], Figure]] = {
    "leaderboard": leaderboard,
    "confusion": confusion,
    "answers": answers,
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
    """A figure as SVG, and its size in CSS pixels."""

    svg: bytes
    width: int
    height: int


def render(figure: str, material: Material | Across) -> Drawing:
    """Draw a figure of a dataset, or across several; the same material gives the same bytes."""
    style: Any = STYLE | {"svg.hashsalt": f"{material.place}/{figure}"}
    with mpl.rc_context(style):
        drawn = FIGURES[figure](material)
        buffer = io.BytesIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        drawn.savefig(buffer, format="svg", dpi=150, metadata=nothing)
    width, height = (round(96 * inches) for inches in drawn.get_size_inches())
    return Drawing(_shortened(buffer.getvalue()), width, height)


def _shortened(svg: bytes) -> bytes:
    """Round the paths of an SVG to hundredths of a point, which nobody can see."""
    return PATH.sub(lambda path: DIGITS.sub(rb"\1", path[0]), svg)
