"""How far scores can be trusted: the part of answers that is true against their score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullFormatter

from seqbench.reporting.evidence.calibration import Calibration
from seqbench.reporting.evidence.material import BASELINE_COLOUR, Material
from seqbench.reporting.figures.panels import grid, say, short
from seqbench.reporting.figures.plot import Numbers, Plot
from seqbench.reporting.figures.style import HAIRLINE, LEGIBLE, MUTED
from seqbench.reporting.scores.catalog import metric_label
from seqbench.reporting.scores.formats import score


@dataclass(frozen=True)
class _Words:
    """What the axes of a reliability diagram are called, and the metric of its distance to 1:1."""

    score: str
    true: str
    is_true: str
    count: str
    none: str
    error: str


NO_PROBABILITIES = "The scores of the model are no probabilities."
CANDIDATES = _Words(
    "score of the candidate", "part that is true", "true", "candidates of one run",
    "There are no candidates.", "presence_ece",
)  # fmt: skip
WINDOWS = _Words(
    "probability of the class that is told", "part that is right", "right", "windows of one run",
    NO_PROBABILITIES, "ece",
)  # fmt: skip


def reliability(material: Material) -> Plot:
    """Part of candidates that are true against their score, beside how many there are."""
    return _diagram(material, material.events.calibration, CANDIDATES)


def calibration(material: Material) -> Plot:
    """Part of windows that are right against their probability, beside how many there are."""
    return _diagram(material, material.judged.calibration, WINDOWS)


def _diagram(material: Material, found: Calibration | None, words: _Words) -> Plot:
    figure, (diagram, counts) = grid(2, 2, height=2.6, top=0.35, gap=(0.75, 0.45))
    numbers = Numbers()
    diagram.plot([0, 1], [0, 1], color=BASELINE_COLOUR, linestyle=(0, (1, 2)), linewidth=1)
    for axes in (diagram, counts):
        axes.set_xlim(-0.02, 1.02)
        axes.set_xlabel(words.score)
        axes.grid(axis="y")
    diagram.set_ylim(-0.02, 1.02)
    diagram.set_ylabel(words.true)
    counts.set_ylabel(words.count)
    if found is not None and found.count.any():
        colour = material.colour(found.row)
        _draw_parts(diagram, found, words, colour, numbers)
        _draw_counts(counts, found, words, colour)
    else:
        say(figure, words.none)
    return Plot(figure, numbers.table)


def _draw_parts(
    axes: Axes, found: Calibration, words: _Words, colour: str, numbers: Numbers
) -> None:
    bins = np.arange(1, found.count.shape[1] + 1)
    of_runs = zip(found.row.results, found.score, found.true, found.count, strict=True)
    for result, mean, true, n in of_runs:
        axes.plot(mean, true, color=colour, alpha=0.3, linewidth=0.8)
        numbers.add(
            shows="run", dataset=result.run.dataset, seed=result.run.seed, bin=bins, score=mean,
            true=true, n=n,
        )  # fmt: skip
    mean, true, n = found.pooled
    axes.plot(mean, true, color=colour, marker="o", markersize=4, linewidth=1.4)
    numbers.add(shows="all runs", bin=bins, score=mean, true=true, n=n)
    axes.set_title(short(found.row.name, 30))
    error = found.row.metrics.get(words.error)
    if error is not None and error.mean is not None:
        spread = "" if error.sd is None else f" ± {score(error.sd)}"
        axes.annotate(
            f"{metric_label(words.error)} {score(error.mean)}{spread}", (0.03, 0.93),
            xycoords="axes fraction", fontsize=8, color=MUTED, bbox=LEGIBLE,
        )  # fmt: skip


def _draw_counts(axes: Axes, found: Calibration, words: _Words, colour: str) -> None:
    _, part, count = found.pooled
    edges = np.linspace(0, 1, len(count) + 1)
    axes.stairs(count, edges, fill=True, color=HAIRLINE)
    axes.stairs(np.where(count > 0, part, 0.0) * count, edges, fill=True, color=colour, alpha=0.6)
    axes.set_yscale("symlog", linthresh=1)
    axes.set_ylim(0, 2 * count.max())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.figure.legend(
        handles=[
            Line2D([], [], color=HAIRLINE, linewidth=5, label="all"),
            Line2D([], [], color=colour, alpha=0.6, linewidth=5, label=words.is_true),
        ],
        loc="upper right",
        ncols=2,
        handlelength=1,
    )
