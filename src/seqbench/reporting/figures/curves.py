"""ROC and precision-recall curves."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from seqbench.config.registry import FIGURES
from seqbench.reporting.evidence.classification import ClassificationEvidence, Curves
from seqbench.reporting.evidence.material import BASELINE_COLOUR, Material
from seqbench.reporting.figures.panels import grid, note, short
from seqbench.reporting.figures.plot import Numbers, Plot
from seqbench.reporting.scores.formats import score

CHANCE: dict[str, Any] = {"color": BASELINE_COLOUR, "linestyle": (0, (1, 2)), "linewidth": 1}
ONE_CLASS_ALPHA, MANY_CLASSES_ALPHA = 0.35, 0.2
MANY = 8
LINE_INCHES = 0.17  # of the legend


@FIGURES.register(
    "roc", title="ROC and precision-recall curves", tasks=("classification",), order=21
)
def roc(material: Material) -> Plot:
    """Each class against the rest on test, means over runs at equal levels.

    Colour: the model selected on val (pale: one class; bold: mean over classes). Grey: the best
    baseline. Two classes have one curve. Dotted: chance. AUROC and average precision (AP) are
    exact.
    """
    shown = [one for one in material.of(ClassificationEvidence).curves if one.classes]
    top = 0.35 + LINE_INCHES * len(shown)
    figure, (left, right) = grid(2, 2, height=2.75, top=top, gap=(0.65, 0.45))
    numbers = Numbers()
    if not shown:
        note(figure, "Test holds a single class.")
    for one in reversed(shown):  # the selected model on top
        _draw(left, one, one.hits, one.auroc, material, numbers, "roc")
        _draw(right, one, one.precision, one.average_precision, material, numbers, "pr")
    left.plot([0, 1], [0, 1], zorder=0, **CHANCE)
    if shown:
        right.axhline(float(shown[0].share.mean()), zorder=0, **CHANCE)
    for axes, title, x, y in (
        (left, "ROC", "false positive rate", "true positive rate"),
        (right, "Precision-recall", "recall", "precision"),
    ):
        axes.set_title(title)
        axes.set_xlabel(x)
        axes.set_ylabel(y)
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(-0.02, 1.03)
        axes.grid()
    figure.legend(
        handles=[
            Line2D([], [], color=material.colour(one.row), linewidth=1.8, label=_label(one))
            for one in shown
        ],
        loc="upper left",
        bbox_to_anchor=(0.07, 1),
        handlelength=1.6,
        labelspacing=0.25,
    )
    areas = [
        f"{one.row.name}: AUROC {score(one.auroc.mean())}, average precision"
        f" {score(one.average_precision.mean())}"
        for one in shown
    ]
    return Plot(figure, numbers.table, f"{'; '.join(areas) or 'Test holds a single class'}.")


def _draw(
    axes: Axes,
    one: Curves,
    of_classes: NDArray[np.float64],
    areas: NDArray[np.float64],
    material: Material,
    numbers: Numbers,
    curve: str,
) -> None:
    colour, model = material.colour(one.row), one.row.name
    alpha = ONE_CLASS_ALPHA if len(one.classes) <= MANY else MANY_CLASSES_ALPHA
    if len(one.classes) > 1 and not one.row.is_baseline:
        for name, of_class, area in zip(one.classes, of_classes, areas, strict=True):
            axes.plot(one.levels, of_class, color=colour, alpha=alpha, linewidth=0.8)
            numbers.add(model=model, curve=curve, of=name, x=one.levels, y=of_class, area=area)
    mean = of_classes.mean(axis=0)
    of = "mean of classes" if len(one.classes) > 1 else one.classes[0]
    axes.plot(one.levels, mean, color=colour, linewidth=1.8)
    numbers.add(model=model, curve=curve, of=of, x=one.levels, y=mean, area=areas.mean())


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
