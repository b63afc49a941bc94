"""ROC, precision-recall and calibration curves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter

from seqbench.config.registry import FIGURES
from seqbench.datasets.base import counted
from seqbench.reporting.evidence.calibration import Calibrated, Calibration
from seqbench.reporting.evidence.classification import ClassificationEvidence, Curves
from seqbench.reporting.evidence.material import Material
from seqbench.reporting.figures.panels import DOTTED, empty, grid, legend, short
from seqbench.reporting.figures.plot import Numbers, Plot
from seqbench.reporting.figures.style import HAIRLINE, LEGIBLE, MUTED
from seqbench.reporting.scores.formats import score
from seqbench.reporting.scores.metrics import metric_label

MANY_CLASSES = 8
LINE_INCHES = 0.17  # of the legend
PERFECT = 0.9995  # is written as 1.000
LEAST_IN_BIN, LEAST_BINS = 5, 3  # predictions of a run whose fraction is no chance, and such bins
ONE_CLASS = "Test holds a single class."
NO_PROBABILITIES = "The model predicts no probabilities."


@FIGURES.register(
    "roc", title="ROC and precision-recall curves", tasks=("classification",), order=21,
    block="scores",
)  # fmt: skip
def roc(material: Material) -> Plot:
    """Each class against the rest on test, means over runs at equal levels.

    Colour: the model selected on val (pale: one class; bold: mean over classes). Grey: the best
    baseline. Two classes have one curve. Dotted: chance. AUROC and average precision (AP) are
    exact.
    """
    shown = [one for one in material.of(ClassificationEvidence).curves if one.classes]
    if not shown:
        figure, _ = grid(0, 1, height=0.5)
        return empty(figure, Numbers(), ONE_CLASS)
    top = 0.35 + LINE_INCHES * len(shown)
    figure, (left, right) = grid(2, 2, height=2.75, top=top, gap=(0.65, 0.45))
    numbers = Numbers()
    for one in reversed(shown):  # the selected model on top
        _draw(left, one, "roc", material.colour(one.row), numbers)
        _draw(right, one, "pr", material.colour(one.row), numbers)
    left.plot([0, 1], [0, 1], zorder=0, **DOTTED)
    right.axhline(float(shown[0].share.mean()), zorder=0, **DOTTED)
    left.set(title="ROC", xlabel="false positive rate", ylabel="true positive rate")
    right.set(title="Precision-recall", xlabel="recall", ylabel="precision")
    for axes in (left, right):
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.03))
        axes.grid()
    looks = [(_label(one), {"color": material.colour(one.row), "linewidth": 1.8}) for one in shown]
    place = {"loc": "upper left", "bbox_to_anchor": (0.07, 1)}
    legend(figure, looks, **place, handlelength=1.6, labelspacing=0.25)
    areas = [
        f"{one.row.name}: AUROC {score(one.auroc.mean())}, average precision"
        f" {score(one.average_precision.mean())}"
        for one in shown
    ]
    return numbers.plot(figure, f"{'; '.join(areas)}.", left_out=_all_perfect(shown))


def _all_perfect(shown: Sequence[Curves]) -> str:
    """Return why curves that run along the edges of their panels are not worth a look."""
    if any(one.auroc.mean() < PERFECT for one in shown):
        return ""
    return f"AUROC is {score(1.0)} for {' and '.join(one.row.name for one in shown)}."


def _draw(axes: Axes, one: Curves, curve: str, colour: str, numbers: Numbers) -> None:
    of_classes, areas = one.precision, one.average_precision
    if curve == "roc":
        of_classes, areas = one.hits, one.auroc
    shared = {"model": one.row.name, "curve": curve}
    if len(one.classes) > 1 and not one.row.is_baseline:
        alpha = 0.35 if len(one.classes) <= MANY_CLASSES else 0.2
        for name, of_class, area in zip(one.classes, of_classes, areas, strict=True):
            [line] = axes.plot(one.levels, of_class, color=colour, alpha=alpha, linewidth=0.8)
            numbers.add(**shared, of=name, x=one.levels, y=of_class, area=area)
            numbers.mark(line, keys=[_label(one)])
    mean = of_classes.mean(axis=0)
    of = "mean of classes" if len(one.classes) > 1 else one.classes[0]
    rows = numbers.add(**shared, of=of, x=one.levels, y=mean, area=areas.mean())
    [line] = axes.plot(one.levels, mean, color=colour, linewidth=1.8)
    axis = (
        ("recall", "precision") if curve == "pr" else ("false positive rate", "true positive rate")
    )
    shown = dict(zip(("x", "y"), axis, strict=True))
    numbers.mark(line, rows, shown, name=f"{one.row.name}, {of}", keys=[_label(one)])


def _label(one: Curves) -> str:
    """Return the name of a model with its areas, and its weakest class where there are several."""
    areas = f"AUROC {score(one.auroc.mean())}, AP {score(one.average_precision.mean())}"
    label = f"{short(one.row.name, 34)}: {areas}"
    if one.row.is_baseline:
        return label
    if len(one.classes) == 1:
        return f"{label}, class {short(one.classes[0], 16)}"
    weakest = int(one.average_precision.argmin())
    least = score(float(one.average_precision[weakest]))
    return f"{label}; lowest AP {least}: {short(one.classes[weakest], 16)}"


@FIGURES.register(
    "calibration", title="Calibration curve", tasks=("classification", "detection"), order=25,
    block="scores",
)  # fmt: skip
def calibration(material: Material) -> Plot:
    """Left: fraction of correct predictions against their predicted probability, in 15 bins.

    Predictions are classes of test windows, or in detection candidate events. Bold: the model
    selected on val over all runs; pale: each run. On the diagonal, probabilities are calibrated;
    ECE is the mean distance from it. Right: number of predictions in each bin, and how many of them
    are correct.
    """
    found = material.of(Calibrated).calibration
    figure, (diagram, counts) = grid(2, 2, height=2.6, top=0.35, gap=(0.75, 0.45))
    numbers = Numbers()
    diagram.plot([0, 1], [0, 1], **DOTTED)
    for axes in (diagram, counts):
        axes.set(xlim=(-0.02, 1.02), xlabel="predicted probability")
        axes.grid(axis="y")
    diagram.set(ylim=(-0.02, 1.02), ylabel="fraction correct")
    if found is None or not found.count.any():
        return empty(figure, numbers, NO_PROBABILITIES)
    colour = material.colour(found.row)
    _draw_calibration(diagram, found, colour, numbers)
    _draw_counts(counts, found, colour)
    error = found.row.metrics.get(found.error)
    mean = f"{found.row.name}: ECE {score(error.mean)}." if error else ""
    return numbers.plot(figure, mean, left_out=_too_few(found))


def _too_few(found: Calibration) -> str:
    """Return why fractions of a few predictions, or of a single bin, are not worth a look."""
    _, _, count = found.pooled
    n, n_full = round(float(count.sum())), int((count >= LEAST_IN_BIN).sum())
    if n_full >= LEAST_BINS:
        return ""
    return (
        f"Of {len(count)} bins, {n_full} {'has' if n_full == 1 else 'have'} {LEAST_IN_BIN} or more"
        f" of the {counted(n, found.of)} of a run."
    )


def _draw_calibration(axes: Axes, found: Calibration, colour: str, numbers: Numbers) -> None:
    bins = np.arange(1, found.count.shape[1] + 1)
    of_runs = zip(found.row.results, found.score, found.true, found.count, strict=True)
    for result, mean, true, n in of_runs:
        axes.plot(mean, true, color=colour, alpha=0.3, linewidth=0.8)
        run = {"dataset": result.run.dataset, "seed": result.run.seed}
        numbers.add(shows="run", **run, bin=bins, score=mean, true=true, n=n)
    mean, true, n = found.pooled
    [line] = axes.plot(mean, true, color=colour, marker="o", markersize=4, linewidth=1.4)
    rows = numbers.add(shows="all runs", bin=bins, score=mean, true=true, n=n)
    shown = {"score": "mean predicted probability", "true": "fraction correct"}
    numbers.mark(line, rows, shown | {"n": f"{found.of}s per run"}, name="all runs")
    axes.set_title(short(found.row.name, 30))
    error = found.row.metrics.get(found.error)
    if error is not None and error.mean is not None:
        spread = "" if error.sd is None else f" ± {score(error.sd)}"
        axes.annotate(
            f"{metric_label(found.error)} {score(error.mean)}{spread}", (0.03, 0.93),
            xycoords="axes fraction", fontsize=8, color=MUTED, bbox=LEGIBLE,
        )  # fmt: skip


def _draw_counts(axes: Axes, found: Calibration, colour: str) -> None:
    _, fraction, count = found.pooled
    edges = np.linspace(0, 1, len(count) + 1)
    correct = np.where(count > 0, fraction, 0.0) * count
    axes.stairs(count, edges, fill=True, color=HAIRLINE)
    axes.stairs(correct, edges, fill=True, color=colour, alpha=0.6)
    axes.set(ylabel=f"{found.of}s per run", ylim=(0, 2 * count.max()))
    axes.set_yscale("symlog", linthresh=1)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    looks = [
        ("all", {"color": HAIRLINE, "linewidth": 5}),
        ("correct", {"color": colour, "alpha": 0.6, "linewidth": 5}),
    ]
    legend(axes.figure, looks, loc="upper right", ncols=2, handlelength=1)
