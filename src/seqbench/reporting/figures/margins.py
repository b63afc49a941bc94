"""The margin of the selected model of each dataset, as a forest plot."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from seqbench.config.registry import FIGURES
from seqbench.reporting.evidence.margins import Margin, Margins
from seqbench.reporting.figures.panels import empty, grid, short
from seqbench.reporting.figures.plot import Numbers, Plot
from seqbench.reporting.figures.style import CHARACTER_INCHES, INK, MUTED
from seqbench.reporting.scores.formats import signed_interval, signed_score
from seqbench.reporting.scores.metrics import metric_label

ROW_INCHES, N_NAME, N_METHOD = 0.32, 22, 20
WIDEST = 1.0  # of the axis on either side: a skill of -5 would press all others together
NEAREST = 0.05  # and at least
WHY_NOT = {"floor": "against the floor alone", "leak": "test or val leaks into train"}


@FIGURES.register("margins", title="Margins over the best baseline", margins=True, order=10)
def margins(found: Margins) -> Plot:
    """Score on test of the model selected on val less that of the best baseline, by dataset.

    Lines are 95 % intervals. Hollow: no baseline but the floor, or a leak. Arrow: beyond the axis.
    """
    numbers = Numbers()
    if not found.rows:  # values are missing that the plan promised
        figure, _ = grid(0, 1, height=0.5, top=0.2, bottom=0.1)
        return empty(figure, numbers, "No dataset has a score of a model and of a baseline.")
    rows = found.rows[::-1]  # the first on top
    pairs = [_pair(row) for row in rows]
    names = [short(row.dataset, N_NAME) for row in rows]
    figure, (axes,) = grid(
        1, 1, height=ROW_INCHES * len(rows) + 0.1, top=0.08, bottom=0.45,
        left=0.3 + CHARACTER_INCHES * max(map(len, names)),
        right=0.2 + CHARACTER_INCHES * max(map(len, pairs)),
    )  # fmt: skip
    axes.set_xlim(*_limits(found))
    axes.axvline(0, color=INK, linewidth=0.9, zorder=1)
    dots = []
    for height, (row, pair) in enumerate(zip(rows, pairs, strict=True)):
        dots.append(_draw(axes, row, height, found.colours[row.model.architecture]))
        axes.text(
            1.02, height, pair, transform=axes.get_yaxis_transform(), va="center", fontsize=7.5,
            color=MUTED,
        )  # fmt: skip
    for row, dot in zip(found.rows, dots[::-1], strict=True):
        low, high = row.lead.interval or (None, None)
        added = numbers.add(
            dataset=row.dataset, metric=row.headline, architecture=row.model.architecture,
            arm=row.model.arm, baseline=row.baseline.architecture, margin=row.lead.mean, low=low,
            high=high, counts=not row.caveat,
        )  # fmt: skip
        shown = {"margin": "margin", "low": "from", "high": "to"}
        numbers.mark(dot, added, shown, name=f"{row.dataset}, {metric_label(row.headline)}")
    axes.set_yticks(range(len(rows)), names)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    axes.set_xlabel("margin on test, selected model less best baseline")
    return numbers.plot(figure, " ".join(map(_sentence, found.rows)))


def _limits(found: Margins) -> tuple[float, float]:
    """Return the ends of the axis: those of the intervals that count, unless they are extremes."""
    leads = found.counted or [row.lead for row in found.rows]
    ends = [end for lead in leads for end in (lead.mean, *(lead.interval or ()))]
    low, high = max(min(ends), -WIDEST), min(max(ends), WIDEST)
    room = 0.06 * max(high - low, NEAREST)
    return min(low, -NEAREST) - room, max(high, NEAREST) + room


def _draw(axes: Axes, row: Margin, height: int, colour: str) -> Line2D:
    """Draw the interval and the mean of a margin, and return the latter."""
    low, high = axes.get_xlim()
    if row.lead.interval is not None:
        interval = np.clip(row.lead.interval, low, high)
        axes.plot(interval, [height] * 2, color=colour, linewidth=1.6, zorder=2)
    inside = min(max(row.lead.mean, low), high)
    marker = "o" if inside == row.lead.mean else "<" if inside == low else ">"
    [dot] = axes.plot(
        [inside], [height], marker, markersize=6.5, markeredgecolor=colour, clip_on=False,
        markerfacecolor="white" if row.caveat else colour, markeredgewidth=1.4, zorder=3,
    )  # fmt: skip
    return dot


def _pair(row: Margin) -> str:
    """Return both names; the arm of the model stands in the table."""
    names = (short(one.architecture, N_METHOD) for one in (row.model, row.baseline))
    return " vs. ".join(names)


def _sentence(row: Margin) -> str:
    interval = f" (95 % {signed_interval(row.lead.interval)})" if row.lead.interval else ""
    why = f", {WHY_NOT[row.caveat]}" if row.caveat else ""
    return (
        f"{row.dataset}, {metric_label(row.headline)}: {row.model.name} less"
        f" {row.baseline.architecture} {signed_score(row.lead.mean)}{interval}{why}."
    )
