"""What accuracy costs: time, memory and parameters, and the models that nothing cheaper matches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import ceil
from operator import itemgetter

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from seqbench.config.registry import FIGURES
from seqbench.reporting.evidence.material import BASELINE_COLOUR, Material
from seqbench.reporting.figures.panels import (
    DOTTED,
    arm_legend,
    choice,
    empty,
    grid,
    legend,
    ranking,
    short,
)
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
    (10.0**power, f"{10 ** (power % 3)}{('', ' k', ' M', ' G')[power // 3]}") for power in range(12)
)
# What a model costs, how the axis is called, its ticks, and what a value is called with its unit.
COSTS: tuple[tuple[str, str, Ticks, str], ...] = (
    ("train_cpu_s", "processor time of a training", DURATIONS, "processor seconds"),
    ("peak_memory_bytes", "highest memory in training", MEMORIES, "bytes of memory"),
    ("n_parameters", "parameters", COUNTS, "parameters"),
)
MARK, NAME_SIZE, CHARACTER = 26, 7, 4.6  # square points, points, and points of a letter of a name
N_NAME, N_LEGEND = 20, 24
BASELINES = "baselines"  # in the legend
LEAST_SPAN = 0.05  # of scores on the axis: less would blow up what is next to nothing
LEGEND_ROW, LEGEND_MARK = 0.19, 0.4  # inches


@dataclass(frozen=True)
class _Panel:
    """One cost: its axis, models as (cost, score, row), and indices of those on the front.

    `measured` is what a value is called, with its unit.
    """

    key: str
    name: str
    ticks: Ticks
    measured: str
    models: list[tuple[float, float, ModelScores]]
    front: list[int]


@FIGURES.register("cost", title="Score against cost", order=31, block="cost")
def cost(material: Material) -> Plot:
    """Mean test score against processor time of one training, peak memory and parameters.

    Processor time is without pretraining, memory is the peak during training. The line is the
    Pareto front: no cheaper model scores as high as the named models on it. Grey: baselines.
    Dotted: the floor, named where it lies below the axis. The ceiling is not on the front.
    """
    board = material.board
    measured = [panel for axis in COSTS if (panel := _panel(board, *axis)).front]
    colours = {short(name, N_LEGEND): material.colours[name] for name in material.architectures}
    if any(row.is_baseline for row in board.rows):
        colours[BASELINES] = BASELINE_COLOUR
    widest = LEGEND_MARK + CHARACTER_INCHES * max(map(len, colours), default=1)
    n_columns = max(1, int(WIDTH_INCHES / widest))
    figure, panels = grid(
        len(measured), max(len(measured), 1), height=2.4, left=0.75, top=0.4,
        bottom=0.6 + LEGEND_ROW * ceil(len(colours) / n_columns), gap=(0.25, 0.45),
    )  # fmt: skip
    numbers = Numbers()
    if not measured:
        return empty(figure, numbers, "No cost was measured.")
    for axes, panel in zip(panels, measured, strict=True):
        _draw_panel(axes, panel, material, numbers)
        axes.tick_params(labelleft=axes is panels[0])
    panels[0].set_ylabel(f"{metric_label(board.headline)} on test")
    _share_scores(panels, measured, board.floor)
    for axes, panel in zip(panels, measured, strict=True):
        _name_points(axes, panel, material, numbers)
    if len(material.arms) > 1:
        arm_legend(figure, material.arms, markers=True)
    look = {"marker": "o", "linestyle": "none", "markersize": 4.5}
    spacing = {"columnspacing": 1.2, "labelspacing": 0.3, "borderaxespad": 0.2}
    looks = [(name, look | {"color": ink}) for name, ink in colours.items()]
    legend(figure, looks, loc="lower center", ncols=n_columns, handletextpad=0.2, **spacing)
    return numbers.plot(figure, ranking(board))


def _panel(board: Leaderboard, key: str, name: str, ticks: Ticks, measured: str) -> _Panel:
    """Return the models whose cost is known and no 0; the floor is a line of its own.

    The ceiling competes with nobody.
    """
    models = [
        (value, mean, row)
        for row in board.rows
        if row != board.floor and (value := row.cost(key)) and (mean := row.score.mean) is not None
    ]
    rivals = [i for i, (_, _, row) in enumerate(models) if not row.is_ceiling]
    on_front = pareto_front([models[i][0] for i in rivals], [models[i][1] for i in rivals])
    return _Panel(key, name, ticks, measured, models, [rivals[i] for i in on_front])


def _draw_panel(axes: Axes, panel: _Panel, material: Material, numbers: Numbers) -> None:
    # What the best model up to each cost scores, as steps.
    costs, scores, _ = zip(*(panel.models[i] for i in panel.front), strict=True)
    axes.step(
        [*costs, 1e30], [*scores, scores[-1]], where="post", color=INK, linewidth=0.9, alpha=0.6,
        zorder=1, scalex=False,
    )  # fmt: skip
    for index, (value, mean, row) in enumerate(panel.models):
        is_on_front = index in panel.front
        dot = axes.scatter(
            value, mean, s=MARK, color=material.colour(row),
            marker="o" if row.is_baseline else choice(MARKERS, material.arms, row.arm),
            alpha=0.9 if is_on_front else 0.55, linewidth=0.8 if is_on_front else 0,
            edgecolor=INK if is_on_front else "none", zorder=3 if is_on_front else 2,
        )  # fmt: skip
        rows = numbers.add(
            cost=panel.key, architecture=row.architecture, arm=row.arm, value=value,
            mean_score=mean, n=row.score.n, is_on_front=is_on_front,
        )  # fmt: skip
        shown = {"mean_score": f"mean {metric_label(row.headline)}", "value": panel.measured}
        numbers.mark(dot, rows, shown, name=row.name, keys=_keys(row, material))
    set_ticks(axes, [value for value, _, _ in panel.models], panel.ticks)
    axes.grid()
    axes.set_xlabel(panel.name)
    axes.tick_params(axis="x", labelsize=7)


def _share_scores(panels: list[Axes], shown: list[_Panel], floor: ModelScores | None) -> None:
    """Give panels one axis of scores, and draw the floor, or name it below the first panel.

    A floor far below would press together the models that a reader compares.
    """
    scores = [mean for panel in shown for _, mean, _ in panel.models]
    high = max(scores)
    low = min(*scores, high - LEAST_SPAN)  # downward, as no headline is above 1
    margin = 0.15 * (high - low)
    for axes in panels:
        axes.set_ylim(low - margin, high + margin)
        axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        axes.set_yticks([tick for tick in axes.get_yticks() if low - margin <= tick <= 1])
    if floor is None or floor.score.mean is None:
        return
    if floor.score.mean > low - margin:
        for axes in panels:
            axes.axhline(floor.score.mean, zorder=0, **DOTTED)
    else:
        below = f"below: {short(floor.architecture, N_NAME)} {score(floor.score.mean)}"
        panels[0].annotate(
            below, (0.02, 0.02), xycoords="axes fraction", fontsize=NAME_SIZE, color=MUTED
        )


def _keys(row: ModelScores, material: Material) -> list[str]:
    """Return the legend's entries of a model: its colour and, of a network, its marker."""
    if row.is_baseline:
        return [BASELINES]
    arm = [row.arm] if len(material.arms) > 1 else []
    return [short(row.architecture, N_LEGEND), *arm]


def _name_points(axes: Axes, panel: _Panel, material: Material, numbers: Numbers) -> None:
    """Name the models on the front, each where its name hides least."""
    pixel = axes.figure.dpi / 72  # of one point, the unit of text and marks
    at = axes.transData.transform([model[:2] for model in panel.models]) / pixel
    frame = axes.get_window_extent()
    inside = (frame.x0 / pixel, frame.y0 / pixel, frame.x1 / pixel, frame.y1 / pixel)
    side = MARK**0.5
    taken = [_box(x, y, side, side) for x, y in at]
    steps = at[panel.front]
    ends = [*steps[1:], (inside[2], steps[-1][1])]
    for (x, y), (next_x, next_y) in zip(steps, ends, strict=True):
        taken += [(x, y - 1, next_x, y + 1), (next_x - 1, y, next_x + 1, next_y)]
    taken.append((inside[0], inside[1], inside[2], inside[1] + NAME_SIZE + 2))  # of the floor
    for index in panel.front:
        (x, y), (value, mean, row) = at[index], panel.models[index]
        has_arm = len(material.arms) > 1 and not row.is_baseline
        name = short(row.name if has_arm else row.architecture, N_NAME)
        width = CHARACTER * len(name)
        places = []
        shifts = [sign * n for n in range(0, 72, 4) for sign in (1, -1)]
        for shift, way in product(shifts, (1, -1, 0)):
            if way == 0 and abs(shift) < side:
                continue
            box = _box(x + way * (side / 2 + 3 + width / 2), y + shift, width, NAME_SIZE + 1)
            hidden = sum(_overlap(box, other) for other in taken)
            outside = width * (NAME_SIZE + 1) - _overlap(box, inside)
            places.append((hidden + 2 * abs(shift) + 1e3 * outside, shift, way, box))
        _, shift, way, box = min(places, key=itemgetter(0))
        taken.append(box)
        text = axes.annotate(
            name, (value, mean), xytext=(way * (side / 2 + 3), shift),
            textcoords="offset points", ha={1: "left", -1: "right", 0: "center"}[way],
            va="center", color=material.colour(row), fontsize=NAME_SIZE, fontweight="bold",
            zorder=4,
        )  # fmt: skip
        numbers.mark(text, keys=_keys(row, material))


def _box(x: float, y: float, width: float, height: float) -> Box:
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _overlap(box: Box, other: Box) -> float:
    """Return the area that two boxes share, in square points."""
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    return max(width, 0.0) * max(height, 0.0)


def set_ticks(axes: Axes, costs: Sequence[float], ticks: Ticks, room: float = 0.22) -> None:
    """Make a logarithmic axis with room for names, and at most four of the ticks.

    The room on either side is a share of the way from the least to the greatest cost.
    """
    low, high = np.log10(min(costs)), np.log10(max(costs))
    margin = max(room * (high - low), 0.3)
    axes.set(xscale="log", xlim=(10 ** (low - margin), 10 ** (high + margin)))
    inside = [(t, name) for t, name in ticks if low - margin < np.log10(t) < high + margin]
    inside = inside[:: -(-len(inside) // 4) or 1]
    axes.set_xticks([t for t, _ in inside], [name for _, name in inside])
    axes.minorticks_off()
