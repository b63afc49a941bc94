"""Figures of tasks that answer with values: what was told, what came, and how it wears off."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from seqbench.reporting.evidence.material import BASELINE_COLOUR, Answers, Material
from seqbench.reporting.figures.panels import grid, short, spread
from seqbench.reporting.figures.plot import Numbers, Plot
from seqbench.reporting.figures.style import INK, LEGIBLE, LINE_STYLES, MARKERS, MUTED
from seqbench.reporting.scores.catalog import metric_label
from seqbench.reporting.scores.formats import score
from seqbench.reporting.scores.leaderboards import Row
from seqbench.storage.sequences import Sequences

N_WINDOWS = 4  # of test that are drawn
PAST_SHARE = 1.5  # samples of the past that are drawn for each of the horizon, and no fewer than
LEAST_PAST = 24
LEAST_SKILL = -2.0  # what is worse than that leaves the axis
N_DOTS = 600  # answers of a model that are drawn as dots


def answers(material: Material) -> Plot:
    """Draw test windows evenly spread: past or signal, truth, and what models said of it."""
    shown = material.answers
    targets = material.test.told
    numbers = Numbers()
    if targets.horizon_samples == 1:
        figure, panels = grid(1, 1, height=2.4)
        _draw_one_step(panels[0], shown, material, numbers)
    else:
        chosen = spread(len(material.test), N_WINDOWS)
        n_columns = min(2, len(chosen))
        figure, panels = grid(len(chosen), n_columns, height=1.5 if n_columns > 1 else 2.4)
        for axes, window in zip(panels, chosen, strict=True):
            draw = _draw_window if targets.horizon_samples == 0 else _draw_horizon
            draw(axes, shown, material, window, numbers)
    name = short(targets.names[0], 20)
    handles = [Line2D([], [], color=INK, linewidth=1.2, label=f"true {name}")]
    handles += [
        Line2D([], [], label=short(one.row.name, 30), **_look(one.row, material)) for one in shown
    ]
    figure.legend(handles=handles, loc="upper right", ncols=len(handles), handlelength=2.4)
    unit = f", {targets.units[0]}" if targets.units[0] else ""
    figure.supylabel(f"{short(targets.names[0], 30)}{unit}", fontsize=8.5, color=MUTED)
    figure.supxlabel("samples", fontsize=8.5, color=MUTED)
    return Plot(figure, numbers.table)


def horizon(material: Material) -> Plot:
    """Draw error, and skill over persistence, of each model against how far ahead it tells."""
    figure, (errors, skills) = grid(2, 2, height=2.3, top=0.4, gap=(0.75, 0.45))
    numbers = Numbers()
    for index, one in enumerate(material.answers):
        steps = np.arange(1, one.sequences.ahead.max() + 1)
        squared = squared_by_step(one.sequences, one.sequences.answer)
        rmse, skill = np.sqrt(squared), np.full(len(steps), np.nan)
        if one.sequences.reference is not None:
            of_last = squared_by_step(one.sequences, one.sequences.reference)
            skill = 1 - np.divide(squared, of_last, out=skill, where=of_last > 0)
        look = _look(one.row, material) | {"marker": MARKERS[index], "markersize": 3.5}
        errors.plot(steps, rmse, label=short(one.row.name, 30), **look)
        skills.plot(steps, skill, **look)
        numbers.add(
            architecture=one.row.architecture, arm=one.row.arm, seed=one.result.run.seed,
            samples_ahead=steps, rmse=rmse, skill=skill,
        )  # fmt: skip
    errors.set_ylim(bottom=0)
    skills.axhline(0, color=BASELINE_COLOUR, linestyle=(0, (1, 2)), linewidth=1, zorder=0)
    low, high = skills.get_ylim()
    skills.set_ylim(max(low, LEAST_SKILL), max(high, 0.05))
    for axes, name in ((errors, "RMSE on test"), (skills, "skill over persistence")):
        axes.grid(axis="y")
        axes.set_xlabel("samples ahead")
        axes.set_ylabel(name)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    figure.legend(loc="upper right", ncols=3, handlelength=2.4)
    return Plot(figure, numbers.table)


def squared_by_step(sequences: Sequences, answer: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean squared error of answers, (S, D), for each step ahead, (H,)."""
    errors = (sequences.target - answer).reshape(len(answer), -1)
    squared = np.bincount(sequences.ahead, (errors**2).mean(axis=1))[1:]
    return squared / np.bincount(sequences.ahead)[1:]


def agreement(material: Material) -> Plot:
    """Draw what models told against the truth, all of test or an even share of it."""
    shown = material.answers
    targets = material.test.told
    figure, panels = grid(len(shown), 2, height=3.0, top=0.35, gap=(0.55, 0.45))
    numbers = Numbers()
    values = np.concatenate([one.sequences.target[:, 0] for one in shown])
    told = np.concatenate([one.sequences.answer[:, 0] for one in shown])
    limits = _limits(values, told)
    for axes, one in zip(panels, shown, strict=True):
        at = spread(len(one.sequences.target), N_DOTS)
        true, answer = one.sequences.target[at, 0], one.sequences.answer[at, 0]
        axes.plot(limits, limits, color=INK, linestyle=(0, (1, 2)), linewidth=1)
        axes.scatter(
            true, np.clip(answer, *limits), s=7, color=material.colour(one.row), linewidth=0,
            alpha=0.6 if len(at) < 300 else 0.3,
        )  # fmt: skip
        numbers.add(
            architecture=one.row.architecture, arm=one.row.arm, seed=one.result.run.seed,
            true=true, told=answer,
        )  # fmt: skip
        axes.set(xlim=limits, ylim=limits, aspect="equal", anchor="W")
        axes.set_title(short(one.row.name, 36))
        axes.grid()
        for way in (axes.xaxis, axes.yaxis):
            way.set_major_locator(MaxNLocator(5))
        r2 = one.result.value("r2")
        axes.annotate(
            f"{metric_label('r2')} {score(r2)}, seed {one.result.run.seed}", (0.04, 0.93),
            xycoords="axes fraction", fontsize=8, color=MUTED, bbox=LEGIBLE,
        )  # fmt: skip
    unit = f", {targets.units[0]}" if targets.units[0] else ""
    figure.supxlabel(f"true {short(targets.names[0], 30)}{unit}", fontsize=8.5, color=MUTED)
    panels[0].set_ylabel("told")
    return Plot(figure, numbers.table)


def _limits(true: NDArray[np.float64], told: NDArray[np.float64]) -> tuple[float, float]:
    """Return the range of the truth and of most answers, so that a stray one hides nothing."""
    low, high = np.percentile(told, [0.5, 99.5])
    low, high = min(low, true.min()), max(high, true.max())
    margin = 0.04 * (high - low) or 1.0
    return float(low - margin), float(high + margin)


def _look(row: Row, material: Material) -> dict[str, Any]:
    if row.is_baseline:
        return {"color": BASELINE_COLOUR, "linestyle": LINE_STYLES[1], "linewidth": 1.1}
    return {"color": material.colour(row), "linewidth": 1.3}


def _draw_one_step(axes: Axes, shown: list[Answers], material: Material, numbers: Numbers) -> None:
    """Draw forecasts one sample ahead as one line along the test period."""
    first = shown[0].sequences
    origin = (first.start + material.test.length)[first.sequence]
    is_of_first = np.array(first.recording)[first.sequence] == first.recording[0]
    origin, truth = origin[is_of_first], first.target[is_of_first, 0]
    place = {"recording": first.recording[0], "window": 0}
    _draw_truth(axes, origin, truth)
    numbers.add(**place, shows="truth", sample=origin, value=truth)
    for one in shown:
        told = one.sequences.answer[is_of_first, 0]
        axes.plot(origin, told, **_look(one.row, material))
        numbers.add(**place, shows=one.row.name, sample=origin, value=told)


def _draw_horizon(
    axes: Axes, shown: list[Answers], material: Material, window: int, numbers: Numbers
) -> None:
    test, targets = material.test, material.test.told
    n_past = min(
        int(test.length[window]), max(LEAST_PAST, round(PAST_SHARE * targets.horizon_samples))
    )
    origin = int(test.start[window] + test.length[window])
    past = targets.values[origin - n_past : origin, 0]
    before = np.arange(-n_past, 0)
    place = {"recording": test.names[test.recording[window]], "window": window}
    axes.plot(before, past, color=MUTED, linewidth=0.9)
    numbers.add(**place, shows="known", sample=before, value=past)
    for one in shown:
        own = one.sequences.sequence == window
        ahead = one.sequences.ahead[own] - 1
        if one is shown[0]:
            truth = one.sequences.target[own, 0]
            _draw_truth(axes, ahead, truth)
            numbers.add(**place, shows="truth", sample=ahead, value=truth)
        told = one.sequences.answer[own, 0]
        axes.plot(ahead, told, **_look(one.row, material))
        numbers.add(**place, shows=one.row.name, sample=ahead, value=told)
    axes.axvline(-0.5, color=MUTED, linewidth=0.7, linestyle=":")
    axes.set_title(short(test.names[test.recording[window]], 30))


def _draw_window(
    axes: Axes, shown: list[Answers], material: Material, window: int, numbers: Numbers
) -> None:
    test = material.test
    signal = test.window(window)[:, 0]
    recording = {"recording": test.names[test.recording[window]], "window": window}
    axes.plot(signal, color=MUTED, linewidth=0.8, alpha=0.5)
    numbers.add(**recording, shows="signal", sample=np.arange(len(signal)), value=signal)
    for one in shown:
        own = one.sequences.sequence == window
        place = np.arange(int(own.sum()))
        if one is shown[0]:
            truth = one.sequences.target[own, 0]
            _draw_truth(axes, place, truth)
            numbers.add(**recording, shows="truth", sample=place, value=truth)
        told = one.sequences.answer[own, 0]
        axes.plot(place, told, **_look(one.row, material))
        numbers.add(**recording, shows=one.row.name, sample=place, value=told)
    axes.set_title(short(test.names[test.recording[window]], 30))


def _draw_truth(axes: Axes, x: NDArray[np.int64], y: NDArray[np.float64]) -> None:
    axes.plot(x, y, color=INK, linewidth=1.2, marker="." if len(x) < 60 else None, markersize=3)
