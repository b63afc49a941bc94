"""Windows of a series beside each other, channels stacked, one scale for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from seqbench.reporting.figures import style
from seqbench.reporting.figures.panels import grid, offsets_of, short, thinned
from seqbench.reporting.figures.plot import Numbers
from seqbench.storage.windows import WindowSet

N_SAMPLES = 500  # pairs of samples of a channel, more than a panel can show beside each other


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
