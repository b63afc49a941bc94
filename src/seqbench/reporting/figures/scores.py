"""Figures of how good models are: side by side, and against the labels they had."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D

from seqbench.config.registry import FIGURES
from seqbench.reporting.evidence.material import Material
from seqbench.reporting.figures.panels import (
    arm_legend,
    choice,
    draw_reference_lines,
    empty,
    finish_panels,
    grid,
    panels_of,
    ranking,
    short,
)
from seqbench.reporting.figures.plot import Numbers, Plot
from seqbench.reporting.figures.style import (
    CHARACTER_INCHES,
    INK,
    LEGIBLE,
    LINE_STYLES,
    MARKERS,
    MUTED,
)
from seqbench.reporting.read.results import Result
from seqbench.reporting.scores.estimates import mean_interval_of
from seqbench.reporting.scores.formats import score
from seqbench.reporting.scores.leaderboards import Leaderboard, ModelScores
from seqbench.reporting.scores.metrics import metric_label

N_BEHIND = 4  # times the way from the best to the median model, that the axis shows
LEAST_SPAN = 0.05  # of scores


@FIGURES.register("leaderboard", title="Leaderboard", order=10, block="scores")
def leaderboard(material: Material) -> Plot:
    """A dot is one run on test, of one seed and fold; the bar is the mean over runs.

    A thin line is the 95 % interval of the mean. The axis has the models that compete: what lies
    far below them, such as the floor, is a number at the edge. Dashed: the best baseline. Dotted:
    the floor. Dash-dotted: the ceiling, where the truth is known.
    """
    board = material.board
    rows = [row for row in board.rows if row.score.n][::-1]  # the best on top
    names = [short(row.name, 34) for row in rows]
    left = 0.35 + CHARACTER_INCHES * max(map(len, names), default=0)
    figure, (axes,) = grid(1, 1, height=0.15 + 0.25 * len(rows), left=left, top=0.1)
    numbers = Numbers()
    if not rows:
        return empty(figure, numbers, "No model has a score on test.")
    for height, row in enumerate(rows):
        _draw_scores(axes, row, height, material.colour(row), numbers)
    draw_reference_lines(material, axes.axvline)
    axes.set_xlim(*_shown_scores(board))
    axes.set_xticks([tick for tick in axes.get_xticks() if tick <= 1])
    for height, row in enumerate(rows):
        if row.score.mean is not None and row.score.mean < axes.get_xlim()[0]:
            axes.annotate(
                f"← {score(row.score.mean)}", (0, height), xytext=(3, 0), va="center",
                xycoords=("axes fraction", "data"), textcoords="offset points", fontsize=7,
                color=MUTED, bbox=LEGIBLE,
            )  # fmt: skip
    axes.set_yticks(range(len(rows)), names)
    for label, row in zip(axes.get_yticklabels(), rows, strict=True):
        label.set_color(MUTED if row.is_baseline else INK)
        label.set_fontweight("bold" if row.is_best else "normal")
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    axes.set_xlabel(f"{metric_label(board.headline)} on test")
    return numbers.plot(figure, ranking(board))


def _shown_scores(board: Leaderboard) -> tuple[float, float]:
    """Return the ends of the axis of scores: what competes, and the ceiling.

    The floor, and what is many times as far behind the best as most models are, would press
    together those that a reader compares.
    """
    scored = [(mean, row) for row in board.rows if (mean := row.score.mean) is not None]
    rivals = [one for one in scored if one[1] != board.floor and not one[1].is_ceiling] or scored
    best = max(mean for mean, _ in rivals)
    behind = best - float(np.median([mean for mean, _ in rivals]))
    reach = max(N_BEHIND * behind, LEAST_SPAN)
    shown = [
        value
        for mean, row in scored
        if mean >= best - reach
        for value in (mean, *(row.score.interval or ()), *(one for _, one in _defined(row)))
    ]
    low, high = min(shown), max(shown)
    room = 0.05 * max(high - low, LEAST_SPAN)
    return low - room, high + room


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
    metric = metric_label(material.board.headline)
    shown = {"labels_percent": "labels", "mean": f"mean {metric}", "low": "from", "high": "to"}
    for architecture, axes in panels.items():
        for arm in material.arms:
            points = [
                (100 * float(board.labels), row)
                for board in reversed(material.boards)
                for row in board.rows
                if (row.architecture, row.arm) == (architecture, arm) and row.score.n
            ]
            if not points:
                continue
            rows = _add_points(numbers, points, {"architecture": architecture, "arm": arm})
            look = {"color": material.colours[architecture]}
            look["linestyle"] = choice(LINE_STYLES, material.arms, arm)
            look["marker"] = choice(MARKERS, material.arms, arm)
            line, whiskers = _draw_with_whiskers(axes, points, **look)
            numbers.mark(line, rows, shown, name=f"{architecture} · {arm}", keys=[arm])
            numbers.mark(whiskers, keys=[arm])
        draw_reference_lines(material, axes.axhline)
        axes.set_xscale("log")
        fractions = sorted({100 * float(board.labels) for board in material.boards})
        axes.set_xticks(fractions, [f"{fraction:g} %" for fraction in fractions])
        axes.minorticks_off()
        axes.margins(x=0.12)
    finish_panels(figure, panels, "labels used", f"{metric} on test")
    arm_legend(figure, material.arms, markers=True)
    return numbers.plot(figure)


def _draw_scores(axes: Axes, row: ModelScores, height: int, colour: str, numbers: Numbers) -> None:
    runs = _defined(row)
    values = [value for _, value in runs]
    model, metric = {"architecture": row.architecture, "arm": row.arm}, metric_label(row.headline)
    rows = numbers.add(
        **model, shows="run", dataset=[result.run.dataset for result, _ in runs],
        seed=[result.run.seed for result, _ in runs], value=values,
    )  # fmt: skip
    if row.score.interval is not None:
        ends = numbers.add(**model, shows=["low", "high"], value=row.score.interval)
        [line] = axes.plot(row.score.interval, [height] * 2, color=colour, linewidth=1, alpha=0.6)
        numbers.mark(line, ends, {"shows": "95 % interval", "value": metric}, name=row.name)
    # Dots that hide each other are moved apart by a fixed pattern, not by chance.
    shift = 0.09 * ((np.arange(len(values)) % 3) - 1) * (len(values) > 1)
    dots = axes.scatter(values, height + shift, s=15, color=colour, alpha=0.65, linewidth=0)
    has_folds = len({result.run.dataset for result, _ in runs}) > 1
    place = {"dataset": "of", "seed": "seed"} if has_folds else {"seed": "seed"}
    numbers.mark(dots, rows, place | {"value": metric}, name=row.name)
    if row.score.mean is not None:
        reach = [height - 0.3, height + 0.3]
        [bar] = axes.plot([row.score.mean] * 2, reach, color=colour, linewidth=2.2)
        rows = numbers.add(**model, shows="mean", value=row.score.mean)
        numbers.mark(bar, rows, {"value": f"mean {metric}"}, name=row.name)


def _add_points(
    numbers: Numbers, points: list[tuple[float, ModelScores]], model: dict[str, str]
) -> range:
    percents, rows = zip(*points, strict=True)
    bounds = [_interval(row) or (None, None) for row in rows]
    return numbers.add(
        **model, labels_percent=percents, n=[row.score.n for row in rows],
        mean=[row.score.mean for row in rows],
        low=np.array([low for low, _ in bounds], float),
        high=np.array([high for _, high in bounds], float),
    )  # fmt: skip


def _draw_with_whiskers(
    axes: Axes, points: list[tuple[float, ModelScores]], **look: Any
) -> tuple[Line2D, LineCollection]:
    """Draw means and their intervals, and return both."""
    x, rows = zip(*points, strict=True)
    y = np.array([row.score.mean for row in rows])
    ends = [_interval(row) or (row.score.mean, row.score.mean) for row in rows]
    reach = np.abs(np.array(ends).T - y)
    drawn = axes.errorbar(x, y, yerr=reach, linewidth=1.2, markersize=4, elinewidth=0.8, **look)
    line, _, (whiskers,) = drawn.lines
    return line, whiskers


def _interval(row: ModelScores) -> tuple[float, float] | None:
    """Return the interval of the mean as tables have it; where test is one group, over seeds."""
    return row.score.interval or mean_interval_of(_defined(row))


def _defined(row: ModelScores) -> list[tuple[Result, float]]:
    """Return the runs whose score is defined, and the score."""
    return [(r, v) for r in row.results if (v := r.value(row.headline)) is not None]
