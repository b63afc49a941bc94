"""Figures of searches of options: what a budget buys, and which options matter."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import ceil
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from numpy.typing import NDArray

from seqbench.config.registry import FIGURES
from seqbench.reporting.evidence.material import BASELINE_COLOUR, Material
from seqbench.reporting.figures.cost import DURATIONS, LEAST_SPAN, set_ticks
from seqbench.reporting.figures.panels import choice, empty, grid, legend, short, spread
from seqbench.reporting.figures.plot import Numbers, Plot
from seqbench.reporting.figures.style import INK, LINE_STYLES, MUTED, WIDTH_INCHES
from seqbench.reporting.scores.formats import metric_value, score
from seqbench.reporting.scores.metrics import metric_label
from seqbench.reporting.scores.searches import (
    BudgetCurve,
    Effect,
    ModelEffects,
    budget_curves,
    option_effects,
)

N_COLUMNS = 4
N_NAME, N_VALUE = 24, 9  # letters of a model, and of a value
N_BEHIND = 4  # of the way from the best model to the median one, on the axis of scores
N_TICKS = 5  # of values that are listed
SHOWN = {"trial": "trial", "value": "", "score_on_val": "on val", "is_chosen": "chosen"}
N_TENS = 3  # of powers of ten beside a 0
RHO = "\N{GREEK SMALL LETTER RHO}"
LEGEND_ROW, LEGEND_WIDTH = 0.19, 1.85  # inches
NO_TREND = "no trend"


@FIGURES.register(
    "search_budget", title="Score on val against budget", needs="searches", block="search", order=35
)
def search_budget(material: Material) -> Plot:
    """Best score on val after each number of trials, and against their processor time.

    Lines are means over all orders in which a model's trials could be run; pale steps show the
    order in which they were. A failed trial counts as one with the lowest score. A search by
    halving is steps with a dot for each trial that had all its epochs: those before, with a part
    of them, count as that part and with all their time, and as the last trials were selected,
    there is no mean over orders. Of folds, scores are means and times are sums. Grey: baselines. A
    line that comes from below the axis begins with worse scores.
    """
    curves = budget_curves(material.searches)
    names = [short(one.architecture, N_NAME) for one in curves]
    n_columns = max(1, int(WIDTH_INCHES / LEGEND_WIDTH))
    rows = LEGEND_ROW * ceil(len(names) / n_columns)
    figure, panels = grid(2, 2, height=2.3, top=0.15, bottom=0.6 + rows, gap=(0.25, 0.45))
    numbers = Numbers()
    if not curves:
        return empty(figure, numbers, "No trial has a score.")
    looks = _looks(material, curves)
    for one, look in zip(curves, looks, strict=True):
        _draw_budget(panels, one, look, numbers)
    metric = material.searches[0].untuned.headline
    low, high = _score_limits(curves)
    for axes in panels:
        axes.grid(axis="y")
        axes.set_ylim(low, high)
    below = [one for one in curves if one.best[-1] < low]
    shown = [one for one in curves if one not in below]
    if below:
        words = [f"{short(o.architecture, 16)} {metric_value(o.best[-1], metric)}" for o in below]
        panels[0].annotate(
            f"below: {', '.join(words)}", (0.02, 0.02), xycoords="axes fraction", fontsize=7,
            color=MUTED,
        )  # fmt: skip
    panels[1].tick_params(labelleft=False)
    panels[0].set(xlabel="trials", ylabel=f"best {metric_label(metric)} on val")
    panels[0].xaxis.set_major_locator(MaxNLocator(6, integer=True))
    panels[0].set_xlim(left=0)  # the trials before the first score of a search by halving show
    panels[1].set_xlabel("processor time of trials")
    costs = [float(cost) for one in shown for cost in one.cpu_s if cost > 0]
    if costs:
        set_ticks(panels[1], costs, DURATIONS, room=0.05)
    legend(
        figure, zip(names, looks, strict=True), loc="lower center", ncols=n_columns,
        handlelength=2.4, columnspacing=1.2, labelspacing=0.3, borderaxespad=0.2,
    )  # fmt: skip
    found = [f"{one.architecture} {metric_value(one.best[-1], metric)}" for one in curves]
    return numbers.plot(
        figure, f"{metric_label(metric)} on val after all trials: {', '.join(found)}."
    )


@FIGURES.register(
    "search_effects", title="Which options matter", needs="search_effects", block="search",
    order=36,
)  # fmt: skip
def search_effects(material: Material) -> Plot:
    """Score on val of each trial against each option that was searched, by model.

    The diamond is the chosen trial, the ring the options as configured; failed trials are left
    out. Beside the name: Spearman's rank correlation where it differs from 0 beyond chance, else
    "no trend" (permutation test at 5 %, adjusted by Holm for the options of the model). It sees
    rises and falls alone: an option with a best value in the middle matters and may have no trend.
    Trials differ in all options at once. Of a search by halving, scores are those of the first
    rung, which every trial reaches, with a part of the epochs. Of folds, scores are means, and each
    has its diamond.
    """
    models = option_effects(material.searches)
    rows = [(one, part) for one in models for part in _in_rows(one.effects)]
    figure, panels = grid(
        N_COLUMNS * len(rows), N_COLUMNS, height=1.0, left=0.75, top=0.3, bottom=0.3,
        gap=(0.18, 0.55),
    )  # fmt: skip
    numbers = Numbers()
    if not rows:
        return empty(figure, numbers, "No model has four trials with a score.")
    metric = material.searches[0].untuned.headline
    trends = []
    for number, (model, effects) in enumerate(rows):
        own = panels[N_COLUMNS * number : N_COLUMNS * (number + 1)]
        own[0].set_ylabel(f"{short(model.architecture, 16)}\n{metric_label(metric)}")
        for axes, effect in zip(own, effects, strict=False):
            _draw_effect(axes, model, effect, _colour(material, model.architecture), numbers)
            axes.tick_params(labelleft=axes is own[0])
            if effect.is_clear:
                rho = score(effect.rank_correlation)
                trends.append(f"{model.architecture} {effect.option} {rho}")
        for axes in own[len(effects) :]:
            axes.set_visible(False)
    shown = f"Rank correlation with {metric_label(metric)} on val: {', '.join(trends)}."
    return numbers.plot(figure, shown if trends else "No option has a clear trend.")


def _draw_budget(
    panels: Sequence[Axes], one: BudgetCurve, look: dict[str, Any], numbers: Numbers
) -> None:
    shown = {"n_trials": "trials", "cpu_s": "processor time", "score_on_val": "on val"}
    keys = [short(one.architecture, N_NAME)]
    steps = {"drawstyle": "steps-post"}
    if one.expected is None:
        dotted = look | steps | {"marker": "o", "markersize": 3}
        courses = [("as run", one.best, one.cpu_s, dotted)]
    else:
        courses = [
            ("any order", one.expected, one.expected_cpu_s, look),
            ("as run", one.best, one.cpu_s, _pale(look) | steps),
        ]
    for shows, scores, cpu_s, of_line in courses:
        rows = numbers.add(
            architecture=one.architecture, shows=shows, n_trials=one.n_trials, cpu_s=cpu_s,
            score_on_val=scores,
        )  # fmt: skip
        lines = panels[0].plot(one.n_trials, scores, **of_line)
        if cpu_s[-1] > 0:
            # On an axis of logarithms there is no place for trials that took no time.
            lines += panels[1].plot(cpu_s, np.where(cpu_s > 0, scores, np.nan), **of_line)
        for line in lines:
            numbers.mark(line, rows, shown, name=f"{one.architecture}, {shows}", keys=keys)


def _draw_effect(
    axes: Axes, model: ModelEffects, effect: Effect, colour: str, numbers: Numbers
) -> None:
    places, ticks = _places(effect)
    is_chosen = np.isin(model.trials, list(model.chosen))
    is_configured = np.asarray(model.trials) == 0
    scores = np.asarray(model.scores)
    rows = numbers.add(
        architecture=model.architecture, option=effect.option,
        trial=np.asarray(model.trials), value=[_text(value) for value in effect.values],
        score_on_val=scores, is_chosen=is_chosen, rank_correlation=effect.rank_correlation,
        adjusted_p=effect.adjusted_p,
    )  # fmt: skip
    for kind, look in (
        (~is_chosen & ~is_configured, {"marker": "o", "color": colour, "alpha": 0.55}),
        (~is_chosen & is_configured, {"marker": "o", "facecolor": "white", "edgecolor": colour}),
        (is_chosen, {"marker": "D", "color": colour, "edgecolor": INK, "zorder": 3}),
    ):
        dots = axes.scatter(places[kind], scores[kind], s=16, linewidth=0.9, **look)
        of_kind = [rows[i] for i in np.flatnonzero(kind)]
        numbers.mark(dots, of_kind, SHOWN | {"value": effect.option}, name=model.architecture)
    if ticks is None:
        _scale(axes, places, is_log=effect.is_log)
    else:
        shown = spread(len(ticks), N_TICKS)
        axes.set_xticks(shown, [short(ticks[i], N_VALUE) for i in shown])
        axes.set_xlim(-0.5, len(ticks) - 0.5)
    margin = 0.12 * max(np.ptp(scores), 1e-3)
    axes.set_ylim(scores.min() - margin, scores.max() + margin)
    axes.yaxis.set_major_locator(MaxNLocator(3))
    axes.grid(axis="y")
    axes.tick_params(labelsize=7)
    axes.set_title(short(effect.option, 16), fontsize=8)
    trend = f"{RHO} {score(effect.rank_correlation)}" if effect.is_clear else NO_TREND
    if effect.rank_correlation is not None:
        axes.annotate(
            trend, (1, 1.03), xycoords="axes fraction", ha="right", va="bottom", fontsize=6.5,
            color=INK if effect.is_clear else MUTED,
        )  # fmt: skip


def _places(effect: Effect) -> tuple[NDArray[np.float64], list[str] | None]:
    """Return where on the axis the values of an option stand, and the names of places.

    Values of a list stand side by side in their order, those of a range where the number is.
    """
    if effect.is_range:
        return np.asarray(effect.values, dtype=float), None
    try:
        ordered = sorted(effect.values)
    except TypeError:  # lists of unlike things have no order
        ordered = sorted(effect.values, key=_text)
    names = list(dict.fromkeys(map(_text, ordered)))
    return np.array([names.index(_text(value)) for value in effect.values], float), names


def _scale(axes: Axes, values: NDArray[np.float64], *, is_log: bool) -> None:
    """Scale the axis of a range; logarithms have ticks at 1 and, where there is room, at 3.

    Options as configured may be 0, which has a place of its own, left of all others.
    """
    if is_log and values.min() <= 0 < values.max():
        low, high = np.log10([values[values > 0].min(), values.max()])
        axes.set_xscale("symlog", linthresh=10**low, linscale=0.5)
        tens = 10.0 ** np.arange(np.ceil(low), np.floor(high) + 1)
        axes.set_xticks([0, *tens[:: ceil(len(tens) / N_TENS)]])
        axes.set_xticks([], minor=True)
    elif is_log:
        axes.set_xscale("log")
        is_wide = values.max() > 100 * values.min()
        axes.xaxis.set_major_locator(LogLocator(subs=(1,) if is_wide else (1, 3)))
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _score_limits(curves: Sequence[BudgetCurve]) -> tuple[float, float]:
    """Return the range of the best scores so far, but of what lies far below most models.

    A floor, or bad first trials, would press together the models that a reader compares.
    """
    scores = np.concatenate([one.best for one in curves])
    high = float(np.nanmax(scores))
    behind = high - float(np.median([one.best[-1] for one in curves]))
    low = max(float(np.nanmin(scores)), high - max(N_BEHIND * behind, LEAST_SPAN))
    margin = max(0.08 * (high - low), 5e-3)
    return low - margin, high + margin


def _looks(material: Material, curves: Sequence[BudgetCurve]) -> list[dict[str, Any]]:
    """Return the line of each model: networks in their colours, baselines by their style."""
    baselines = [o.architecture for o in curves if o.architecture not in material.colours]
    return [
        {
            "color": _colour(material, one.architecture),
            "linestyle": choice(LINE_STYLES, baselines, one.architecture)
            if one.architecture in baselines
            else "-",
            "linewidth": 1.4,
        }
        for one in curves
    ]


def _pale(look: dict[str, Any]) -> dict[str, Any]:
    return look | {"alpha": 0.35, "linewidth": 0.9}


def _colour(material: Material, architecture: str) -> str:
    return material.colours.get(architecture, BASELINE_COLOUR)


def _in_rows(effects: Sequence[Effect]) -> list[list[Effect]]:
    return [list(effects[i : i + N_COLUMNS]) for i in range(0, len(effects), N_COLUMNS)]


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value).strip("[]")
