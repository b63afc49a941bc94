"""Figures of how good models are: side by side, against their cost and against labels."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import sqrt
from operator import itemgetter
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from seqbench.reporting.catalog import metric_label
from seqbench.reporting.figures.panels import (
    arm_legend,
    draw_reference_lines,
    finish_panels,
    grid,
    panels_of,
    pick,
    short,
)
from seqbench.reporting.figures.plot import Numbers, Plot
from seqbench.reporting.figures.style import CHARACTER_INCHES, INK, LINE_STYLES, MARKERS, MUTED
from seqbench.reporting.material import BASELINE_COLOUR, Material
from seqbench.reporting.tables import Leaderboard, Row, mean_interval_of

DURATIONS = (
    (1e-3, "1 ms"), (1e-2, "10 ms"), (0.1, "0.1 s"), (1, "1 s"), (10, "10 s"), (60, "1 min"),
    (600, "10 min"), (3600, "1 h"), (36000, "10 h"), (360000, "100 h"),
)  # fmt: skip


def leaderboard(material: Material) -> Plot:
    """Every seed a dot, the mean a bar, baselines in grey."""
    board = material.board
    rows = [row for row in board.rows if row.score.n][::-1]  # the best on top
    names = [short(row.name, 34) for row in rows]
    left = 0.25 + CHARACTER_INCHES * max(map(len, names), default=0)
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
    return Plot(figure, numbers.table)


def cost(material: Material) -> Plot:
    """Test headline against processor seconds of training."""
    board = material.board
    figure, (axes,) = grid(1, 1, height=2.9, top=0.4)
    points = _points(board)
    numbers = Numbers()
    for point in points:
        marker = "o" if point.row.is_baseline else pick(MARKERS, material.arms, point.row.arm)
        axes.scatter(
            point.seconds, point.score, s=point.area, marker=marker,
            color=material.colour(point.row), alpha=0.8, edgecolor="white", linewidth=0.8,
        )  # fmt: skip
        numbers.add(
            architecture=point.row.architecture, arm=point.row.arm, train_cpu_s=point.seconds,
            n_parameters=point.row.cost("n_parameters"), mean=point.score,
        )  # fmt: skip
    if points:
        _set_durations(axes, [point.seconds for point in points])
    axes.grid()
    axes.set_xlabel("processor time of one training")
    axes.set_ylabel(f"{metric_label(board.headline)} on test")
    _draw_floor(axes, material)
    axes.margins(y=0.1)
    axes.autoscale(axis="y")
    if len(material.arms) > 1:
        arm_legend(figure, material.arms, markers=True)
    _label_points(axes, points, material)
    return Plot(figure, numbers.table)


def label_efficiency(material: Material) -> Plot:
    """Test headline against the fraction of labels, a line for each arm."""
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
            _draw_with_whiskers(
                axes,
                points,
                color=material.colours[architecture],
                linestyle=pick(LINE_STYLES, material.arms, arm),
                marker=pick(MARKERS, material.arms, arm),
            )
        draw_reference_lines(material, axes.axhline)
        axes.set_xscale("log")
        fractions = sorted({100 * float(board.labels) for board in material.boards})
        axes.set_xticks(fractions, [f"{fraction:g} %" for fraction in fractions])
        axes.minorticks_off()
        axes.margins(x=0.12)
    finish_panels(figure, panels, "labels used", f"{metric_label(material.board.headline)} on test")
    arm_legend(figure, material.arms, markers=True)
    return Plot(figure, numbers.table)


def _draw_scores(axes: Axes, row: Row, height: int, colour: str, numbers: Numbers) -> None:
    runs = [
        (result.run, v) for result in row.results if (v := result.value(row.headline)) is not None
    ]
    values = [value for _, value in runs]
    model = {"architecture": row.architecture, "arm": row.arm}
    for run, value in runs:
        numbers.add(**model, shows="run", dataset=run.dataset, seed=run.seed, value=value)
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


def _draw_floor(axes: Axes, material: Material) -> None:
    """Draw the floor as a line: it costs nothing, which a logarithm cannot show."""
    floor = material.board.floor
    if floor is None or floor.score.mean is None:
        return
    axes.axhline(
        floor.score.mean, color=BASELINE_COLOUR, linestyle=(0, (1, 2)), linewidth=1, zorder=0
    )
    axes.annotate(
        floor.architecture, (0, floor.score.mean), xycoords=("axes fraction", "data"),
        xytext=(4, 3), textcoords="offset points", color=BASELINE_COLOUR, fontsize=8,
    )  # fmt: skip


def _draw_with_whiskers(axes: Axes, points: list[tuple[float, Row]], **look: Any) -> None:
    if points:
        x, rows = zip(*points, strict=True)
        y = np.array([row.score.mean for row in rows])
        ends = [_interval(row) or (row.score.mean, row.score.mean) for row in rows]
        reach = np.abs(np.array(ends).T - y)
        axes.errorbar(x, y, yerr=reach, linewidth=1.2, markersize=4, elinewidth=0.8, **look)


def _interval(row: Row) -> tuple[float, float] | None:
    """Return the interval of the mean over runs, or the bootstrap interval of a single one."""
    values = [(r, v) for r in row.results if (v := r.value(row.headline)) is not None]
    return mean_interval_of(values) or row.score.interval


@dataclass(frozen=True)
class _Point:
    """A model in the plane of cost and score; `area` in square points."""

    seconds: float
    score: float
    area: float
    row: Row


def _points(board: Leaderboard) -> list[_Point]:
    """Return the models whose cost is known, best first; the floor is drawn as a line."""
    rows = [row for row in board.rows if row.cost("train_cpu_s") and row != board.floor]
    largest = max((row.cost("n_parameters") or 0 for row in rows), default=0) or 1
    return [
        _Point(seconds, mean, 28 + 170 * (row.cost("n_parameters") or 0) / largest, row)
        for row in rows
        if (seconds := row.cost("train_cpu_s")) and (mean := row.score.mean) is not None
    ]


def _label_points(axes: Axes, points: list[_Point], material: Material) -> None:
    """Name the best point of each architecture, which colour does for the others.

    A name stands where it hides least: beside its point, else above or below.
    """
    pixel = axes.figure.dpi / 72  # of one point, the unit of text and marks
    at = [axes.transData.transform((point.seconds, point.score)) / pixel for point in points]
    taken = [_box(x, y, sqrt(p.area), sqrt(p.area)) for (x, y), p in zip(at, points, strict=True)]
    frame = axes.get_window_extent()
    named: set[str] = set()
    for (x, y), point in zip(at, points, strict=True):
        name = short(point.row.architecture, 24)
        if point.row.architecture in named:
            continue
        named.add(point.row.architecture)
        beside = 4 + sqrt(point.area) / 2
        width = 5.2 * len(name)
        costs = []
        for shift, side in product((0, 10, -10, 20, -20, 30, -30, 40, -40), (1, -1)):
            box = _box(x + side * (beside + width / 2), y + shift, width, 10)
            is_inside = frame.x0 / pixel < box[0] and box[2] < frame.x1 / pixel
            hidden = sum(_overlap(box, other) for other in taken)
            costs.append((hidden + abs(shift) + (0 if is_inside else 1e6), shift, side, box))
        _, shift, side, box = min(costs, key=itemgetter(0))
        taken.append(box)
        axes.annotate(
            name, (point.seconds, point.score), xytext=(side * beside, shift),
            textcoords="offset points", ha="left" if side > 0 else "right", va="center",
            color=material.colour(point.row), fontsize=8, fontweight="bold",
        )  # fmt: skip


def _box(x: float, y: float, width: float, height: float) -> tuple[float, float, float, float]:
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _overlap(box: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Return the area that two boxes share, in square points."""
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    return max(width, 0.0) * max(height, 0.0)


def _set_durations(axes: Axes, seconds: list[float]) -> None:
    """Make a logarithmic axis of durations, in their usual units, with room for labels."""
    low, high = np.log10(min(seconds)), np.log10(max(seconds))
    margin = max(0.18 * (high - low), 0.3)
    axes.set_xscale("log")
    axes.set_xlim(10 ** (low - margin), 10 ** (high + margin))
    inside = [(t, name) for t, name in DURATIONS if low - margin < np.log10(t) < high + margin]
    axes.set_xticks([t for t, _ in inside], [name for _, name in inside])
    axes.minorticks_off()
