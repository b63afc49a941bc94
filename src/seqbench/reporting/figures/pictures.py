"""Figures of video: frames as pictures."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from seqbench.reporting.figures.classification import spread_over_classes
from seqbench.reporting.figures.panels import grid, short
from seqbench.reporting.figures.style import CHARACTER_INCHES, HAIRLINE
from seqbench.reporting.material import Material

N_EACH = 9  # pictures of a class


def pictures(material: Material) -> Figure:
    """Draw the first frames of windows of each class, a class in each half of a row."""
    windows = material.windows
    chosen = spread_over_classes(windows.label, len(windows.classes), N_EACH)
    margin = 0.25 + CHARACTER_INCHES * max(len(short(name, 12)) for name in windows.classes)
    figure, panels = grid(
        len(chosen), 2, height=0.36, left=margin, top=0.08, bottom=0.08, gap=(margin, 0.1)
    )
    for axes, (kind, indices) in zip(panels, chosen.items(), strict=True):
        shown = [windows.window(i)[0, 0] for i in indices]
        show(axes, np.concatenate([np.pad(one, 1, constant_values=np.nan) for one in shown], 1))
        axes.set_ylabel(short(windows.classes[kind], 12), rotation=0, ha="right", va="center")
    return figure


def show(axes: Axes, picture: NDArray[np.float32]) -> None:
    """Draw a picture (H, W), dark where its values are high, without axes around it."""
    axes.imshow(picture, cmap="Greys", interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=True, color=HAIRLINE)
