"""What figures share: panels of a fixed size, their axes, legends and names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from math import ceil
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter
from numpy.typing import NDArray

from seqbench.reporting.evidence.material import BASELINE_COLOUR, Material
from seqbench.reporting.figures.plot import Numbers, Plot
from seqbench.reporting.figures.style import LINE_STYLES, MARKERS, MUTED, WIDTH_INCHES
from seqbench.reporting.scores.formats import score
from seqbench.reporting.scores.leaderboards import Leaderboard
from seqbench.reporting.scores.metrics import metric_label

TRAIN = "train"  # in the legend of losses
DOTTED: dict[str, Any] = {"color": BASELINE_COLOUR, "linestyle": (0, (1, 2)), "linewidth": 1}


def grid(
    n: int,
    n_columns: int,
    *,
    height: float,
    left: float = 0.65,
    top: float = 0.65,
    bottom: float = 0.5,
    right: float = 0.12,
    gap: tuple[float, float] = (0.2, 0.45),
    shared: bool = False,
) -> tuple[Figure, list[Axes]]:
    """Return a figure with `n` panels; all lengths are inches.

    The margins are fixed instead of measured, which halves the time a figure takes.
    """
    n_rows = max(1, ceil(n / n_columns))
    total = top + bottom + n_rows * height + (n_rows - 1) * gap[1]
    width = (WIDTH_INCHES - left - right - (n_columns - 1) * gap[0]) / n_columns
    figure = Figure(figsize=(WIDTH_INCHES, total))
    grid = figure.add_gridspec(
        n_rows, n_columns,
        left=left / WIDTH_INCHES, right=1 - right / WIDTH_INCHES,
        bottom=bottom / total, top=1 - top / total, wspace=gap[0] / width, hspace=gap[1] / height,
    )  # fmt: skip
    panels: list[Axes] = []
    for index in range(n):
        first = panels[0] if shared and panels else None
        axes = figure.add_subplot(grid[divmod(index, n_columns)], sharex=first, sharey=first)
        if shared:
            axes.tick_params(labelbottom=index + n_columns >= n, labelleft=index % n_columns == 0)
        panels.append(axes)
    return figure, panels


def legend(figure: FigureBase, looks: Iterable[tuple[str, dict[str, Any]]], **layout: Any) -> None:
    """Write a legend of lines: the label and the look of each."""
    handles = [Line2D([], [], label=label, **look) for label, look in looks]
    figure.legend(handles=handles, **layout)


def panels_of(names: Sequence[str]) -> tuple[Figure, dict[str, Axes]]:
    """Return a figure with a panel for each name, all with the same axes."""
    n_columns = min(3, max(len(names), 1))
    height = 1.55 if n_columns > 1 else 2.3
    figure, panels = grid(len(names), n_columns, height=height, shared=True)
    return figure, dict(zip(names, panels, strict=True))


def stacked_panels(
    names: Sequence[str], heights: Sequence[float]
) -> tuple[Figure, list[dict[str, Axes]]]:
    """Return a figure with panels one above the other for each name.

    Panels share the axis of x, and those of one height, in inches, that of y.
    """
    n_columns = min(3, max(len(names), 1))
    n_stacks, n_each = max(1, ceil(len(names) / n_columns)), len(heights)
    left, right, top, bottom, beside, below, between = 0.65, 0.12, 0.5, 0.5, 0.2, 0.12, 0.45
    inside = sum(heights) + below * (n_each - 1)
    total = top + bottom + n_stacks * inside + (n_stacks - 1) * between
    width = (WIDTH_INCHES - left - right - (n_columns - 1) * beside) / n_columns
    figure = Figure(figsize=(WIDTH_INCHES, total))
    stacks: list[dict[str, Axes]] = [{} for _ in heights]
    for index, name in enumerate(names):
        row, column = divmod(index, n_columns)
        x = left + column * (width + beside)
        y = total - top - row * (inside + between)
        for level, height in enumerate(heights):
            y -= height
            place = (x / WIDTH_INCHES, y / total, width / WIDTH_INCHES, height / total)
            first = next(iter(stacks[0].values()), None)
            alike = next(iter(stacks[level].values()), None)
            axes = figure.add_axes(place, sharex=first, sharey=alike)
            is_last = level == n_each - 1 and index + n_columns >= len(names)
            axes.tick_params(labelbottom=is_last, labelleft=column == 0)
            axes.yaxis.label.set_visible(column == 0)
            stacks[level][name] = axes
            y -= below
    return figure, stacks


def finish_panels(figure: Figure, panels: dict[str, Axes], x: str, y: str = "") -> None:
    """Name panels and the axes that they share."""
    for name, axes in panels.items():
        axes.set_title(short(name, 30))
        axes.grid(axis="y")
    figure.supxlabel(x, fontsize=8.5, color=MUTED)
    if y:
        figure.supylabel(y, fontsize=8.5, color=MUTED)


def finish_curves(figure: Figure, panels: dict[str, Axes], lines: list[pd.Series[float]]) -> None:
    """Scale the axes of losses over epochs to the values of all lines, and name the panels."""
    values = np.concatenate([np.asarray(line, dtype=float) for line in lines] or [np.ones(1)])
    values = values[np.isfinite(values)]
    is_wide = len(values) > 0 and values.min() > 0 and values.max() / values.min() > 30
    for axes in panels.values():
        if is_wide:
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axes.yaxis.set_minor_formatter(NullFormatter())
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    finish_panels(figure, panels, "epoch")


def arm_legend(
    figure: Figure,
    names: Sequence[str],
    *,
    markers: bool = False,
    with_pale: bool = False,
    measured: str = "val",
) -> None:
    """State above the panels which line or mark is which; colours speak for themselves."""
    if markers:
        look = {"color": MUTED, "markersize": 5, "linestyle": "none"}
        looks = [(name, look | {"marker": choice(MARKERS, names, name)}) for name in names]
    else:
        looks = [(n, {"color": MUTED, "linestyle": choice(LINE_STYLES, names, n)}) for n in names]
    if with_pale:
        if len(names) == 1:
            looks = [(f"{names[0]}, {measured}", looks[0][1])]
        looks.append((TRAIN, {"color": MUTED, "alpha": 0.35, "linewidth": 0.8}))
    legend(figure, looks, loc="upper right", ncols=len(looks), handlelength=2.4)


def draw_reference_lines(material: Material, line: Callable[..., object]) -> None:
    """Draw the ceiling dash-dotted, the best baseline dashed and the floor dotted."""
    board = material.board
    styles = (
        (board.ceiling, (0, (6, 2, 1, 2))),
        (board.best_baseline if board.best_baseline != board.floor else None, (0, (5, 3))),
        (board.floor, (0, (1, 2))),
    )
    for row, style in styles:
        if row is not None and row.score.mean is not None:
            line(row.score.mean, color=BASELINE_COLOUR, linestyle=style, linewidth=1, zorder=0)


def offsets_of(cut: Iterable[NDArray[np.float32]], n_channels: int) -> NDArray[np.float64]:
    """Return how far to move each channel so that none crosses the next, the first on top."""
    together = np.concatenate(list(cut) or [np.zeros((1, n_channels), np.float32)])
    low, high = np.percentile(together, [0.5, 99.5], axis=0)
    steps = [high[below] - low[above] for above, below in pairwise(range(n_channels))]
    return np.concatenate([[0.0], -np.cumsum(np.full(len(steps), 1.05 * max(steps, default=0.0)))])


def thinned(values: NDArray[np.floating[Any]], n_columns: int) -> NDArray[np.int64]:
    """Return which samples of (T,) to draw so that the line looks the same in `n_columns` columns.

    The least and the greatest of each column, in their order; all where there are few.
    """
    n = len(values)
    if n <= 2 * n_columns:
        return np.arange(n)
    edges = np.linspace(0, n, n_columns + 1).astype(np.int64)
    ends = [
        edges[:-1] + [extreme(values[a:b]) for a, b in pairwise(edges)]
        for extreme in (np.argmin, np.argmax)
    ]
    return np.unique(np.concatenate([*ends, [0, n - 1]]))


def note(figure: Figure, sentence: str) -> None:
    """Write in the middle of a figure why it is empty."""
    figure.text(0.5, 0.5, sentence, ha="center", va="center", color=MUTED)


def empty(figure: Figure, numbers: Numbers, sentence: str) -> Plot:
    """Return a figure without points, which states why; the page leaves it out."""
    note(figure, sentence)
    return numbers.plot(figure, left_out=sentence)


def ranking(board: Leaderboard) -> str:
    """Return the scores of a leaderboard in words."""
    ranked = [f"{row.name} {score(row.score.mean)}" for row in board.rows if row.score.n]
    return f"Mean {metric_label(board.headline)} on test: {', '.join(ranked)}."


def spread(n: int, n_most: int) -> NDArray[np.int64]:
    """Return at most `n_most` of n indices, the first and the last and evenly between them."""
    return np.unique(np.linspace(0, n - 1, min(n, n_most)).round()).astype(np.int64)


def choice(choices: Sequence[Any], names: Sequence[str], name: str) -> Any:
    """Return the choice that belongs to a name, by its position among all names."""
    return choices[list(names).index(name) % len(choices)]


def short(name: str, length: int) -> str:
    """Cut the middle out of a long name: what distinguishes names is often at their end."""
    if len(name) <= length:
        return name
    tail = length // 3
    return f"{name[: length - tail - 1]}…{name[-tail:]}"
