"""Learned templates: for each model a grid of the types of event."""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from seqbench.config.registry import FIGURES
from seqbench.reporting.evidence.detection import DetectionEvidence
from seqbench.reporting.evidence.material import PALETTE, Material
from seqbench.reporting.figures import style
from seqbench.reporting.figures.panels import DOTTED, legend, short
from seqbench.reporting.figures.plot import Numbers, Plot
from seqbench.reporting.read.banks import Bank

N_COLUMNS, N_SHOWN_TYPES = 4, 24
TRUTH = "#c3c9cf"
STEP = 1.15  # from one channel to the next, in highest peaks of the template
HEADING, TITLE, BETWEEN, FOOT, LEGEND = 0.3, 0.22, 0.12, 0.55, 0.3  # inches
RIGHT = 0.12
N_VECTOR = 30_000  # points of the templates of a model beyond which all become pixels


@FIGURES.register(
    "templates", title="Learned templates", tasks=("detection",), needs="templates", order=23,
    block="windows",
)  # fmt: skip
def templates(material: Material) -> Plot:
    """Templates of each type, channels stacked, around the onset (dotted).

    A dot is the delay learned for the channel. Grey: the true shape, where a generator knows it.
    Templates of a matched filter are whitened, and the true shapes with them.
    """
    banks = material.of(DetectionEvidence).banks
    classes = material.windows.classes
    names = material.windows.channels[: style.N_SHOWN_CHANNELS]
    n_types, n_channels = min(len(classes), N_SHOWN_TYPES), len(names)
    channels = [short(name, 10) for name in names] if n_channels > 1 else [""]
    n_columns = min(N_COLUMNS, n_types)
    n_rows = ceil(n_types / n_columns)
    left = 0.2 + style.CHARACTER_INCHES * max(1, *map(len, channels))
    width = (style.WIDTH_INCHES - left - RIGHT - BETWEEN * (n_columns - 1)) / n_columns
    panel = 0.4 + 0.11 * n_channels
    block = HEADING + n_rows * (TITLE + panel) + FOOT
    total = LEGEND + len(banks) * block
    figure = Figure(figsize=(style.WIDTH_INCHES, total))
    is_dense = any(bank.learned.values[:n_types, :n_channels].size > N_VECTOR for bank in banks)
    numbers = Numbers()
    for number, bank in enumerate(banks):
        top = total - LEGEND - number * block
        figure.text(0.1 / style.WIDTH_INCHES, (top - 0.17) / total, bank.name, fontweight="bold")
        first: Axes | None = None
        for k in range(n_types):
            row, column = divmod(k, n_columns)
            x = (left + column * (width + BETWEEN)) / style.WIDTH_INCHES
            y = (top - HEADING - (row + 1) * (TITLE + panel)) / total
            size = width / style.WIDTH_INCHES, panel / total
            axes = figure.add_axes((x, y, *size), sharex=first, sharey=first)
            first = first or axes
            if is_dense:
                axes.set_rasterization_zorder(2.5)
            _draw(axes, bank, k, material, PALETTE[number % len(PALETTE)], numbers)
            axes.set_title(short(classes[k], 20), fontsize=8, pad=3)
            axes.xaxis.set_visible(k + n_columns >= n_types)  # hidden ones take no time
            axes.yaxis.set_visible(column == 0)
            axes.tick_params(labelsize=6.5)
        if first is not None:
            first.set_yticks(-STEP * np.arange(n_channels), channels)
            first.xaxis.set_major_locator(MaxNLocator(4))
        below = "milliseconds from the onset"
        figure.text(0.5, (top - block + 0.12) / total, below, ha="center", color=style.MUTED)
    looks: list[tuple[str, dict[str, Any]]] = [("learned", {"color": style.INK, "linewidth": 0.9})]
    if any(bank.truth is not None for bank in banks):
        looks.append(("true", {"color": TRUTH, "linewidth": 2.2}))
    if any(bank.delays_samples is not None for bank in banks):
        dots = {"color": style.INK, "marker": "o", "markersize": 2.4, "linestyle": "none"}
        looks.append(("delay", dots))
    legend(figure, looks, loc="upper right", ncols=3, handlelength=1.6, borderaxespad=0.2)
    return numbers.plot(figure, f"Templates of {'; '.join(bank.name for bank in banks)}.")


def _draw(
    axes: Axes, bank: Bank, kind: int, material: Material, colour: str, numbers: Numbers
) -> None:
    """Draw one type, its highest peak as 1; 0 where nothing was learned."""
    ms_per_sample = 1000 / material.of(DetectionEvidence).rate_hz
    channels = material.windows.channels[: style.N_SHOWN_CHANNELS]
    n_channels = len(channels)
    place = {"model": bank.name, "type": material.windows.classes[kind]}
    axes.axvline(0, **DOTTED | {"linewidth": 0.8}, zorder=0)
    axes.tick_params(axis="y", length=0)
    steps = STEP * np.arange(n_channels)
    nothing = np.zeros((kind + 1, n_channels))
    delays = (nothing if bank.delays_samples is None else bank.delays_samples)[kind, :n_channels]
    for shows, shapes, late, ink, width in (
        ("true", bank.truth, nothing[kind], TRUTH, 2.2),
        ("learned", bank.learned, delays, colour, 0.9),
    ):
        if shapes is None:
            continue
        template = shapes.values[kind]
        heights = (template / (float(np.abs(template).max(initial=0)) or 1.0))[:n_channels]
        samples = np.arange(heights.shape[1]) - shapes.onset + late[:, None]
        times = samples * ms_per_sample
        for channel, of_channel, at in zip(channels, heights, times, strict=True):
            numbers.add(**place, channel=channel, shows=shows, milliseconds=at, value=of_channel)
        # One line with gaps instead of one a channel: long lines are simplified where they are
        # straight.
        x, y = (
            np.pad(of_channels, [(0, 0), (0, 1)], constant_values=np.nan).ravel()
            for of_channels in (times, heights - steps[:, None])
        )
        [line] = axes.plot(x, y, color=ink, linewidth=width)
        numbers.mark(line, keys=[shows])
    if bank.delays_samples is not None:
        at = delays * ms_per_sample
        rows = numbers.add(**place, channel=channels, shows="delay", milliseconds=at)
        [dots] = axes.plot(at, -steps, "o", color=style.INK, markersize=2.4)
        name = f"{bank.name}, {place['type']}"
        shown = {"channel": "", "milliseconds": "delay"}
        numbers.mark(dots, rows, shown, name=name, keys=["delay"])
