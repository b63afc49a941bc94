"""What accuracy costs: time, memory and parameters, and the models that nothing cheaper matches."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import ceil
from operator import itemgetter
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from seqbench.config.registry import FIGURES
from seqbench.reporting.evidence.material import BASELINE_COLOUR, Material
from seqbench.reporting.figures.panels import arm_legend, choice, grid, note, ranking, short
from seqbench.reporting.figures.plot import Numbers, Plot
from seqbench.reporting.figures.style import CHARACTER_INCHES, INK, MARKERS, MUTED, WIDTH_INCHES
from seqbench.reporting.scores.formats import score
from seqbench.reporting.scores.leaderboards import Leaderboard, ModelScores
from seqbench.reporting.scores.metrics import metric_label
from seqbench.statistics.pareto import pareto_front

Box = tuple[float, float, float, float]
Ticks = tuple[tuple[float, str], ...]

DURATIONS = (
    (1e-3, "1 ms"), (1e-2, "10 ms"), (0.1, "0.1 s"), (1, "1 s"), (10, "10 s"), (60, "1 min"),
    (600, "10 min"), (3600, "1 h"), (36000, "10 h"), (360000, "100 h"),
)  # fmt: skip
MEMORIES = tuple(
    (2.0**power, f"{2 ** (power % 10)} {'MiB' if power < 30 else 'GiB'}") for power in range(20, 40)
)
COUNTS = tuple(
    (10.0 ** (3 * group + power), f"{10**power}{unit}")
    for group, unit in enumerate(("", " k", " M", " G"))
    for power in range(3)
)
# What a model costs, how the axis is called, and its ticks.
COSTS: tuple[tuple[str, str, Ticks], ...] = (
    ("train_cpu_s", "processor time of a training", DURATIONS),
    ("peak_memory_bytes", "highest memory in training", MEMORIES),
    ("n_parameters", "parameters", COUNTS),
)
MARK, NAME_SIZE, CHARACTER = 26, 7, 4.6  # square points, points, and points of a letter of a name
N_NAME, N_LEGEND = 20, 24
FLOOR: dict[str, Any] = {"color": BASELINE_COLOUR, "linestyle": (0, (1, 2)), "linewidth": 1}
LEAST_SPAN = 0.05  # of scores on the axis: less would blow up what is next to nothing
LEGEND_ROW, LEGEND_MARK = 0.19, 0.4  # inches


@dataclass(frozen=True)
class _Point:
    """A model in the plane of cost and score."""

    cost: float
    score: float
    row: ModelScores


@dataclass(frozen=True)
class _Panel:
    """One cost: its key, the name and ticks of its axis, models and those on the front."""

    key: str
    name: str
    ticks: Ticks
    points: list[_Point]

    @cached_property
    def front(self) -> list[int]:
        """Indices of the models on the front; the ceiling competes with nobody."""
        own = [i for i, point in enumerate(self.points) if not point.row.is_ceiling]
        shown = [self.points[i] for i in own]
        return [own[i] for i in pareto_front([p.cost for p in shown], [p.score for p in shown])]


@FIGURES.register("cost", title="Score against cost", order=31)
def cost(material: Material) -> Plot:
    """Mean test score against processor time of one training, peak memory and parameters.

    Processor time is without pretraining, memory is the peak during training. The line is the
    Pareto front: no cheaper model scores as high as the named models on it. Grey: baselines.
    Dotted: the floor, named where it lies below the axis. The ceiling is not on the front.
    """
    board = material.board
    found = [_Panel(*axis, _points(board, axis[0])) for axis in COSTS]
    measured = [panel for panel in found if any(not p.row.is_ceiling for p in panel.points)]
    legend = _colours(material)
    figure, panels = grid(
        len(measured), max(len(measured), 1), height=2.4, left=0.75, top=0.4,
        bottom=0.6 + LEGEND_ROW * ceil(len(legend) / _n_legend_columns(legend)), gap=(0.25, 0.45),
    )  # fmt: skip
    numbers = Numbers()
    if not measured:
        note(figure, "No cost was measured.")
        return Plot(figure, numbers.table)
    for axes, panel in zip(panels, measured, strict=True):
        _draw_panel(axes, panel, material, numbers)
        axes.tick_params(labelleft=axes is panels[0])
    panels[0].set_ylabel(f"{metric_label(board.headline)} on test")
    _share_scores(panels, measured, material)
    for axes, panel in zip(panels, measured, strict=True):
        _name_points(axes, panel, material)
    if len(material.arms) > 1:
        arm_legend(figure, material.arms, markers=True)
    _draw_legend(figure, legend)
    return Plot(figure, numbers.table, ranking(board))


def _draw_panel(axes: Axes, panel: _Panel, material: Material, numbers: Numbers) -> None:
    _draw_front(axes, [panel.points[i] for i in panel.front])
    for index, point in enumerate(panel.points):
        row, is_on_front = point.row, index in panel.front
        axes.scatter(
            point.cost, point.score, s=MARK, color=material.colour(row),
            marker="o" if row.is_baseline else choice(MARKERS, material.arms, row.arm),
            alpha=0.9 if is_on_front else 0.55, linewidth=0.8 if is_on_front else 0,
            edgecolor=INK if is_on_front else "none", zorder=3 if is_on_front else 2,
        )  # fmt: skip
        numbers.add(
            cost=panel.key, architecture=row.architecture, arm=row.arm, value=point.cost,
            mean_score=point.score, n=row.score.n, is_on_front=is_on_front,
        )  # fmt: skip
    _set_ticks(axes, [point.cost for point in panel.points], panel.ticks)
    axes.grid()
    axes.set_xlabel(panel.name)
    axes.tick_params(axis="x", labelsize=7)


def _points(board: Leaderboard, key: str) -> list[_Point]:
    """Return the models whose cost is known and no 0; the floor is a line of its own."""
    return [
        _Point(value, mean, row)
        for row in board.rows
        if row != board.floor and (value := row.cost(key)) and (mean := row.score.mean) is not None
    ]


def _draw_front(axes: Axes, front: list[_Point]) -> None:
    """Draw what the best model up to each cost scores, as steps."""
    costs, scores = [p.cost for p in front], [p.score for p in front]
    axes.step(
        [*costs, 1e30], [*scores, scores[-1]], where="post", color=INK, linewidth=0.9, alpha=0.6,
        zorder=1, scalex=False,
    )  # fmt: skip


def _share_scores(panels: list[Axes], shown: list[_Panel], material: Material) -> None:
    """Give panels one axis of scores, and draw the floor, or name it below the first panel.

    A floor far below would press together the models that a reader compares.
    """
    scores = [point.score for panel in shown for point in panel.points]
    high = max(scores)
    low = min(*scores, high - LEAST_SPAN)  # downward, as no headline is above 1
    margin = 0.15 * (high - low)
    for axes in panels:
        axes.set_ylim(low - margin, high + margin)
        axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        axes.set_yticks([tick for tick in axes.get_yticks() if low - margin <= tick <= 1])
    floor = material.board.floor
    if floor is None or floor.score.mean is None:
        return
    if floor.score.mean > low - margin:
        for axes in panels:
            axes.axhline(floor.score.mean, zorder=0, **FLOOR)
    else:
        below = f"below: {short(floor.architecture, N_NAME)} {score(floor.score.mean)}"
        panels[0].annotate(
            below, (0.02, 0.02), xycoords="axes fraction", fontsize=NAME_SIZE, color=MUTED
        )


def _colours(material: Material) -> dict[str, str]:
    """Return the colours of a legend by what they mean."""
    own = {short(name, N_LEGEND): material.colours[name] for name in material.architectures}
    has_baselines = any(row.is_baseline for row in material.board.rows)
    return own | ({"baselines": BASELINE_COLOUR} if has_baselines else {})


def _n_legend_columns(colours: dict[str, str]) -> int:
    widest = LEGEND_MARK + CHARACTER_INCHES * max(map(len, colours), default=1)
    return max(1, int(WIDTH_INCHES / widest))


def _draw_legend(figure: Figure, colours: dict[str, str]) -> None:
    look: dict[str, Any] = {"marker": "o", "linestyle": "none", "markersize": 4.5}
    figure.legend(
        handles=[Line2D([], [], color=ink, label=name, **look) for name, ink in colours.items()],
        loc="lower center", ncols=_n_legend_columns(colours), handletextpad=0.2,
        columnspacing=1.2, labelspacing=0.3, borderaxespad=0.2,
    )  # fmt: skip


def _name_points(axes: Axes, panel: _Panel, material: Material) -> None:
    """Name the models on the front, each where its name hides least."""
    pixel = axes.figure.dpi / 72  # of one point, the unit of text and marks
    placed = axes.transData.transform([(p.cost, p.score) for p in panel.points]) / pixel
    at: list[tuple[float, float]] = [(x, y) for x, y in placed.tolist()]
    frame = axes.get_window_extent()
    inside = (frame.x0 / pixel, frame.y0 / pixel, frame.x1 / pixel, frame.y1 / pixel)
    side = MARK**0.5
    taken = [_box(x, y, side, side) for x, y in at]
    steps = [at[i] for i in panel.front]
    ends = [*steps[1:], (inside[2], steps[-1][1])]
    for (x, y), (next_x, next_y) in zip(steps, ends, strict=True):
        taken += [(x, y - 1, next_x, y + 1), (next_x - 1, y, next_x + 1, next_y)]
    taken.append((inside[0], inside[1], inside[2], inside[1] + NAME_SIZE + 2))  # of the floor
    for index in panel.front:
        (x, y), point = at[index], panel.points[index]
        name = short(_named(point.row, material), N_NAME)
        width = CHARACTER * len(name)
        costs = []
        shifts = [sign * n for n in range(0, 72, 4) for sign in (1, -1)]
        for shift, way in product(shifts, (1, -1, 0)):
            if way == 0 and abs(shift) < side:
                continue
            box = _box(x + way * (side / 2 + 3 + width / 2), y + shift, width, NAME_SIZE + 1)
            hidden = sum(_overlap(box, other) for other in taken)
            outside = width * (NAME_SIZE + 1) - _overlap(box, inside)
            costs.append((hidden + 2 * abs(shift) + 1e3 * outside, shift, way, box))
        _, shift, way, box = min(costs, key=itemgetter(0))
        taken.append(box)
        axes.annotate(
            name, (point.cost, point.score), xytext=(way * (side / 2 + 3), shift),
            textcoords="offset points", ha={1: "left", -1: "right", 0: "center"}[way],
            va="center", color=material.colour(point.row), fontsize=NAME_SIZE,
            fontweight="bold", zorder=4,
        )  # fmt: skip


def _named(row: ModelScores, material: Material) -> str:
    """Return the name of a model; its arm only where there are several."""
    return row.name if len(material.arms) > 1 and not row.is_baseline else row.architecture


def _box(x: float, y: float, width: float, height: float) -> Box:
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _overlap(box: Box, other: Box) -> float:
    """Return the area that two boxes share, in square points."""
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    return max(width, 0.0) * max(height, 0.0)


def _set_ticks(axes: Axes, costs: list[float], ticks: Ticks) -> None:
    """Make a logarithmic axis with room for names, and at most four of the ticks."""
    low, high = np.log10(min(costs)), np.log10(max(costs))
    margin = max(0.22 * (high - low), 0.3)
    axes.set_xscale("log")
    axes.set_xlim(10 ** (low - margin), 10 ** (high + margin))
    inside = [(t, name) for t, name in ticks if low - margin < np.log10(t) < high + margin]
    inside = inside[:: -(-len(inside) // 4) or 1]
    axes.set_xticks([t for t, _ in inside], [name for _, name in inside])
    axes.minorticks_off()
