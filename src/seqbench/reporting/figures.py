"""Figures of one dataset, one look for all: `FIGURES` by name, `render` to SVG."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from math import ceil, sqrt
from operator import itemgetter
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter
from numpy.typing import NDArray

from seqbench.reporting.catalog import metric_label
from seqbench.reporting.material import BASELINE_COLOUR, Confusion, Material
from seqbench.reporting.tables import Estimate, Leaderboard, Row

INK, MUTED, HAIRLINE = "#22262b", "#5f666e", "#e3e6ea"
WIDTH_INCHES = 7.4
LINE_STYLES: tuple[Any, ...] = ("-", (0, (4, 1.6)), (0, (1, 1.4)), (0, (5, 1.4, 1, 1.4)))
DURATIONS = (
    (1e-3, "1 ms"), (1e-2, "10 ms"), (0.1, "0.1 s"), (1, "1 s"), (10, "10 s"), (60, "1 min"),
    (600, "10 min"), (3600, "1 h"), (36000, "10 h"), (360000, "100 h"),
)  # fmt: skip
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
SHADES = LinearSegmentedColormap.from_list("shades", ["#ffffff", "#9ecae8", "#0b4f86"])
N_SHOWN_CLASSES, N_SHOWN_CHANNELS = 20, 12
N_CHARACTERS = 14  # of the name of a class beside a matrix
CHARACTER_INCHES = 0.062  # of a label, on average
N_VECTOR_POINTS = 30_000  # more points than this in a figure become pixels

STYLE: dict[str, Any] = {
    "svg.fonttype": "none",  # text stays text: selectable, and small
    "text.parse_math": False,  # a name may hold a dollar sign
    "font.family": "sans-serif",
    # DejaVu comes with matplotlib and is wide: what fits with it fits with the others.
    "font.sans-serif": ["DejaVu Sans", "Helvetica Neue", "Helvetica", "Arial"],
    "font.size": 8.5,
    "text.color": INK,
    "axes.edgecolor": "#b8bec5",
    "axes.linewidth": 0.7,
    "axes.labelcolor": MUTED,
    "axes.titlecolor": INK,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": HAIRLINE,
    "grid.linewidth": 0.7,
    "xtick.color": "#b8bec5",
    "ytick.color": "#b8bec5",
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.solid_capstyle": "round",
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}


@dataclass(frozen=True)
class Drawing:
    """A figure as SVG, and its size in CSS pixels."""

    svg: bytes
    width: int
    height: int


def render(figure: str, material: Material) -> Drawing:
    """Draw a figure of a dataset; the same material gives the same bytes."""
    style: Any = STYLE | {"svg.hashsalt": f"{material.dataset}/{figure}"}
    with mpl.rc_context(style):
        drawn = FIGURES[figure](material)
        buffer = io.BytesIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        drawn.savefig(buffer, format="svg", dpi=150, metadata=nothing)
    width, height = (round(96 * inches) for inches in drawn.get_size_inches())
    return Drawing(buffer.getvalue(), width, height)


def leaderboard(material: Material) -> Figure:
    """Every seed a dot, the mean a bar, baselines in grey."""
    board = material.board
    rows = [row for row in board.rows if row.score.n][::-1]  # the best on top
    names = [_short(row.name, 34) for row in rows]
    left = 0.25 + CHARACTER_INCHES * max(map(len, names), default=0)
    figure, (axes,) = _grid(1, 1, height=0.15 + 0.25 * len(rows), left=left, top=0.1)
    for height, row in enumerate(rows):
        _draw_scores(axes, row, height, material.colour(row))
    _draw_reference_lines(material, axes.axvline)
    axes.set_yticks(range(len(rows)), names)
    for label, row in zip(axes.get_yticklabels(), rows, strict=True):
        label.set_color(MUTED if row.is_baseline else INK)
        label.set_fontweight("bold" if row.is_best else "normal")
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    axes.set_xlabel(f"{metric_label(board.headline)} on test")
    return figure


def confusion(material: Material) -> Figure:
    """Draw the counts of the model picked on val beside those of the best baseline."""
    shown, classes = material.confusions, material.windows.classes
    k = len(classes)
    beside = k <= 12  # more classes need the whole width
    margin = 0.35 + CHARACTER_INCHES * max(len(_short(name, N_CHARACTERS)) for name in classes)
    level = _fits_level(classes)
    panel = (2.5 if k <= 8 else 2.9) if beside else min(5.6, 1.2 + 0.26 * k)
    figure, panels = _grid(
        len(shown), 2 if beside else 1, height=panel, left=margin, top=0.35,
        bottom=0.5 if level else margin, gap=(0.3, 0.9 if level else margin + 0.4),
    )  # fmt: skip
    for index, (axes, matrix) in enumerate(zip(panels, shown, strict=True)):
        _draw_confusion(axes, matrix, classes, level=level)
        if beside and index:
            axes.set_ylabel("")
            axes.set_yticklabels([])
    return figure


def learning_curves(material: Material) -> Figure:
    """Loss on val of each run in a panel for each architecture, loss on train in pale."""
    board = material.board
    best_epoch = {result.run: result.cost("best_epoch") for result in material.results}
    figure, panels = _panels(material.architectures)
    lines: list[pd.Series[float]] = []
    for run, history in material.histories.items():
        if run.labels != board.labels or history.empty:
            continue
        axes, colour = panels[run.architecture], material.colours[run.architecture]
        style = _pick(LINE_STYLES, material.arms, run.arm)
        epoch, val = history["epoch"], history["val_loss"]
        axes.plot(epoch, history["train_loss"], color=colour, alpha=0.22, linewidth=0.8)
        axes.plot(epoch, val, color=colour, linestyle=style, linewidth=1.2)
        kept = history[epoch == best_epoch.get(run)]
        axes.plot(kept["epoch"], kept["val_loss"], "o", color=colour, markersize=3.2)
        lines += [val, history["train_loss"]]
    _finish_curves(figure, panels, lines, "loss")
    _arm_legend(figure, material.arms, with_pale=True)
    return figure


def cost(material: Material) -> Figure:
    """Test headline against processor seconds of training."""
    board = material.board
    figure, (axes,) = _grid(1, 1, height=2.9, top=0.4)
    points = _points(board)
    for point in points:
        marker = "o" if point.row.is_baseline else _pick(MARKERS, material.arms, point.row.arm)
        axes.scatter(
            point.seconds, point.score, s=point.area, marker=marker,
            color=material.colour(point.row), alpha=0.8, edgecolor="white", linewidth=0.8,
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
        _arm_legend(figure, material.arms, markers=True)
    _label_points(axes, points, material)
    return figure


def label_efficiency(material: Material) -> Figure:
    """Test headline against the fraction of labels, a line for each arm."""
    few = {row.architecture for board in material.boards[1:] for row in board.rows}
    figure, panels = _panels([name for name in material.architectures if name in few])
    for architecture, axes in panels.items():
        for arm in material.arms:
            points = [
                (100 * float(board.labels), row.score)
                for board in reversed(material.boards)
                for row in board.rows
                if (row.architecture, row.arm) == (architecture, arm) and row.score.n
            ]
            _draw_with_whiskers(
                axes,
                points,
                color=material.colours[architecture],
                linestyle=_pick(LINE_STYLES, material.arms, arm),
                marker=_pick(MARKERS, material.arms, arm),
            )
        _draw_reference_lines(material, axes.axhline)
        axes.set_xscale("log")
        fractions = sorted({100 * float(board.labels) for board in material.boards})
        axes.set_xticks(fractions, [f"{fraction:g} %" for fraction in fractions])
        axes.minorticks_off()
        axes.margins(x=0.12)
    _finish_panels(
        figure, panels, "labels used", f"{metric_label(material.board.headline)} on test"
    )
    _arm_legend(figure, material.arms, markers=True)
    return figure


def pretraining(material: Material) -> Figure:
    """Loss of each objective on held-out recordings, a panel for each architecture."""
    architectures = [
        a for a in material.architectures if any(a == key[0] for key in material.pretraining)
    ]
    objectives = sorted({objective for _, objective, _ in material.pretraining})
    figure, panels = _panels(architectures)
    lines: list[pd.Series[float]] = []
    for (architecture, objective, _), history in material.pretraining.items():
        axes, colour = panels[architecture], material.colours[architecture]
        epoch, monitor = history["epoch"], history["monitor_loss"]
        axes.plot(epoch, history["train_loss"], color=colour, alpha=0.22, linewidth=0.8)
        style = _pick(LINE_STYLES, objectives, objective)
        axes.plot(epoch, monitor, color=colour, linestyle=style, linewidth=1.2)
        lines += [monitor, history["train_loss"]]
    _finish_curves(figure, panels, lines, "loss of the objective")
    _arm_legend(figure, objectives, with_pale=True, measured="held-out")
    return figure


def examples(material: Material) -> Figure:
    """Windows of each class, channels stacked, one scale for all."""
    windows = material.windows
    n_channels = min(len(windows.channels), N_SHOWN_CHANNELS)
    chosen = _spread_over_classes(windows.label, len(windows.classes))
    n_each = max((len(indices) for indices in chosen.values()), default=1)
    n_columns = n_each * (1 if n_each == 3 else 2 if n_each == 2 else 4)
    cells = [
        (k, i) for k, group in chosen.items() for i in [*group, *[None] * (n_each - len(group))]
    ]
    cut = {i: windows.window(i)[:, :n_channels] for _, i in cells if i is not None}
    names = [_short(name, 10) for name in windows.channels[:n_channels]]
    left = 0.2 + CHARACTER_INCHES * (max(map(len, names)) if n_channels > 1 else 4)
    figure, panels = _grid(
        len(cells), n_columns, height=0.55 + 0.09 * n_channels, left=left, top=0.3,
        gap=(0.12, 0.32), shared=True,
    )  # fmt: skip
    offsets = _offsets(list(cut.values()), n_channels)
    is_dense = sum(window.size for window in cut.values()) > N_VECTOR_POINTS
    colours = mpl.colormaps["viridis"](np.linspace(0.05, 0.8, n_channels))
    rate = windows.sampling_rate_hz or 1.0
    for axes, (k, i) in zip(panels, cells, strict=True):
        if i is None:
            axes.set_visible(False)
            continue
        if i == chosen[k][0]:
            axes.set_title(_short(windows.classes[k], 18 * n_each))
        if is_dense:
            axes.set_rasterization_zorder(2.5)  # lines become one image, axes and text do not
        time = np.arange(len(cut[i])) / rate
        for channel, colour in enumerate(colours):
            axes.plot(time, cut[i][:, channel] + offsets[channel], color=colour, linewidth=0.8)
    if panels and n_channels > 1:
        panels[0].set_yticks(offsets, names)
        for axes in panels:
            axes.tick_params(axis="y", labelsize=6.5, length=0)
    if panels:
        panels[0].xaxis.set_major_locator(MaxNLocator(4))
    figure.supxlabel(
        "seconds" if windows.sampling_rate_hz else "samples", fontsize=8.5, color=MUTED
    )
    return figure


FIGURES: dict[str, Callable[[Material], Figure]] = {
    "leaderboard": leaderboard,
    "confusion": confusion,
    "learning_curves": learning_curves,
    "cost": cost,
    "label_efficiency": label_efficiency,
    "pretraining": pretraining,
    "examples": examples,
}


def _draw_scores(axes: Axes, row: Row, height: int, colour: str) -> None:
    values = [v for result in row.results if (v := result.value(row.headline)) is not None]
    if row.score.interval is not None:
        axes.plot(row.score.interval, [height] * 2, color=colour, linewidth=1, alpha=0.6)
    # Dots that hide each other are moved apart by a fixed pattern, not by chance.
    shift = 0.09 * ((np.arange(len(values)) % 3) - 1) * (len(values) > 1)
    axes.scatter(values, height + shift, s=15, color=colour, alpha=0.65, linewidth=0)
    if row.score.mean is not None:
        ends = [height - 0.3, height + 0.3]
        axes.plot([row.score.mean] * 2, ends, color=colour, linewidth=2.2)


def _draw_reference_lines(material: Material, line: Callable[..., object]) -> None:
    """Draw the best baseline dashed and the floor dotted."""
    board = material.board
    if board.floor is not None and board.floor.score.mean is not None:
        line(
            board.floor.score.mean,
            color=BASELINE_COLOUR,
            linestyle=(0, (1, 2)),
            linewidth=1,
            zorder=0,
        )
    if board.best_baseline is not None and board.best_baseline != board.floor:
        line(
            board.best_baseline.score.mean, color=BASELINE_COLOUR, linestyle=(0, (5, 3)),
            linewidth=1, zorder=0,
        )  # fmt: skip


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


def _draw_confusion(axes: Axes, matrix: Confusion, classes: list[str], *, level: bool) -> None:
    counts = matrix.counts
    k = len(counts)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(share, cmap=SHADES, vmin=0, vmax=1)
    if k <= N_SHOWN_CLASSES:
        size = 8.5 if k <= 8 else 7 if k <= 14 else 6
        for (true, predicted), count in np.ndenumerate(counts):
            if count:
                colour = "white" if share[true, predicted] > 0.55 else INK
                axes.text(
                    predicted,
                    true,
                    f"{count}",
                    ha="center",
                    va="center",
                    color=colour,
                    fontsize=size,
                )
        names = [_short(name, N_CHARACTERS) for name in classes]
        axes.set_xticks(range(k), names, rotation=0 if level else 90)
        axes.set_yticks(range(k), names)
    axes.set_title(_short(matrix.row.name, 40))
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.spines[:].set(visible=True, color=HAIRLINE)
    axes.tick_params(length=0)


def _fits_level(names: list[str]) -> bool:
    """Tell whether names have room beside each other under a small panel."""
    return max(len(_short(name, N_CHARACTERS)) for name in names) * len(names) <= 30


def _grid(
    n: int,
    n_columns: int,
    *,
    height: float,
    left: float = 0.65,
    top: float = 0.65,
    bottom: float = 0.5,
    gap: tuple[float, float] = (0.2, 0.45),
    shared: bool = False,
) -> tuple[Figure, list[Axes]]:
    """Return a figure with `n` panels; all lengths are inches.

    The margins are fixed instead of measured, which halves the time a figure takes.
    """
    n_rows = max(1, ceil(n / n_columns))
    right = 0.12
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


def _panels(names: Sequence[str]) -> tuple[Figure, dict[str, Axes]]:
    """Return a figure with a panel for each name, all with the same axes."""
    n_columns = min(3, max(len(names), 1))
    height = 1.55 if n_columns > 1 else 2.3
    figure, panels = _grid(len(names), n_columns, height=height, shared=True)
    return figure, dict(zip(names, panels, strict=True))


def _finish_panels(figure: Figure, panels: dict[str, Axes], x: str, y: str) -> None:
    for name, axes in panels.items():
        axes.set_title(_short(name, 30))
        axes.grid(axis="y")
    figure.supxlabel(x, fontsize=8.5, color=MUTED)
    figure.supylabel(y, fontsize=8.5, color=MUTED)


def _finish_curves(
    figure: Figure, panels: dict[str, Axes], lines: list[pd.Series[float]], name: str
) -> None:
    values = np.concatenate([np.asarray(line, dtype=float) for line in lines] or [np.ones(1)])
    values = values[np.isfinite(values)]
    is_wide = len(values) > 0 and values.min() > 0 and values.max() / values.min() > 30
    for axes in panels.values():
        if is_wide:
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axes.yaxis.set_minor_formatter(NullFormatter())
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    _finish_panels(figure, panels, "epoch", name)


def _arm_legend(
    figure: Figure,
    names: Sequence[str],
    *,
    markers: bool = False,
    with_pale: bool = False,
    measured: str = "val",
) -> None:
    """Say above the panels which line or mark is which; colours speak for themselves."""
    handles = [
        Line2D(
            [], [], color=MUTED, label=name, markersize=5,
            marker=_pick(MARKERS, names, name) if markers else None,
            linestyle="none" if markers else _pick(LINE_STYLES, names, name),
        )
        for name in names
    ]  # fmt: skip
    if with_pale:
        if len(names) == 1:
            handles[0].set_label(f"{names[0]}, {measured}")
        handles.append(Line2D([], [], color=MUTED, alpha=0.35, linewidth=0.8, label="train"))
    figure.legend(handles=handles, loc="upper right", ncols=len(handles), handlelength=2.4)


def _draw_with_whiskers(axes: Axes, points: list[tuple[float, Estimate]], **look: Any) -> None:
    if points:
        x, scores = zip(*points, strict=True)
        y = [score.mean for score in scores]
        spread = [score.sd or 0.0 for score in scores]
        axes.errorbar(x, y, yerr=spread, linewidth=1.2, markersize=4, elinewidth=0.8, **look)


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
        name = _short(point.row.architecture, 24)
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


def _spread_over_classes(label: NDArray[np.int64], n_classes: int) -> dict[int, list[int]]:
    """Choose windows of each class, evenly over the table; fewer of each when there are many."""
    n_each = 3 if n_classes <= 6 else 2 if n_classes <= 10 else 1
    chosen: dict[int, list[int]] = {}
    for k in range(min(n_classes, N_SHOWN_CLASSES)):
        own = np.flatnonzero(label == k)
        if len(own):
            at = np.linspace(0, len(own) - 1, min(n_each, len(own))).round().astype(int)
            chosen[k] = [int(i) for i in own[at]]
    return chosen


def _offsets(cut: Iterable[NDArray[np.float32]], n_channels: int) -> NDArray[np.float64]:
    """Return how far to move each channel so that none crosses the next, the first on top."""
    together = np.concatenate(list(cut) or [np.zeros((1, n_channels), np.float32)])
    low, high = np.percentile(together, [0.5, 99.5], axis=0)
    steps = [high[below] - low[above] for above, below in pairwise(range(n_channels))]
    return np.concatenate([[0.0], -np.cumsum(np.full(len(steps), 1.05 * max(steps, default=0.0)))])


def _pick(choices: Sequence[Any], names: Sequence[str], name: str) -> Any:
    return choices[list(names).index(name) % len(choices)]


def _short(name: str, length: int) -> str:
    """Cut the middle out of a long name: what tells names apart is often at their end."""
    if len(name) <= length:
        return name
    tail = length // 3
    return f"{name[: length - tail - 1]}…{name[-tail:]}"
