"""What an early output costs: F1 and timing errors against latency."""

from __future__ import annotations

from typing import NamedTuple

from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from seqbench.config.registry import FIGURES
from seqbench.reporting.evidence.material import Material
from seqbench.reporting.figures import style
from seqbench.reporting.figures.panels import empty, grid, short
from seqbench.reporting.figures.plot import Numbers, Plot
from seqbench.reporting.scores.estimates import Estimate
from seqbench.reporting.scores.formats import milliseconds, score
from seqbench.reporting.scores.leaderboards import ModelScores
from seqbench.reporting.scores.metrics import metric_label

LATENCY, ERROR = "latency_p95_ms", "onset_mae_ms"
SHOWN = {"latency_p95_ms": "latency", "f1": "F1", "onset_mae_ms": "mean |onset error|"}


class _Point(NamedTuple):
    """A model with its latency, F1 and mean absolute error, means over its runs."""

    row: ModelScores
    wait_ms: float
    f1: float
    error_ms: float


@FIGURES.register(
    "latency", title="Score against latency", tasks=("detection",), order=22, needs="latencies",
    block="cost",
)  # fmt: skip
def latency(material: Material) -> Plot:
    """F1 and mean absolute onset error on test against latency, means over runs.

    Latency is the time from an event to its output in a stream, by sample count, which 95 % of the
    found events do not exceed. Bold: the model selected on val.
    """
    board = material.board
    points = _points(material)
    figure, panels = grid(2, 2, height=2.8, top=0.15, gap=(0.75, 0.4))
    numbers = Numbers()
    if not points:
        return empty(figure, numbers, "No model has a latency.")
    rows = {
        point.row.name: numbers.add(
            architecture=point.row.architecture,
            arm=point.row.arm,
            n=len(point.row.results),
            latency_p95_ms=point.wait_ms,
            f1=point.f1,
            onset_mae_ms=point.error_ms,
        )
        for point in points
    }
    waits = [point.wait_ms for point in points]
    for axes, name, which in zip(panels, (board.headline, ERROR), ("f1", "error_ms"), strict=True):
        heights = [getattr(point, which) for point in points]
        axes.plot(waits, heights, color=style.HAIRLINE, linewidth=1, zorder=1)
        for point, wait, height in zip(points, waits, heights, strict=True):
            is_selected, colour = point.row == board.selected, material.colour(point.row)
            [dot] = axes.plot(
                wait, height, marker="o", markersize=7 if is_selected else 5, color=colour,
                linestyle="none", zorder=3 if is_selected else 2,
            )  # fmt: skip
            numbers.mark(dot, rows[point.row.name], SHOWN, name=point.row.name)
            axes.annotate(
                short(point.row.architecture, 20), (wait, height), xytext=(4, -9), fontsize=7,
                textcoords="offset points", color=colour, annotation_clip=False,
                fontweight="bold" if is_selected else "normal",
            )  # fmt: skip
        axes.set(xlabel="latency (ms), 95th percentile", ylabel=f"{metric_label(name)} on test")
        axes.grid(axis="y")
        axes.set_xscale("log")
        axes.set_xlim(min(waits) / 1.3, max(waits) * 2.2)
        axes.xaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    words = [
        f"{point.row.name}: {score(point.f1)} and {milliseconds(point.error_ms)} ms"
        f" at {milliseconds(point.wait_ms)} ms"
        for point in points
    ]
    return numbers.plot(figure, f"{'; '.join(words)}.")


def _points(material: Material) -> list[_Point]:
    """Return the models that have a latency, the fastest first."""
    points = []
    for row in material.board.rows:
        wait, f1, error = (
            Estimate.of(row.results, name).mean
            for name in (LATENCY, material.board.headline, ERROR)
        )
        if wait is not None and f1 is not None and error is not None:
            points.append(_Point(row, wait, f1, error))
    return sorted(points, key=lambda point: point.wait_ms)
