"""Figures of classification alone: confusions, windows of each class, and the hardest ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from seqbench.config.registry import FIGURES
from seqbench.datasets.base import counted
from seqbench.reporting.evidence.classification import (
    ClassificationEvidence,
    Confusion,
    Confusions,
    HardWindow,
)
from seqbench.reporting.evidence.material import Material
from seqbench.reporting.figures import style
from seqbench.reporting.figures.curves import NO_PROBABILITIES
from seqbench.reporting.figures.panels import (
    empty,
    grid,
    offsets_of,
    short,
    spread,
    thinned,
)
from seqbench.reporting.figures.pictures import add_picture, show, spread_over_classes, tiles
from seqbench.reporting.figures.plot import Numbers, Plot
from seqbench.reporting.scores.leaderboards import ModelScores
from seqbench.storage.windows import WindowSet

CELL = "#0b4f86"
CELL_COLUMNS = {"true": "true", "predicted": "predicted", "windows": "windows"}
DARK_SHARE = 0.6  # of a row from which words in a cell are light
N_POINTS = 9000  # of examples: every one is a dozen bytes of the page
N_CHARACTERS = 14  # of the name of a class beside a matrix
N_SAMPLES = 500  # pairs of samples of a channel, more than a panel can show beside each other
N_COLUMNS, N_FRAMES = 3, 5  # of the hardest windows
N_TITLE, N_NAME = 29, 40  # characters over a panel
LEAST_CONFUSED = 10  # predictions on test of a run
N_TEXT = 100  # characters of a window as text, at most
ERROR = "#b3261e"
NO_ERROR = "The model selected on val misclassifies no test window in any run."


@FIGURES.register(
    "confusion", title="Confusion matrix", tasks=("classification", "labelling"), order=20,
    block="scores", leads=True,
)  # fmt: skip
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
        rows = numbers.add(model=matrix.row.name, true=true, predicted=predicted, windows=windows)
        cells = _draw_confusion(axes, matrix, classes, level=level)
        filled = [rows[cell] for cell in np.flatnonzero(windows)]
        numbers.mark(cells, filled, CELL_COLUMNS, name=matrix.row.name)
        if beside and axes is not panels[0]:
            axes.set_ylabel("")
            axes.set_yticklabels([])
    correct = [f"{m.row.name}: {m.counts.trace()} of {m.counts.sum()} correct" for m in shown]
    return numbers.plot(
        figure, f"{'; '.join(correct)}.", left_out=_no_confusion(shown, material.board.floor)
    )


def _no_confusion(shown: Sequence[Confusion], floor: ModelScores | None) -> str:
    """Return why a matrix of so few windows, or of no error, is not worth a look."""
    n_test = max(int(matrix.counts.sum()) // max(len(matrix.row.results), 1) for matrix in shown)
    if n_test < LEAST_CONFUSED:
        return f"Test holds {counted(n_test, 'prediction')}."
    rivals = [matrix for matrix in shown if matrix.row != floor]
    if rivals and all(matrix.counts.trace() == matrix.counts.sum() for matrix in rivals):
        return f"{' and '.join(matrix.row.name for matrix in rivals)}: no error in any run."
    return ""


@FIGURES.register(
    "examples", title="Examples", tasks=("classification",), samples=("series",), block="data",
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
        places += [
            {"true": name, "recording": windows.names[windows.recording[i]], "window": i}
            for i in group
        ]
    numbers = draw_windows(used, shown, places, windows)
    return numbers.plot(figure, f"Windows of the classes {', '.join(windows.classes)}.")


def draw_cells(axes: Axes, share: NDArray[np.float64]) -> PatchCollection:
    """Draw the cells of a matrix that are not 0, its first row on top; dark cells are near 1."""
    n_rows, n_columns = share.shape
    cells = PatchCollection(
        [Rectangle((j - 0.5, i - 0.5), 1, 1) for i, j in np.argwhere(share)],
        facecolor=[to_rgba(CELL, float(part)) for part in share[share > 0]], linewidth=0,
    )  # fmt: skip
    axes.add_collection(cells)
    axes.set(xlim=(-0.5, n_columns - 0.5), ylim=(n_rows - 0.5, -0.5))
    return cells


def word_colour(share: float) -> str:
    """Return the colour of words in a cell."""
    return "white" if share > DARK_SHARE else style.INK


def _draw_confusion(
    axes: Axes, matrix: Confusion, classes: list[str], *, level: bool
) -> PatchCollection:
    counts = matrix.counts
    k = len(counts)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    cells = draw_cells(axes, share)
    axes.set_aspect("equal")
    if k <= style.N_SHOWN_CLASSES:
        look: dict[str, Any] = {"ha": "center", "va": "center"}
        look["fontsize"] = 8.5 if k <= 8 else 7 if k <= 14 else 6
        for true, predicted in np.argwhere(counts):
            colour = word_colour(share[true, predicted])
            axes.text(predicted, true, f"{counts[true, predicted]}", color=colour, **look)
        names = [short(name, N_CHARACTERS) for name in classes]
        axes.set_xticks(range(k), names, rotation=0 if level else 90)
        axes.set_yticks(range(k), names)
    axes.set(title=short(matrix.row.name, 40), xlabel="predicted class", ylabel="true class")
    axes.spines[:].set(visible=True, color=style.HAIRLINE)
    axes.tick_params(length=0)
    return cells


@FIGURES.register(
    "hardest", title="Hardest test windows", tasks=("classification",), order=26, block="windows"
)
def hardest(material: Material) -> Plot:
    """Test windows that a run of the model selected on val misclassifies, highest loss first.

    Loss is the mean over its seeds. Titles: true class → predicted class with its mean probability;
    below: the recording, and the number of runs that are wrong.
    """
    evidence = material.of(ClassificationEvidence)
    found = evidence.hardest
    if not found:
        figure, _ = grid(0, 1, height=0.5)
        has_probabilities = evidence.calibration is not None
        return empty(figure, Numbers(), NO_ERROR if has_probabilities else NO_PROBABILITIES)
    windows = material.windows
    if windows.sample in ("tokens", "video"):
        figure, panels, numbers = _draw_one_by_one(found, windows)
    else:
        figure, panels = channel_grid(windows, len(found), N_COLUMNS, top=0.42, between=0.52)
        values, places = [one.values for one in found], [_place(one) for one in found]
        numbers = draw_windows(panels, values, places, windows)
    for axes, one in zip(panels, found, strict=True):
        _name(axes, one)
    wrong = [
        f"{one.recording}: {one.true} predicted as {one.predicted} with {one.p_predicted:.2f}"
        for one in found
        if one.predicted != one.true
    ]
    sentence = f"{'; '.join(wrong) or 'The mean prediction of each is correct'}."
    return numbers.plot(figure, sentence)


def _draw_one_by_one(
    found: list[HardWindow], windows: WindowSet
) -> tuple[Figure, list[Axes], Numbers]:
    """Draw windows of video as pictures, and those of tokens as text."""
    is_text = windows.sample == "tokens"
    n_columns, height, apart = (1, 0.22, 0.2) if is_text else (N_COLUMNS, 0.85, 0.3)
    margins: dict[str, Any] = {"left": 0.12, "top": 0.42, "bottom": 0.1}
    figure, panels = grid(len(found), n_columns, height=height, gap=(apart, 0.52), **margins)
    numbers = Numbers()
    for axes, one in zip(panels, found, strict=True):
        if is_text:
            text = text_of(one.values[:, 0], windows.channels)
            axes.text(0, 0.5, short(text, N_TEXT), va="center", family="monospace", color=style.INK)
            axes.set(xlim=(0, 1), xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
            numbers.add(**_place(one), text=text)
            continue
        at = spread(len(one.values), N_FRAMES)
        show(axes, tiles(one.values[at]))
        axes.set_anchor("W")
        for frame in at:
            add_picture(numbers, one.values[frame, 0], **_place(one), frame=frame)
    return figure, panels, numbers


def text_of(tokens: np.ndarray[Any, Any], vocabulary: list[str]) -> str:
    """Return tokens (T,) as text; letters stand beside each other, words apart."""
    words = [vocabulary[int(token)] for token in tokens]
    are_letters = all(len(word) <= 1 for word in vocabulary[1:])  # the first stands for all others
    return ("" if are_letters else " ").join(words)


def _name(axes: Axes, one: HardWindow) -> None:
    """Write true and predicted class over a panel, and under them the origin of the window."""
    if one.predicted == one.true:
        title, colour = f"{short(one.true, N_TITLE - 8)} ({one.p_true:.2f})", style.INK
    else:
        true, predicted = (short(name, N_TITLE // 2 - 4) for name in (one.true, one.predicted))
        title, colour = f"{true} → {predicted} ({one.p_predicted:.2f})", ERROR
    axes.set_title(title, fontsize=8, pad=12, color=colour)
    where = f"{short(one.recording, N_NAME - 22)}, wrong in {one.n_wrong} of {one.n_runs}"
    axes.annotate(
        where, (0, 1), xycoords="axes fraction", xytext=(0, 3), textcoords="offset points",
        fontsize=6.5, color=style.MUTED,
    )  # fmt: skip


def _place(one: HardWindow) -> dict[str, Any]:
    """Return what is known of a window, for each row of the table."""
    names = {"p_true": "probability_of_true", "p_predicted": "probability_of_predicted"}
    known = {name: value for name, value in vars(one).items() if name != "values"}
    return {names.get(name, name): value for name, value in known.items()}


def channel_grid(
    windows: WindowSet, n: int, n_columns: int, *, top: float = 0.3, between: float = 0.32
) -> tuple[Figure, list[Axes]]:
    """Return a figure with `n` panels for `draw_windows`; lengths are inches."""
    names = windows.channels[: style.N_SHOWN_CHANNELS]
    widest = max(len(short(name, 10)) for name in names) if len(names) > 1 else 4
    left, height = 0.2 + style.CHARACTER_INCHES * widest, 0.55 + 0.09 * len(names)
    return grid(n, n_columns, height=height, left=left, top=top, gap=(0.12, between), shared=True)


def draw_windows(
    panels: Sequence[Axes],
    shown: Sequence[NDArray[np.float32]],
    places: Sequence[Mapping[str, Any]],
    windows: WindowSet,
) -> Numbers:
    """Draw a window (T, C) in each panel, and return the values under the names of their places."""
    channels = windows.channels[: style.N_SHOWN_CHANNELS]
    n_channels, rate = len(channels), windows.sampling_rate_hz or 1.0
    unit = "seconds" if windows.sampling_rate_hz else "samples"
    cut = [window[:, :n_channels] for window in shown]
    offsets = offsets_of(cut, n_channels)
    n_points = sum(min(len(window), 2 * N_SAMPLES) * n_channels for window in cut)
    is_dense = n_points > style.N_VECTOR_POINTS
    colours = mpl.colormaps["viridis"](np.linspace(0.05, 0.8, n_channels))
    numbers = Numbers()
    for axes, window, place in zip(panels, cut, places, strict=True):
        if is_dense:
            axes.set_rasterization_zorder(2.5)  # lines become one image, axes and text do not
        time = np.arange(len(window)) / rate
        marker = "o" if len(time) == 1 else ""  # of one sample no line can be seen
        for name, values, offset, colour in zip(channels, window.T, offsets, colours, strict=True):
            look = {"color": colour, "linewidth": 0.8, "marker": marker, "markersize": 3}
            at = thinned(values, N_SAMPLES)
            axes.plot(time[at], values[at] + offset, **look)
            numbers.add(**place, channel=name, **{unit: time[at]}, value=values[at])
        if n_channels > 1:
            axes.tick_params(axis="y", labelsize=6.5, length=0)
    if panels:
        if n_channels > 1:
            panels[0].set_yticks(offsets, [short(name, 10) for name in channels])
        panels[0].xaxis.set_major_locator(MaxNLocator(4))
        panels[0].figure.supxlabel(unit, fontsize=8.5, color=style.MUTED)
    return numbers
