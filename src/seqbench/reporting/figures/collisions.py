"""Events close to one another: how many are still found."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from seqbench.config.registry import FIGURES
from seqbench.reporting.evidence.detection import DetectionEvidence
from seqbench.reporting.evidence.material import Material
from seqbench.reporting.figures.methods import (
    counted_rows,
    draw_recall,
    legend_inches,
    legend_name,
    method_legend,
    note_in,
    source_note,
)
from seqbench.reporting.figures.panels import grid
from seqbench.reporting.figures.plot import Numbers, Plot
from seqbench.reporting.scores.event_counts import (
    Recall,
    recall_by_lag,
    recall_by_similarity,
)
from seqbench.reporting.scores.formats import score
from seqbench.reporting.scores.leaderboards import ModelScores


@FIGURES.register(
    "collisions", title="Events close to one another", tasks=("detection",), order=27,
    block="scores",
)  # fmt: skip
def collisions(material: Material) -> Plot:
    """Fraction of the events of test that each method finds, over all its runs.

    Left: by the time to the nearest other event of any type, in groups up to the time that is
    named. Right: of events with another type within 20 ms, by how alike the two shapes are: 1 means
    that they are the same. The number under a group counts its events. Bold: the model
    selected on val. Shaded: 95 % intervals (Wilson), as if events were independent.
    """
    detection = material.of(DetectionEvidence)
    rows = counted_rows(material)
    figure, (left, right) = grid(2, 2, height=2.4, top=legend_inches(len(rows)), bottom=0.8)
    numbers = Numbers()
    lags = {row.name: recall_by_lag(row.results) for row in rows}
    _draw(left, material, rows, lags, "lag_ms", numbers)
    left.set(xlabel="time to the nearest other event (ms)", ylabel="fraction of events found")
    shapes = detection.shapes
    alike = {}
    if shapes is not None:
        likeness = shapes.similarity(detection.tolerance_ms)
        alike = {row.name: recall_by_similarity(row.results, likeness) for row in rows}
    _draw(right, material, rows, alike, "similarity", numbers)
    right.set(xlabel="similarity of the two shapes (cosine)", yticklabels=[])
    if shapes is None:
        note_in(right, "The shapes are not known:\nadd the baseline matched_filter.")
    elif not any(alike.values()):
        note_in(right, "No two types lie within 20 ms.")
    if shapes is not None:
        source_note(figure, shapes)
    method_legend(figure, material, rows)
    words = [f"{name} {score(bins[0].recall)}" for name, bins in lags.items() if bins]
    shown = ""
    if words:
        first = next(bins for bins in lags.values() if bins)[0]
        limit = f"over {first.low:g}" if first.high is None else f"up to {first.high:g}"
        shown = f"Found at the shortest times ({limit} ms): {', '.join(words)}."
    return numbers.plot(figure, shown)


def _draw(
    axes: Axes,
    material: Material,
    rows: list[ModelScores],
    bins: dict[str, list[Recall]],
    by: str,
    numbers: Numbers,
) -> None:
    """Draw recall by groups, which stand side by side whatever their width."""
    groups = sorted(
        {(one.low, one.high, one.n) for found in bins.values() for one in found},
        key=lambda group: group[0],
    )
    place = {group[0]: i for i, group in enumerate(groups)}
    for row in rows:
        found = bins.get(row.name, [])
        drawn = draw_recall(
            axes, material, row, [place[one.low] for one in found],
            [one.recall for one in found], [one.n for one in found],
        )  # fmt: skip
        rows_of_table = numbers.add(
            architecture=row.architecture, arm=row.arm, by=by, low=[one.low for one in found],
            high=np.array([one.high for one in found], float), n=[one.n for one in found],
            recall=[one.recall for one in found], recall_low=drawn.low, recall_high=drawn.high,
        )  # fmt: skip
        shown = {"low": "over", "high": "up to", "recall": "recall", "recall_low": "from"}
        shown |= {"recall_high": "to", "n": "events"}
        numbers.mark(drawn.line, rows_of_table, shown, name=row.name, keys=[legend_name(row)])
        numbers.mark(drawn.band, keys=[legend_name(row)])
    names = [f"> {low:g}" if high is None else f"≤ {high:g}" for low, high, _ in groups]
    labels = [f"{name}\n{n}" for name, (*_, n) in zip(names, groups, strict=True)]
    axes.set_xticks(range(len(groups)), labels, fontsize=6.5)
    axes.set_xlim(-0.5, max(len(groups), 1) - 0.5)
    axes.set_ylim(-0.02, 1.03)
    axes.grid(axis="y")
