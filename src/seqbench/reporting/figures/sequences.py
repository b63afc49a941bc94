"""Figures of tasks that answer with values: what was told, what came, and how it wears off."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from seqbench.reporting.figures.panels import grid, short, spread
from seqbench.reporting.figures.plot import Numbers, Plot
from seqbench.reporting.figures.style import INK, LINE_STYLES, MARKERS, MUTED
from seqbench.reporting.material import BASELINE_COLOUR, Answers, Material
from seqbench.reporting.tables import Row

N_WINDOWS = 4  # of test that are drawn
PAST_SHARE = 1.5  # samples of the past that are drawn for each of the horizon, and no fewer than
LEAST_PAST = 24


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
    """Draw the root mean square error of each model against how far ahead it tells."""
    figure, panels = grid(1, 1, height=2.2)
    numbers = Numbers()
    for index, one in enumerate(material.answers):
        answered = one.sequences
        steps = np.arange(1, answered.ahead.max() + 1)
        errors = answered.target - answered.answer
        squared = (errors.reshape(len(errors), -1) ** 2).mean(axis=1)
        n = np.bincount(answered.ahead)[1:]
        rmse = np.sqrt(np.bincount(answered.ahead, squared)[1:] / n)
        panels[0].plot(
            steps, rmse, label=short(one.row.name, 30), marker=MARKERS[index], markersize=3.5,
            **_look(one.row, material),
        )  # fmt: skip
        numbers.add(model=one.row.name, samples_ahead=steps, rmse=rmse)
    panels[0].set_ylim(bottom=0)
    panels[0].grid(axis="y")
    panels[0].set_xlabel("samples ahead")
    panels[0].set_ylabel("RMSE on test")
    figure.legend(loc="upper right", ncols=3, handlelength=2.4)
    return Plot(figure, numbers.table)


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
