"""Learned templates: for each model a grid of the types of event."""

from __future__ import annotations

from math import ceil

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from seqbench.config.registry import FIGURES
from seqbench.reporting.evidence.detection import DetectionEvidence
from seqbench.reporting.evidence.material import BASELINE_COLOUR, PALETTE, Material
from seqbench.reporting.figures.panels import short
from seqbench.reporting.figures.plot import Numbers, Plot
from seqbench.reporting.figures.style import (
    CHARACTER_INCHES,
    INK,
    MUTED,
    N_SHOWN_CHANNELS,
    WIDTH_INCHES,
)
from seqbench.reporting.read.banks import Bank, Floats, Shapes

N_COLUMNS, N_SHOWN_TYPES = 4, 24
TRUTH = "#c3c9cf"
STEP = 1.15  # from one channel to the next, in highest peaks of the template
HEADING, TITLE, BETWEEN, FOOT, LEGEND = 0.3, 0.22, 0.12, 0.55, 0.3  # inches
RIGHT = 0.12
N_VECTOR = 30_000  # points of the templates of a model beyond which all become pixels


@FIGURES.register(
    "templates", title="Learned templates", tasks=("detection",), needs="templates", order=23
)
def templates(material: Material) -> Plot:
    """Templates of each type, channels stacked, around the onset (dotted).

    A dot is the delay learned for the channel. Grey: the true shape, where a generator knows it.
    Templates of a matched filter are whitened, and the true shapes with them.
    """
    banks = material.of(DetectionEvidence).banks
    classes, names = material.windows.classes, material.windows.channels[:N_SHOWN_CHANNELS]
    n_types, n_channels = min(len(classes), N_SHOWN_TYPES), len(names)
    channels = [short(name, 10) for name in names] if len(names) > 1 else [""]
    n_columns = min(N_COLUMNS, n_types)
    n_rows = ceil(n_types / n_columns)
    left = 0.2 + CHARACTER_INCHES * (max(map(len, channels)) if n_channels > 1 else 1)
    width = (WIDTH_INCHES - left - RIGHT - BETWEEN * (n_columns - 1)) / n_columns
    panel = 0.4 + 0.11 * n_channels
    block = HEADING + n_rows * (TITLE + panel) + FOOT
    total = LEGEND + len(banks) * block
    figure = Figure(figsize=(WIDTH_INCHES, total))
    is_dense = any(bank.learned.values[:n_types, :n_channels].size > N_VECTOR for bank in banks)
    numbers = Numbers()
    for number, bank in enumerate(banks):
        top = total - LEGEND - number * block
        figure.text(0.1 / WIDTH_INCHES, (top - 0.17) / total, bank.name, fontweight="bold")
        first: Axes | None = None
        for k in range(n_types):
            row, column = divmod(k, n_columns)
            bottom = top - HEADING - (row + 1) * (TITLE + panel)
            place = (left + column * (width + BETWEEN), bottom, width, panel)
            axes = figure.add_axes(
                (place[0] / WIDTH_INCHES, place[1] / total, width / WIDTH_INCHES, panel / total),
                sharex=first, sharey=first,
            )  # fmt: skip
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
        figure.text(
            0.5, (top - block + 0.12) / total, "milliseconds from the onset", ha="center",
            color=MUTED,
        )  # fmt: skip
    figure.legend(
        handles=_legend(banks), loc="upper right", ncols=3, handlelength=1.6, borderaxespad=0.2
    )
    return Plot(figure, numbers.table, f"Templates of {'; '.join(bank.name for bank in banks)}.")


def _draw(
    axes: Axes, bank: Bank, kind: int, material: Material, colour: str, numbers: Numbers
) -> None:
    """Draw one type, its highest peak as 1."""
    ms_per_sample = 1000 / material.of(DetectionEvidence).rate_hz
    channels = material.windows.channels[:N_SHOWN_CHANNELS]
    n_channels = len(channels)
    place = {"model": bank.name, "type": material.windows.classes[kind]}
    axes.axvline(0, color=BASELINE_COLOUR, linestyle=(0, (1, 2)), linewidth=0.8, zorder=0)
    nothing = np.zeros(n_channels)
    delays = nothing if bank.delays_samples is None else bank.delays_samples[kind]
    for shows, shapes, late, ink, width in (
        ("true", bank.truth, nothing, TRUTH, 2.2),
        ("learned", bank.learned, delays, colour, 0.9),
    ):
        if shapes is None:
            continue
        heights = _at_one(shapes, kind)[:n_channels]
        samples = np.arange(heights.shape[1]) - shapes.onset + late[:n_channels, None]
        steps = STEP * np.arange(n_channels)[:, None]
        times = samples * ms_per_sample
        for channel, of_channel, at in zip(channels, heights, times, strict=True):
            numbers.add(**place, channel=channel, shows=shows, milliseconds=at, value=of_channel)
        # One line with gaps instead of one a channel: long lines are simplified where they are
        # straight.
        x, y = (
            np.pad(of_channels, [(0, 0), (0, 1)], constant_values=np.nan).ravel()
            for of_channels in (times, heights - steps)
        )
        axes.plot(x, y, color=ink, linewidth=width)
    if bank.delays_samples is not None:
        axes.plot(
            delays[:n_channels] * ms_per_sample, -STEP * np.arange(n_channels), "o", color=INK,
            markersize=2.4,
        )  # fmt: skip
        at = delays[:n_channels] * ms_per_sample
        numbers.add(**place, channel=channels, shows="delay", milliseconds=at)
    axes.tick_params(axis="y", length=0)


def _at_one(shapes: Shapes, kind: int) -> Floats:
    """Return the template of a type, its highest peak as 1, (C, L); 0 where nothing was learned."""
    template = shapes.values[kind]
    peak = float(np.abs(template).max(initial=0))
    return template / (peak or 1.0)


def _legend(banks: list[Bank]) -> list[Line2D]:
    handles = [Line2D([], [], color=INK, linewidth=0.9, label="learned")]
    if any(bank.truth is not None for bank in banks):
        handles.append(Line2D([], [], color=TRUTH, linewidth=2.2, label="true"))
    if any(bank.delays_samples is not None for bank in banks):
        handles.append(
            Line2D([], [], color=INK, marker="o", markersize=2.4, linestyle="none", label="delay")
        )
    return handles
