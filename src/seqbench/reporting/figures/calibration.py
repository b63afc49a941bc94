"""Calibration curves."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullFormatter

from seqbench.config.registry import FIGURES
from seqbench.reporting.evidence.calibration import Calibrated, Calibration
from seqbench.reporting.evidence.material import BASELINE_COLOUR, Material
from seqbench.reporting.figures.panels import grid, note, short
from seqbench.reporting.figures.plot import Numbers, Plot
from seqbench.reporting.figures.style import HAIRLINE, LEGIBLE, MUTED
from seqbench.reporting.scores.formats import score
from seqbench.reporting.scores.metrics import metric_label

NO_PROBABILITIES = "The model predicts no probabilities."


@FIGURES.register(
    "calibration", title="Calibration curve", tasks=("classification", "detection"), order=25
)
def calibration(material: Material) -> Plot:
    """Left: fraction of correct predictions against their predicted probability, in 15 bins.

    Predictions are classes of test windows, or in detection candidate events. Bold: the model
    selected on val over all runs; pale: each run. On the diagonal, probabilities are calibrated;
    ECE is the mean distance from it. Right: number of predictions in each bin, and how many of them
    are correct.
    """
    found = material.of(Calibrated).calibration
    figure, (diagram, counts) = grid(2, 2, height=2.6, top=0.35, gap=(0.75, 0.45))
    numbers = Numbers()
    diagram.plot([0, 1], [0, 1], color=BASELINE_COLOUR, linestyle=(0, (1, 2)), linewidth=1)
    for axes in (diagram, counts):
        axes.set_xlim(-0.02, 1.02)
        axes.set_xlabel("predicted probability")
        axes.grid(axis="y")
    diagram.set_ylim(-0.02, 1.02)
    diagram.set_ylabel("fraction correct")
    if found is None or not found.count.any():
        note(figure, NO_PROBABILITIES)
        return Plot(figure, numbers.table)
    counts.set_ylabel(f"{found.of}s per run")
    colour = material.colour(found.row)
    _draw_curve(diagram, found, colour, numbers)
    _draw_counts(counts, found, colour)
    error = found.row.metrics.get(found.error)
    mean = f"{found.row.name}: ECE {score(error.mean)}." if error else ""
    return Plot(figure, numbers.table, mean)


def _draw_curve(axes: Axes, found: Calibration, colour: str, numbers: Numbers) -> None:
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
    error = found.row.metrics.get(found.error)
    if error is not None and error.mean is not None:
        spread = "" if error.sd is None else f" ± {score(error.sd)}"
        axes.annotate(
            f"{metric_label(found.error)} {score(error.mean)}{spread}", (0.03, 0.93),
            xycoords="axes fraction", fontsize=8, color=MUTED, bbox=LEGIBLE,
        )  # fmt: skip


def _draw_counts(axes: Axes, found: Calibration, colour: str) -> None:
    _, fraction, count = found.pooled
    edges = np.linspace(0, 1, len(count) + 1)
    axes.stairs(count, edges, fill=True, color=HAIRLINE)
    axes.stairs(
        np.where(count > 0, fraction, 0.0) * count, edges, fill=True, color=colour, alpha=0.6
    )
    axes.set_yscale("symlog", linthresh=1)
    axes.set_ylim(0, 2 * count.max())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.figure.legend(
        handles=[
            Line2D([], [], color=HAIRLINE, linewidth=5, label="all"),
            Line2D([], [], color=colour, alpha=0.6, linewidth=5, label="correct"),
        ],
        loc="upper right",
        ncols=2,
        handlelength=1,
    )
