"""Figures of tasks that predict values: predicted and true, and errors over the horizon."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from seqbench.config.registry import FIGURES
from seqbench.reporting.evidence.material import BASELINE_COLOUR, Material
from seqbench.reporting.evidence.sequences import SequenceEvidence
from seqbench.reporting.figures.panels import DOTTED, grid, legend, short, spread
from seqbench.reporting.figures.plot import Numbers, Plot
from seqbench.reporting.figures.style import INK, LEGIBLE, LINE_STYLES, MARKERS, MUTED
from seqbench.reporting.scores.formats import score
from seqbench.reporting.scores.leaderboards import ModelScores
from seqbench.reporting.scores.metrics import metric_label
from seqbench.storage.sequences import Sequences
from seqbench.storage.targets import Targets

N_WINDOWS = 4  # of test that are drawn
PAST_SHARE = 1.5  # samples of the past that are drawn for each of the horizon, and no fewer than
LEAST_PAST = 24
LEAST_SKILL = -2.0  # what is worse than that leaves the axis
N_DOTS = 400  # predictions of a model that are drawn as dots


@FIGURES.register(
    "predictions", title="Predicted and true", tasks=("regression", "forecasting"),
    samples=("series", "tokens"), order=20, block="windows", leads=True,
)  # fmt: skip
def predictions(material: Material) -> Plot:
    """Test windows, evenly spread: truth, the model selected on val and the best baseline.

    The first value is shown. Pale: the input signal, or in forecasting the past. Forecasts one
    sample ahead are drawn as one line.
    """
    evidence = material.of(SequenceEvidence)
    shown, targets = evidence.predicted, evidence.test.required_targets
    numbers = Numbers()
    if targets.horizon_samples == 1:
        figure, panels = grid(1, 1, height=2.4)
        first = shown[0].sequences
        origin = (first.start + evidence.test.length)[first.sequence]
        own = np.array(first.recording)[first.sequence] == first.recording[0]
        place = {"recording": first.recording[0], "window": 0}
        _draw_lines(panels[0], material, place, origin[own], own, numbers)
    else:
        chosen = spread(len(evidence.test), N_WINDOWS)
        n_columns = min(2, len(chosen))
        figure, panels = grid(len(chosen), n_columns, height=1.5 if n_columns > 1 else 2.4)
        for axes, window in zip(panels, chosen, strict=True):
            _draw_window(axes, material, int(window), numbers)
    looks = [(_truth_name(targets), {"color": INK, "linewidth": 1.2})]
    looks += [(short(one.row.name, 30), _look(one.row, material)) for one in shown]
    legend(figure, looks, loc="upper right", ncols=len(looks), handlelength=2.4)
    figure.supylabel(_value_name(targets), fontsize=8.5, color=MUTED)
    figure.supxlabel("samples", fontsize=8.5, color=MUTED)
    return numbers.plot(figure, evidence.errors)


@FIGURES.register(
    "horizon", title="Error over the forecast horizon", tasks=("forecasting",), needs="horizon",
    order=22, block="scores",
)  # fmt: skip
def horizon(material: Material) -> Plot:
    """Left: root mean square error on test against the number of samples ahead.

    Right: skill, 1 minus the squared error over that of persistence, which repeats the last value;
    dotted: no better than persistence. Models: selected on val, and the best baseline.
    """
    evidence = material.of(SequenceEvidence)
    figure, (errors, skills) = grid(2, 2, height=2.3, top=0.4, gap=(0.75, 0.45))
    numbers = Numbers()
    for index, one in enumerate(evidence.predicted):
        steps = np.arange(1, one.sequences.ahead.max() + 1)
        squared = squared_by_step(one.sequences, one.sequences.prediction)
        rmse, skill = np.sqrt(squared), np.full(len(steps), np.nan)
        if one.sequences.reference is not None:
            of_last = squared_by_step(one.sequences, one.sequences.reference)
            skill = 1 - np.divide(squared, of_last, out=skill, where=of_last > 0)
        look = _look(one.row, material) | {"marker": MARKERS[index], "markersize": 3.5}
        label = short(one.row.name, 30)
        rows = numbers.add(
            architecture=one.row.architecture, arm=one.row.arm, seed=one.result.run.seed,
            samples_ahead=steps, rmse=rmse, skill=skill,
        )  # fmt: skip
        shown = {"samples_ahead": "samples ahead", "rmse": "RMSE", "skill": "skill"}
        for axes, values in ((errors, rmse), (skills, skill)):
            [line] = axes.plot(steps, values, label=label, **look)
            numbers.mark(line, rows, shown, name=one.row.name, keys=[label])
    errors.set_ylim(bottom=0)
    skills.axhline(0, **DOTTED, zorder=0)
    low, high = skills.get_ylim()
    skills.set_ylim(max(low, LEAST_SKILL), max(high, 0.05))
    for axes, name in ((errors, "RMSE on test"), (skills, "skill over persistence")):
        axes.grid(axis="y")
        axes.set(xlabel="samples ahead", ylabel=name)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    handles, names = errors.get_legend_handles_labels()
    figure.legend(handles, names, loc="upper right", ncols=3, handlelength=2.4)
    return numbers.plot(figure, evidence.errors)


def squared_by_step(sequences: Sequences, predicted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean squared error of predictions, (S, D), for each step ahead, (H,)."""
    errors = (sequences.target - predicted).reshape(len(predicted), -1)
    squared = np.bincount(sequences.ahead, (errors**2).mean(axis=1))[1:]
    return squared / np.bincount(sequences.ahead)[1:]


@FIGURES.register(
    "agreement", title="Predicted against true", tasks=("regression",), order=21, block="scores"
)
def agreement(material: Material) -> Plot:
    """Test samples, at most 400 evenly spread, of the first value.

    The model selected on val and the best baseline, each in its seed selected on val. Dotted: no
    error. Predictions far outside are drawn at the edge.
    """
    evidence = material.of(SequenceEvidence)
    shown, targets = evidence.predicted, evidence.test.required_targets
    figure, panels = grid(len(shown), 2, height=3.0, top=0.35, gap=(0.55, 0.45))
    numbers = Numbers()
    values = np.concatenate([one.sequences.target[:, 0] for one in shown])
    predicted = np.concatenate([one.sequences.prediction[:, 0] for one in shown])
    limits = _limits(values, predicted)
    for axes, one in zip(panels, shown, strict=True):
        at = spread(len(one.sequences.target), N_DOTS)
        true, predicted = one.sequences.target[at, 0], one.sequences.prediction[at, 0]
        axes.plot(limits, limits, **DOTTED | {"color": INK})
        dots = axes.scatter(
            true, np.clip(predicted, *limits), s=7, color=material.colour(one.row), linewidth=0,
            alpha=0.6 if len(at) < 300 else 0.3,
        )  # fmt: skip
        rows = numbers.add(
            architecture=one.row.architecture, arm=one.row.arm, seed=one.result.run.seed,
            true=true, predicted=predicted,
        )  # fmt: skip
        numbers.mark(dots, rows, {"true": "true", "predicted": "predicted"}, name=one.row.name)
        title = short(one.row.name, 36)
        axes.set(xlim=limits, ylim=limits, aspect="equal", anchor="W", title=title)
        axes.grid()
        for way in (axes.xaxis, axes.yaxis):
            way.set_major_locator(MaxNLocator(5))
        r2 = one.result.value("r2")
        axes.annotate(
            f"{metric_label('r2')} {score(r2)}, seed {one.result.run.seed}", (0.04, 0.93),
            xycoords="axes fraction", fontsize=8, color=MUTED, bbox=LEGIBLE,
        )  # fmt: skip
    figure.supxlabel(f"true {_value_name(targets)}", fontsize=8.5, color=MUTED)
    panels[0].set_ylabel("predicted")
    return numbers.plot(figure, evidence.errors)


def _limits(true: NDArray[np.float64], predicted: NDArray[np.float64]) -> tuple[float, float]:
    """Return the range of the truth and of most predictions, so that a stray one hides nothing."""
    low, high = np.percentile(predicted, [0.5, 99.5])
    low, high = min(low, true.min()), max(high, true.max())
    margin = 0.04 * (high - low) or 1.0
    return float(low - margin), float(high + margin)


def _look(row: ModelScores, material: Material) -> dict[str, Any]:
    if row.is_baseline:
        return {"color": BASELINE_COLOUR, "linestyle": LINE_STYLES[1], "linewidth": 1.1}
    return {"color": material.colour(row), "linewidth": 1.3}


def _truth_name(targets: Targets) -> str:
    """Return the entry of the legend for the truth."""
    return f"true {short(targets.names[0], 20)}"


def _value_name(targets: Targets) -> str:
    """Return the name of the first value, and its unit where it has one."""
    unit = f", {targets.units[0]}" if targets.units[0] else ""
    return f"{short(targets.names[0], 30)}{unit}"


def _draw_window(axes: Axes, material: Material, window: int, numbers: Numbers) -> None:
    """Draw a window with its forecast after it, or with a value for each of its samples."""
    evidence = material.of(SequenceEvidence)
    test, targets = evidence.test, evidence.test.required_targets
    place = {"recording": test.names[test.recording[window]], "window": window}
    sequences = evidence.predicted[0].sequences
    own = sequences.sequence == window
    if targets.horizon_samples == 0:
        signal, x = test.window(window)[:, 0], np.arange(own.sum())
        axes.plot(signal, color=MUTED, linewidth=0.8, alpha=0.5)
        numbers.add(**place, shows="signal", sample=np.arange(len(signal)), value=signal)
    else:
        n_past = max(LEAST_PAST, round(PAST_SHARE * targets.horizon_samples))
        before = np.arange(-min(int(test.length[window]), n_past), 0)
        past = targets.values[test.start[window] + test.length[window] + before][:, 0]
        x = sequences.ahead[own] - 1
        axes.plot(before, past, color=MUTED, linewidth=0.9)
        axes.axvline(-0.5, color=MUTED, linewidth=0.7, linestyle=":")
        numbers.add(**place, shows="past", sample=before, value=past)
    _draw_lines(axes, material, place, x, own, numbers)
    axes.set_title(short(place["recording"], 30))


def _draw_lines(
    axes: Axes,
    material: Material,
    place: dict[str, Any],
    x: NDArray[np.int64],
    own: NDArray[np.bool_],
    numbers: Numbers,
) -> None:
    """Draw the truth and the predictions of the samples `own` of all sequences at x."""
    predicted = material.of(SequenceEvidence).predicted
    truth = predicted[0].sequences.target[own, 0]
    marker = "." if len(x) < 60 else None
    [line] = axes.plot(x, truth, color=INK, linewidth=1.2, marker=marker, markersize=3)
    rows = numbers.add(**place, shows="truth", sample=x, value=truth)
    shown = {"sample": "sample", "value": "value"}
    key = _truth_name(material.of(SequenceEvidence).test.required_targets)
    numbers.mark(line, rows, shown, name="true", keys=[key])
    for one in predicted:
        values = one.sequences.prediction[own, 0]
        [line] = axes.plot(x, values, **_look(one.row, material))
        rows = numbers.add(**place, shows=one.row.name, sample=x, value=values)
        numbers.mark(line, rows, shown, name=one.row.name, keys=[short(one.row.name, 30)])
