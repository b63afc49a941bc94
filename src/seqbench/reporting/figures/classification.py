"""Figures of classification alone: confusions, and windows of each class."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from numpy.typing import NDArray

from seqbench.config.registry import FIGURES
from seqbench.reporting.evidence.classification import ClassificationEvidence, Confusion, Confusions
from seqbench.reporting.evidence.material import Material
from seqbench.reporting.figures import style
from seqbench.reporting.figures.channels import channel_grid, draw_windows
from seqbench.reporting.figures.panels import grid, short, spread
from seqbench.reporting.figures.plot import Numbers, Plot

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
    longest = max(len(short(name, N_CHARACTERS)) for name in classes)
    margin = 0.35 + style.CHARACTER_INCHES * longest
    level = longest * k <= 30  # names have room beside each other under a small panel
    panel = (2.5 if k <= 8 else 2.9) if beside else min(5.6, 1.2 + 0.26 * k)
    figure, panels = grid(
        len(shown), 2 if beside else 1, height=panel, left=margin, top=0.35,
        bottom=0.5 if level else margin, gap=(0.3, 0.9 if level else margin + 0.4),
    )  # fmt: skip
    numbers = Numbers()
    true, predicted = np.array(classes, dtype=object)[np.indices((k, k)).reshape(2, -1)]
    for axes, matrix in zip(panels, shown, strict=True):
        windows = matrix.counts.ravel()
        numbers.add(model=matrix.row.name, true=true, predicted=predicted, windows=windows)
        _draw_confusion(axes, matrix, classes, level=level)
        if beside and axes is not panels[0]:
            axes.set_ylabel("")
            axes.set_yticklabels([])
    correct = [f"{m.row.name}: {m.counts.trace()} of {m.counts.sum()} correct" for m in shown]
    return Plot(figure, numbers.table, f"{'; '.join(correct)}.")


@FIGURES.register(
    "examples", title="Examples", tasks=("classification",), samples=("series",), shows_data=True,
    order=40,
)  # fmt: skip
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
    used, shown, places = [], [], []
    for row, (k, group) in enumerate(chosen.items()):
        own, name = panels[row * n_each : (row + 1) * n_each], windows.classes[k]
        own[0].set_title(short(name, 18 * len(group)))
        for axes in own[len(group) :]:
            axes.set_visible(False)
        used += own[: len(group)]
        shown += [windows.window(i) for i in group]
        recordings = [windows.names[windows.recording[i]] for i in group]
        places += [
            {"true": name, "recording": recording, "window": i}
            for recording, i in zip(recordings, group, strict=True)
        ]
    numbers = draw_windows(used, shown, places, windows)
    return Plot(figure, numbers.table, f"Windows of the classes {', '.join(windows.classes)}.")


def _draw_confusion(axes: Axes, matrix: Confusion, classes: list[str], *, level: bool) -> None:
    counts = matrix.counts
    k = len(counts)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(share, cmap=SHADES, vmin=0, vmax=1)
    if k <= N_SHOWN_CLASSES:
        look: dict[str, Any] = {"ha": "center", "va": "center"}
        look["fontsize"] = 8.5 if k <= 8 else 7 if k <= 14 else 6
        for true, predicted in np.argwhere(counts):
            colour = "white" if share[true, predicted] > 0.55 else style.INK
            axes.text(predicted, true, f"{counts[true, predicted]}", color=colour, **look)
        names = [short(name, N_CHARACTERS) for name in classes]
        axes.set_xticks(range(k), names, rotation=0 if level else 90)
        axes.set_yticks(range(k), names)
    axes.set(title=short(matrix.row.name, 40), xlabel="predicted class", ylabel="true class")
    axes.spines[:].set(visible=True, color=style.HAIRLINE)
    axes.tick_params(length=0)


def spread_over_classes(
    label: NDArray[np.int64], n_classes: int, n_each: int
) -> dict[int, list[int]]:
    """Choose up to `n_each` windows of each class, evenly over the table."""
    of_class = {k: np.flatnonzero(label == k) for k in range(min(n_classes, N_SHOWN_CLASSES))}
    return {k: own[spread(len(own), n_each)].tolist() for k, own in of_class.items() if len(own)}
