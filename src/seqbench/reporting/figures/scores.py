"""Figures of how good models are: side by side, and against the labels they had."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from seqbench.config.registry import FIGURES
from seqbench.reporting.evidence.material import Material
from seqbench.reporting.figures.panels import (
    arm_legend,
    choice,
    draw_reference_lines,
    finish_panels,
    grid,
    panels_of,
    ranking,
    short,
)
from seqbench.reporting.figures.plot import Numbers, Plot
from seqbench.reporting.figures.style import CHARACTER_INCHES, INK, LINE_STYLES, MARKERS, MUTED
from seqbench.reporting.read.results import Result
from seqbench.reporting.scores.estimates import mean_interval_of
from seqbench.reporting.scores.leaderboards import ModelScores
from seqbench.reporting.scores.metrics import metric_label


@FIGURES.register("leaderboard", title="Leaderboard", order=10, block="scores")
def leaderboard(material: Material) -> Plot:
    """A dot is one run on test, of one seed and fold; the bar is the mean over runs.

    A thin line is the 95 % interval of the mean. Dashed: the best baseline. Dotted: the floor.
    Dash-dotted: the ceiling, where the truth is known.
    """
    board = material.board
    rows = [row for row in board.rows if row.score.n][::-1]  # the best on top
    names = [short(row.name, 34) for row in rows]
    left = 0.35 + CHARACTER_INCHES * max(map(len, names), default=0)
    figure, (axes,) = grid(1, 1, height=0.15 + 0.25 * len(rows), left=left, top=0.1)
    numbers = Numbers()
    for height, row in enumerate(rows):
        _draw_scores(axes, row, height, material.colour(row), numbers)
    draw_reference_lines(material, axes.axvline)
    axes.set_yticks(range(len(rows)), names)
    for label, row in zip(axes.get_yticklabels(), rows, strict=True):
        label.set_color(MUTED if row.is_baseline else INK)
        label.set_fontweight("bold" if row.is_best else "normal")
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    axes.set_xlabel(f"{metric_label(board.headline)} on test")
    return Plot(figure, numbers.table, ranking(board))


@FIGURES.register(
    "label_efficiency", title="Label efficiency", needs="label_fractions", order=32, block="scores"
)
def label_efficiency(material: Material) -> Plot:
    """Mean test score over runs against the fraction of train windows whose labels are used.

    Whiskers are the 95 % interval. Dashed: the best baseline, which has all labels.
    """
    few = {row.architecture for board in material.boards[1:] for row in board.rows}
    figure, panels = panels_of([name for name in material.architectures if name in few])
    numbers = Numbers()
    for architecture, axes in panels.items():
        for arm in material.arms:
            points = [
                (100 * float(board.labels), row)
                for board in reversed(material.boards)
                for row in board.rows
                if (row.architecture, row.arm) == (architecture, arm) and row.score.n
            ]
            for percent, row in points:
                low, high = _interval(row) or (None, None)
                numbers.add(
                    architecture=architecture, arm=arm, labels_percent=percent, n=row.score.n,
                    mean=row.score.mean, low=low, high=high,
                )  # fmt: skip
            look = {"color": material.colours[architecture]}
            look["linestyle"] = choice(LINE_STYLES, material.arms, arm)
            look["marker"] = choice(MARKERS, material.arms, arm)
            _draw_with_whiskers(axes, points, **look)
        draw_reference_lines(material, axes.axhline)
        axes.set_xscale("log")
        fractions = sorted({100 * float(board.labels) for board in material.boards})
        axes.set_xticks(fractions, [f"{fraction:g} %" for fraction in fractions])
        axes.minorticks_off()
        axes.margins(x=0.12)
    finish_panels(figure, panels, "labels used", f"{metric_label(material.board.headline)} on test")
    arm_legend(figure, material.arms, markers=True)
    return Plot(figure, numbers.table)


def _draw_scores(axes: Axes, row: ModelScores, height: int, colour: str, numbers: Numbers) -> None:
    runs = _defined(row)
    values = [value for _, value in runs]
    model = {"architecture": row.architecture, "arm": row.arm}
    for result, value in runs:
        place = {"dataset": result.run.dataset, "seed": result.run.seed}
        numbers.add(**model, shows="run", **place, value=value)
    if row.score.interval is not None:
        for bound, value in zip(("low", "high"), row.score.interval, strict=True):
            numbers.add(**model, shows=bound, value=value)
        axes.plot(row.score.interval, [height] * 2, color=colour, linewidth=1, alpha=0.6)
    # Dots that hide each other are moved apart by a fixed pattern, not by chance.
    shift = 0.09 * ((np.arange(len(values)) % 3) - 1) * (len(values) > 1)
    axes.scatter(values, height + shift, s=15, color=colour, alpha=0.65, linewidth=0)
    if row.score.mean is not None:
        ends = [height - 0.3, height + 0.3]
        axes.plot([row.score.mean] * 2, ends, color=colour, linewidth=2.2)
        numbers.add(**model, shows="mean", value=row.score.mean)


def _draw_with_whiskers(axes: Axes, points: list[tuple[float, ModelScores]], **look: Any) -> None:
    if points:
        x, rows = zip(*points, strict=True)
        y = np.array([row.score.mean for row in rows])
        ends = [_interval(row) or (row.score.mean, row.score.mean) for row in rows]
        reach = np.abs(np.array(ends).T - y)
        axes.errorbar(x, y, yerr=reach, linewidth=1.2, markersize=4, elinewidth=0.8, **look)


def _interval(row: ModelScores) -> tuple[float, float] | None:
    """Return the interval of the mean as tables have it; where test is one group, over seeds."""
    return row.score.interval or mean_interval_of(_defined(row))


def _defined(row: ModelScores) -> list[tuple[Result, float]]:
    """Return the runs whose score is defined, and the score."""
    return [(r, v) for r in row.results if (v := r.value(row.headline)) is not None]
