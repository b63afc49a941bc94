"""The windows of test that the selected model finds hardest: as curves, pictures or text."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seqbench.config.registry import FIGURES
from seqbench.reporting.evidence.classification import ClassificationEvidence, HardWindow
from seqbench.reporting.evidence.material import Material
from seqbench.reporting.figures.channels import channel_grid, draw_windows
from seqbench.reporting.figures.curves import NO_PROBABILITIES
from seqbench.reporting.figures.panels import grid, note, short, spread
from seqbench.reporting.figures.pictures import add_picture, show, tiles
from seqbench.reporting.figures.plot import Numbers, Plot
from seqbench.reporting.figures.style import INK, MUTED
from seqbench.storage.windows import WindowSet

Drawn = tuple[Figure, list[Axes], Numbers]

N_COLUMNS, N_FRAMES = 3, 5
N_TITLE, N_NAME = 29, 40  # characters over a panel
TEXT_INCHES, N_TEXT = 0.5, 100  # height of a window as text, and its characters at most
ERROR = "#b3261e"
NO_ERROR = "The model selected on val misclassifies no test window in any run."


@FIGURES.register("hardest", title="Hardest test windows", tasks=("classification",), order=26)
def hardest(material: Material) -> Plot:
    """Test windows that a run of the model selected on val misclassifies, highest loss first.

    Loss is the mean over its seeds. Titles: true class → predicted class with its mean probability;
    below: the recording, and the number of runs that are wrong.
    """
    evidence = material.of(ClassificationEvidence)
    found = evidence.hardest
    if not found:
        figure, panels = grid(1, 1, height=0.5)
        panels[0].set_axis_off()
        has_probabilities = evidence.calibration is not None
        note(figure, NO_ERROR if has_probabilities else NO_PROBABILITIES)
        return Plot(figure, Numbers().table)
    sample = material.windows.sample
    draw = {"tokens": _draw_texts, "video": _draw_pictures}.get(sample, _draw_curves)
    figure, panels, numbers = draw(found, material.windows)
    for axes, one in zip(panels, found, strict=True):
        _name(axes, one)
    wrong = [
        f"{one.recording}: {one.true} predicted as {one.predicted} with {one.p_predicted:.2f}"
        for one in found
        if one.predicted != one.true
    ]
    sentence = f"{'; '.join(wrong) or 'The mean prediction of each is correct'}."
    return Plot(figure, numbers.table, sentence)


def _draw_curves(found: list[HardWindow], windows: WindowSet) -> Drawn:
    figure, panels = channel_grid(windows, len(found), N_COLUMNS, top=0.42, between=0.52)
    shown = [one.values for one in found]
    return figure, panels, draw_windows(panels, shown, [_place(one) for one in found], windows)


def _draw_pictures(found: list[HardWindow], windows: WindowSet) -> Drawn:
    del windows
    figure, panels = grid(
        len(found), N_COLUMNS, height=0.85, left=0.12, top=0.42, bottom=0.1, gap=(0.3, 0.52)
    )
    numbers = Numbers()
    for axes, one in zip(panels, found, strict=True):
        at = spread(len(one.values), N_FRAMES)
        show(axes, tiles(one.values[at]))
        axes.set_anchor("W")
        for frame in at:
            add_picture(numbers, one.values[frame, 0], **_place(one), frame=frame)
    return figure, panels, numbers


def _draw_texts(found: list[HardWindow], windows: WindowSet) -> Drawn:
    figure, panels = grid(
        len(found), 1, height=0.22, left=0.12, top=0.42, bottom=0.1, gap=(0.2, 0.52)
    )
    numbers = Numbers()
    for axes, one in zip(panels, found, strict=True):
        text = text_of(one.values[:, 0], windows.channels)
        axes.text(0, 0.5, short(text, N_TEXT), va="center", family="monospace", color=INK)
        axes.set(xlim=(0, 1), xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        numbers.add(**_place(one), text=text)
    return figure, panels, numbers


def text_of(tokens: np.ndarray[Any, Any], vocabulary: list[str]) -> str:
    """Return tokens (T,) as text; letters stand beside each other, words apart."""
    words = [vocabulary[int(token)] for token in tokens]
    are_letters = all(len(word) <= 1 for word in vocabulary[1:])  # the first stands for all others
    return ("" if are_letters else " ").join(words)


def _name(axes: Axes, one: HardWindow) -> None:
    """Write true and predicted class over a panel, and under them the origin of the window."""
    if one.predicted == one.true:
        title, colour = f"{short(one.true, N_TITLE - 8)} ({one.p_true:.2f})", INK
    else:
        true, predicted = (short(name, N_TITLE // 2 - 4) for name in (one.true, one.predicted))
        title, colour = f"{true} → {predicted} ({one.p_predicted:.2f})", ERROR
    axes.set_title(title, fontsize=8, pad=12, color=colour)
    where = f"{short(one.recording, N_NAME - 22)}, wrong in {one.n_wrong} of {one.n_runs}"
    axes.annotate(
        where, (0, 1), xycoords="axes fraction", xytext=(0, 3), textcoords="offset points",
        fontsize=6.5, color=MUTED,
    )  # fmt: skip


def _place(one: HardWindow) -> dict[str, Any]:
    """Return what is known of a window, for each row of the table."""
    names = {"p_true": "probability_of_true", "p_predicted": "probability_of_predicted"}
    known = {name: value for name, value in vars(one).items() if name != "values"}
    return {names.get(name, name): value for name, value in known.items()}
