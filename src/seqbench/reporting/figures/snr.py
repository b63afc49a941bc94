"""Scores and errors in time against the signal-to-noise ratio, and the least error there is."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from seqbench.config.registry import FIGURES
from seqbench.reporting.evidence.detection import DetectionEvidence
from seqbench.reporting.evidence.material import Material
from seqbench.reporting.figures.methods import (
    BOUND,
    Recalls,
    counted_rows,
    draw_recall,
    legend_inches,
    legend_name,
    look,
    method_legend,
    source_note,
)
from seqbench.reporting.figures.panels import empty, grid
from seqbench.reporting.figures.plot import Numbers, Plot
from seqbench.reporting.read.event_shapes import EventShapes
from seqbench.reporting.scores.event_counts import SNR_STEP_DB, AtSnr, by_snr, by_type
from seqbench.reporting.scores.formats import milliseconds
from seqbench.reporting.scores.leaderboards import ModelScores

ONE_RATIO = "All events have about the same signal-to-noise ratio."
LEAST_SHOWN_MS = 1e-3  # a log axis has no 0


@FIGURES.register(
    "snr",
    title="Scores and errors against signal-to-noise ratio",
    tasks=("detection",),
    order=26,
    needs="event_shapes",
    block="scores",
)
def snr(material: Material) -> Plot:
    """F1 of each type, the fraction of events found and their errors in time, all runs together.

    The ratio is the energy of an event over the variance of the noise, both after the filter that
    makes noise white: below 10 dB events drown, from 20 dB they are plain. Where a generator knows
    the strength of each event, it counts. Red: the mean error of the best possible method for a
    single event that may lie between samples (Cramér-Rao bound); a method that knows that onsets
    lie on whole samples can fall below. Errors under 0.001 ms are drawn there. Bold: the model
    selected on val. Shaded: 95 % intervals (Wilson), as if events were independent.
    """
    shapes, rows = material.of(DetectionEvidence).shapes, counted_rows(material)
    top = 0.25 + legend_inches(len(rows) + 1)
    figure, panels = grid(3, 3, height=2.3, top=top, bottom=0.75, gap=(0.62, 0.4))
    numbers = Numbers()
    if shapes is None or not np.isfinite(shapes.snr_db).any():
        for axes in panels:
            axes.set_visible(False)
        return empty(figure, numbers, "The signal holds no noise, or no type has a shape.")
    of_types, of_events, of_errors = panels
    least: dict[float, float] = {}
    for row in rows:
        _draw_types(of_types, material, row, shapes, numbers)
        found = by_snr(row.results, shapes)
        drawn = draw_recall(
            of_events, material, row, [one.snr_db for one in found],
            [one.recall for one in found], [one.n for one in found],
        )  # fmt: skip
        timed = [one for one in found if one.mae_ms is not None]
        [errors] = of_errors.plot(
            [one.snr_db for one in timed],
            [max(one.mae_ms or 0.0, LEAST_SHOWN_MS) for one in timed],
            **look(material, row),
        )
        least |= {one.snr_db: one.least_mae_ms for one in found}
        _add_events(numbers, row, found, drawn, errors)
    edges = sorted(least)
    of_errors.plot(edges, [least[edge] for edge in edges], marker="o", markersize=3.5, **BOUND)
    of_types.set(ylabel="F1", title="each type", ylim=(-0.02, 1.03))
    of_events.set(ylabel="fraction found", title="each event", ylim=(-0.02, 1.03))
    of_errors.set(ylabel="mean |onset error| (ms)", title="errors in time", yscale="log")
    low, high = of_errors.get_ylim()
    of_errors.yaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5) if high < 50 * low else (1,)))
    of_errors.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    of_errors.yaxis.set_minor_formatter(NullFormatter())
    for axes in panels:
        axes.set_xlabel("signal-to-noise ratio (dB)")
        axes.grid(axis="y")
        low, high = axes.dataLim.intervalx if edges else (0.0, 0.0)
        middle, reach = (low + high) / 2, max(0.55 * (high - low), SNR_STEP_DB)
        axes.set_xlim(middle - reach, middle + reach)
    method_legend(figure, material, rows, ("least possible error", BOUND))
    source_note(figure, shapes)
    ends = dict.fromkeys(edges[:1] + edges[-1:])
    words = [f"{milliseconds(least[edge])} ms at {edge:g} dB" for edge in ends]
    return numbers.plot(
        figure,
        f"Least mean error: {', '.join(words)}." if words else "",
        left_out=ONE_RATIO if len(edges) == 1 else "",
    )


def _draw_types(
    axes: Axes, material: Material, row: ModelScores, shapes: EventShapes, numbers: Numbers
) -> None:
    snr_db, least_ms = shapes.snr_db, shapes.least_mean_error_ms
    found = [
        one
        for one in by_type(row.results, len(snr_db))
        if one.f1 is not None and np.isfinite(snr_db[one.type])
    ]
    found.sort(key=lambda one: float(snr_db[one.type]))
    [dots] = axes.plot(
        [snr_db[one.type] for one in found],
        [one.f1 or 0.0 for one in found],
        **look(material, row) | {"linestyle": "none"},
    )
    rows = numbers.add(
        architecture=row.architecture, arm=row.arm, of="type",
        type=[material.windows.classes[one.type] for one in found],
        snr_db=[float(snr_db[one.type]) for one in found], n=[one.n for one in found],
        f1=[one.f1 for one in found],
        recall=np.array([one.recall for one in found], float),
        mae_ms=np.array([one.mae_ms for one in found], float),
        least_mae_ms=[float(least_ms[one.type]) for one in found],
    )  # fmt: skip
    shown = {"type": "type", "snr_db": "SNR", "f1": "F1", "n": "events"}
    numbers.mark(dots, rows, shown, name=row.name, keys=[legend_name(row)])


def _add_events(
    numbers: Numbers, row: ModelScores, found: list[AtSnr], recalls: Recalls, errors: Line2D
) -> None:
    rows = numbers.add(
        architecture=row.architecture, arm=row.arm, of="event",
        snr_db=[float(one.snr_db) for one in found], n=[one.n for one in found],
        recall=[one.recall for one in found], recall_low=recalls.low, recall_high=recalls.high,
        mae_ms=np.array([one.mae_ms for one in found], float),
        least_mae_ms=[one.least_mae_ms for one in found],
    )  # fmt: skip
    entry: dict[str, Any] = {"name": row.name, "keys": [legend_name(row)]}
    shown = {"snr_db": "SNR", "recall": "recall", "recall_low": "from", "recall_high": "to"}
    numbers.mark(recalls.line, rows, shown | {"n": "events"}, **entry)
    numbers.mark(recalls.band, keys=entry["keys"])
    timed = [row for row, one in zip(rows, found, strict=True) if one.mae_ms is not None]
    shown = {"snr_db": "SNR", "mae_ms": "mean |error|", "least_mae_ms": "least possible"}
    numbers.mark(errors, timed, shown, **entry)
