"""Methods beside each other in one panel: which are shown, and how each looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from seqbench.reporting.evidence.material import Material
from seqbench.reporting.figures import style
from seqbench.reporting.figures.panels import choice, legend, short
from seqbench.reporting.read.event_shapes import EventShapes
from seqbench.reporting.scores.leaderboards import ModelScores
from seqbench.statistics.proportion import wilson

N_COLUMNS = 4  # of the legend
LINE_INCHES = 0.19
BOUND: dict[str, Any] = {  # of the least error that noise allows
    "color": "#b3202c", "linewidth": 2.4, "solid_capstyle": "round", "zorder": 4,
}  # fmt: skip


class Recalls(NamedTuple):
    """A line of recalls, the band of its intervals, and the bounds of these, (n,) each."""

    line: Line2D
    band: Artist
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def compared_rows(material: Material) -> list[ModelScores]:
    """Return all baselines and the best arm of each architecture on val; the selected one last."""
    board = material.board
    trained = [row for row in board.rows if not row.is_baseline]
    best = [
        board.selected_among(row for row in trained if row.architecture == name)
        for name in material.architectures
    ]
    rows = [row for row in board.rows if row.is_baseline] + [row for row in best if row]
    return sorted(rows, key=lambda row: row == board.selected)


def counted_rows(material: Material) -> list[ModelScores]:
    """Return those of `compared_rows` whose events were counted, which `evaluate` does."""
    rows = compared_rows(material)
    return [row for row in rows if any(one.metrics.events for one in row.results)]


def marker(material: Material, row: ModelScores) -> str:
    """Return the mark of a model: baselines share a colour."""
    if not row.is_baseline:
        return "o"
    names = [other.architecture for other in material.board.rows if other.is_baseline]
    return str(choice(style.MARKERS[1:], sorted(names), row.architecture))


def look(material: Material, row: ModelScores) -> dict[str, Any]:
    """Return colour, line and mark of a model; the one selected on val is bold."""
    is_selected = row == material.board.selected
    return {
        "color": material.colour(row),
        "marker": marker(material, row),
        "linestyle": (0, (6, 2, 1, 2)) if row.is_ceiling else "-",
        "linewidth": 2.4 if is_selected else 1.1,
        "markersize": 4.5 if is_selected else 3,
        "zorder": 3 if is_selected else 2,
    }


def draw_recall(
    axes: Axes,
    material: Material,
    row: ModelScores,
    x: Sequence[float],
    recall: Sequence[float],
    n: Sequence[int],
) -> Recalls:
    """Draw fractions of events found with their intervals."""
    low, high = wilson(recall, n)
    [line] = axes.plot(x, recall, **look(material, row))
    band = axes.fill_between(x, low, high, color=material.colour(row), alpha=0.13, linewidth=0)
    return Recalls(line, band, low, high)


def legend_inches(n: int) -> float:
    """Return the height of a legend of `n` methods."""
    return 0.1 + LINE_INCHES * -(-n // N_COLUMNS)


def legend_name(row: ModelScores) -> str:
    """Return the name of a method in the legend."""
    return short(row.name, 28)


def method_legend(
    figure: Figure, material: Material, rows: list[ModelScores], *more: tuple[str, dict[str, Any]]
) -> None:
    """Name the methods, and what else is drawn, over the panels."""
    looks = [(legend_name(row), look(material, row)) for row in reversed(rows)]
    legend(
        figure, [*looks, *more], loc="upper left", ncols=N_COLUMNS, fontsize=7, handlelength=2.2,
        columnspacing=1.2, borderaxespad=0.1, labelspacing=0.3,
    )  # fmt: skip


def source_note(figure: Figure, shapes: EventShapes) -> None:
    """State under the panels whose shapes of events they are drawn from."""
    origin = f"Shapes: {shapes.origin}."
    figure.text(0.995, 0.01, origin, ha="right", fontsize=6.5, color=style.MUTED)


def note_in(axes: Axes, sentence: str) -> None:
    """Write in the middle of a panel why it is empty."""
    axes.text(
        0.5, 0.5, sentence, ha="center", va="center", color=style.MUTED, transform=axes.transAxes
    )
    axes.set_xticks([])
