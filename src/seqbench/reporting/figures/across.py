"""Figures of models across datasets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seqbench.config.registry import FIGURES
from seqbench.reporting.evidence.across import Across
from seqbench.reporting.figures.panels import note, short
from seqbench.reporting.figures.plot import Mark, Plot
from seqbench.reporting.figures.style import CHARACTER_INCHES, INK, MUTED, WIDTH_INCHES
from seqbench.reporting.scores.formats import NOTHING

# Inches, from the top.
AXIS, FIRST_BAR, BAR_STEP, NAME_STEP = 0.42, 0.58, 0.13, 0.21
OVERHANG, APART = 0.04, 0.1  # of bars: past their models, and from each other on one level
TICK_STEP = 0.25  # at least
LONGEST_NAME = 30
GAP = "\N{EN SPACE}"  # of an SVG other spaces collapse


@FIGURES.register("critical_difference", title="Critical difference diagram", across=True, order=10)
def critical_difference(across: Across) -> Plot:
    """Models at their average rank over datasets, the best on the left.

    A bar joins models of which no pair differs: Wilcoxon's signed-rank test at 0.05, corrected by
    Holm's procedure for all pairs.
    """
    table = ranks_table(across)
    if not across.can_tell:  # values are missing that the plan promised
        figure = Figure(figsize=(WIDTH_INCHES, 0.8))
        sentence = "Too few datasets have a value of every model."
        note(figure, sentence)
        return Plot(figure, table, left_out=sentence)
    bars = [table["average_rank"][table[name]].tolist() for name in table.columns[2:]]
    names = [short(name, LONGEST_NAME) for name in table["model"]]
    margin = CHARACTER_INCHES * (max(map(len, names)) + 8) + 0.1

    def place(rank: float) -> float:
        return margin + (rank - 1) / (len(table) - 1) * (WIDTH_INCHES - 2 * margin)

    spans = [(place(bar[0]) - OVERHANG, place(bar[-1]) + OVERHANG) for bar in bars]
    levels = bar_levels(spans)
    below = FIRST_BAR + BAR_STEP * (max(levels, default=-1) + 1) + 0.08
    height = below + NAME_STEP * ((len(table) + 1) // 2) + 0.02
    figure = Figure(figsize=(WIDTH_INCHES, height))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH_INCHES), ylim=(height, 0))
    axes.axis("off")
    _draw_axis(axes, len(table), place)
    for span, level in zip(spans, levels, strict=True):
        y = FIRST_BAR + BAR_STEP * level
        axes.plot(span, [y, y], color=INK, linewidth=3.2, solid_capstyle="butt", zorder=3)
    n_left = (len(table) + 1) // 2
    marks = []
    for index, (name, rank) in enumerate(zip(names, table["average_rank"], strict=True)):
        is_left = index < n_left
        # The outermost stand highest on either side, so that no line crosses another.
        row = index if is_left else len(table) - 1 - index
        y, end = below + NAME_STEP * (row + 0.5), margin if is_left else WIDTH_INCHES - margin
        model = across.standings[index].model
        side = -0.06 if is_left else 0.06
        path = [place(rank)] * 2 + [end], [AXIS, y, y]
        [line] = axes.plot(*path, color=across.colour(model), linewidth=1)
        marks.append(Mark(line, (index,), {"average_rank": "average rank"}, model.name))
        axes.text(
            end + side, y, f"{name}{GAP}{rank:.2f}" if is_left else f"{rank:.2f}{GAP}{name}",
            ha="right" if is_left else "left", va="center",
            color=MUTED if model.is_baseline else INK,
        )  # fmt: skip
    ranks = ", ".join(f"{one.model.name} {one.rank:.2f}" for one in across.standings)
    joined = "; ".join(
        ", ".join(across.models[column].name for column in clique) for clique in across.cliques
    )
    words = f"Average ranks: {ranks}. Joined by a bar: {joined or NOTHING}."
    return Plot(figure, table, words, marks=marks)


def ranks_table(across: Across) -> pd.DataFrame:
    """Return what the diagram draws: models by average rank, and for each bar who it joins."""
    if not across.can_compare:
        return pd.DataFrame(columns=["model", "average_rank"])
    order = [across.models.index(one.model) for one in across.standings]
    rows = [(one.model.name, one.rank) for one in across.standings]
    table = pd.DataFrame(rows, columns=["model", "average_rank"])
    for number, clique in enumerate(across.cliques, start=1):
        table[f"bar_{number}"] = [column in clique for column in order]
    return table


def bar_levels(spans: Sequence[tuple[float, float]]) -> list[int]:
    """Return for each bar, given from left to right in inches, the first level with room for it."""
    ends: list[float] = []
    levels = []
    for low, high in spans:
        level = next((i for i, end in enumerate(ends) if end + APART < low), len(ends))
        ends[level : level + 1] = [high]
        levels.append(level)
    return levels


def _draw_axis(axes: Axes, n_models: int, place: Callable[[float], float]) -> None:
    axes.plot([place(1), place(n_models)], [AXIS, AXIS], color=MUTED, linewidth=0.9)
    step = ceil(TICK_STEP / (place(2) - place(1)))
    for rank in range(1, n_models + 1, step):
        axes.plot([place(rank)] * 2, [AXIS - 0.05, AXIS], color=MUTED, linewidth=0.9)
        axes.text(place(rank), AXIS - 0.1, f"{rank}", ha="center", va="bottom", color=MUTED)
    axes.text(
        place(1) - 0.15, AXIS - 0.02, "average rank", ha="right", va="bottom", color=MUTED, size=8
    )
