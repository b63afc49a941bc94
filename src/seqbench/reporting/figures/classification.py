"""Figures of classification alone: confusions, and windows of each class."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from numpy.typing import NDArray

from seqbench.config.registry import FIGURES
from seqbench.reporting.evidence.classification import ClassificationEvidence, Confusion, Confusions
from seqbench.reporting.evidence.material import Material
from seqbench.reporting.figures.channels import channel_grid, draw_windows
from seqbench.reporting.figures.panels import grid, short
from seqbench.reporting.figures.plot import Numbers, Plot
from seqbench.reporting.figures.style import (
    CHARACTER_INCHES,
    HAIRLINE,
    INK,
)

SHADES = LinearSegmentedColormap.from_list("shades", ["#ffffff", "#9ecae8", "#0b4f86"])
N_SHOWN_CLASSES = 20
N_POINTS = 9000  # of examples: every one is a dozen bytes of the page
N_CHARACTERS = 14  # of the name of a class beside a matrix


@FIGURES.register(
    "confusion", title="Confusion matrix", tasks=("classification", "labelling"), order=20
)
def confusion(material: Material) -> Plot:
    """Numbers count test windows, or samples where each sample has a label, summed over runs.

    Left: the model selected on val; right: the best baseline. The shade is the fraction of the true
    class.
    """
    shown, classes = material.of(Confusions).confusions, material.windows.classes
    k = len(classes)
    beside = k <= 12  # more classes need the whole width
    margin = 0.35 + CHARACTER_INCHES * max(len(short(name, N_CHARACTERS)) for name in classes)
    level = _fits_level(classes)
    panel = (2.5 if k <= 8 else 2.9) if beside else min(5.6, 1.2 + 0.26 * k)
    figure, panels = grid(
        len(shown), 2 if beside else 1, height=panel, left=margin, top=0.35,
        bottom=0.5 if level else margin, gap=(0.3, 0.9 if level else margin + 0.4),
    )  # fmt: skip
    numbers = Numbers()
    for index, (axes, matrix) in enumerate(zip(panels, shown, strict=True)):
        true, predicted = np.divmod(np.arange(k * k), k)
        names = np.array(classes, dtype=object)
        numbers.add(
            model=matrix.row.name, true=names[true], predicted=names[predicted],
            windows=matrix.counts.ravel(),
        )  # fmt: skip
        _draw_confusion(axes, matrix, classes, level=level)
        if beside and index:
            axes.set_ylabel("")
            axes.set_yticklabels([])
    correct = [f"{m.row.name}: {m.counts.trace()} of {m.counts.sum()} correct" for m in shown]
    return Plot(figure, numbers.table, f"{'; '.join(correct)}.")


@FIGURES.register(
    "examples",
    title="Examples",
    tasks=("classification",),
    samples=("series",),
    shows_data=True,
    order=40,
)
def examples(material: Material) -> Plot:
    """Train windows as the models receive them, evenly spread over each class.

    All panels share one scale; channels are stacked.
    """
    windows = material.of(ClassificationEvidence).train
    n_classes = len(windows.classes)
    n_points = n_classes * float(np.median(windows.length)) * len(windows.channels)
    n_most = 3 if n_classes <= 6 else 2 if n_classes <= 10 else 1
    n_most = int(np.clip(N_POINTS / max(n_points, 1), 1, n_most))
    chosen = spread_over_classes(windows.label, n_classes, n_most)
    n_each = max((len(indices) for indices in chosen.values()), default=1)
    n_columns = n_each * (1 if n_each == 3 else 2 if n_each == 2 else 4)
    figure, panels = channel_grid(windows, n_each * len(chosen), n_columns)
    cells = [(k, i) for k, group in chosen.items() for i in group]
    used = [place * n_each + i for place, group in enumerate(chosen.values())
            for i in range(len(group))]  # fmt: skip
    for index, axes in enumerate(panels):
        axes.set_visible(index in used)
    for place, (k, group) in enumerate(chosen.items()):
        panels[place * n_each].set_title(short(windows.classes[k], 18 * len(group)))
    places = [
        {"true": windows.classes[k], "recording": windows.names[windows.recording[i]], "window": i}
        for k, i in cells
    ]
    shown = [windows.window(i) for _, i in cells]
    numbers = draw_windows([panels[index] for index in used], shown, places, windows)
    return Plot(figure, numbers.table, f"Windows of the classes {', '.join(windows.classes)}.")


def _draw_confusion(axes: Axes, matrix: Confusion, classes: list[str], *, level: bool) -> None:
    counts = matrix.counts
    k = len(counts)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(share, cmap=SHADES, vmin=0, vmax=1)
    if k <= N_SHOWN_CLASSES:
        size = 8.5 if k <= 8 else 7 if k <= 14 else 6
        for (true, predicted), count in np.ndenumerate(counts):
            if count:
                colour = "white" if share[true, predicted] > 0.55 else INK
                axes.text(
                    predicted,
                    true,
                    f"{count}",
                    ha="center",
                    va="center",
                    color=colour,
                    fontsize=size,
                )
        names = [short(name, N_CHARACTERS) for name in classes]
        axes.set_xticks(range(k), names, rotation=0 if level else 90)
        axes.set_yticks(range(k), names)
    axes.set_title(short(matrix.row.name, 40))
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    axes.spines[:].set(visible=True, color=HAIRLINE)
    axes.tick_params(length=0)


def _fits_level(names: list[str]) -> bool:
    """Return whether names have room beside each other under a small panel."""
    return max(len(short(name, N_CHARACTERS)) for name in names) * len(names) <= 30


def spread_over_classes(
    label: NDArray[np.int64], n_classes: int, n_each: int
) -> dict[int, list[int]]:
    """Choose up to `n_each` windows of each class, evenly over the table."""
    chosen: dict[int, list[int]] = {}
    for k in range(min(n_classes, N_SHOWN_CLASSES)):
        own = np.flatnonzero(label == k)
        if len(own):
            at = np.linspace(0, len(own) - 1, min(n_each, len(own))).round().astype(int)
            chosen[k] = [int(i) for i in own[at]]
    return chosen
