"""As what events are found: true types against found types, with what is missed and extra."""

from __future__ import annotations

import numpy as np

from seqbench.config.registry import FIGURES
from seqbench.reporting.evidence.material import Material
from seqbench.reporting.figures import style
from seqbench.reporting.figures.classification import draw_cells, word_colour
from seqbench.reporting.figures.methods import counted_rows
from seqbench.reporting.figures.panels import empty, grid, short
from seqbench.reporting.figures.plot import Numbers, Plot
from seqbench.reporting.scores.event_counts import confusion

N_SHOWN_TYPES, N_CHARACTERS = 24, 14
NO_ERROR = "Every event is found as its own type, and nothing else is."
MISSED, EXTRA = "missed", "nothing there"


@FIGURES.register(
    "type_confusion", title="Types found in place of others", tasks=("detection",), order=28,
    block="scores",
)  # fmt: skip
def type_confusion(material: Material) -> Plot:
    """A row holds the events of a type, a column what they are found as, summed over all runs.

    Of the model selected on val, on test. Pairs are one to one and no further apart than the
    tolerance; the right type comes first, then any. Last column: events with no detection near.
    Last row: detections with no event near. The shade is the fraction of the row.
    """
    classes, selected = material.windows.classes, material.board.selected
    rows = [row for row in counted_rows(material) if row == selected]
    counts = confusion(rows[0].results, len(classes)) if rows else np.zeros((1, 1), np.int64)
    k = min(len(classes), N_SHOWN_TYPES)
    shown = [*range(k), len(classes)]
    true = [*(short(name, N_CHARACTERS) for name in classes[:k]), EXTRA]
    found = [*true[:k], MISSED]
    margin = 0.45 + style.CHARACTER_INCHES * max(map(len, true))
    height = min(6.0, 0.9 + 0.27 * (k + 1))
    figure, (axes,) = grid(1, 1, height=height, left=margin, top=0.15, bottom=margin)
    numbers = Numbers()
    if not counts.sum():
        axes.set_visible(False)
        return empty(figure, numbers, "There is no event, and none was found.")
    part = counts[np.ix_(shown, shown)]
    share = part / np.maximum(part.sum(axis=1, keepdims=True), 1)
    cells = draw_cells(axes, share)
    for i, j in np.argwhere(part):
        axes.text(
            j, i, f"{part[i, j]}", ha="center", va="center", fontsize=8 if k <= 12 else 6,
            color=word_colour(share[i, j]),
        )  # fmt: skip
    axes.set_xticks(range(k + 1), found, rotation=90 if k > 8 else 0, fontsize=7)
    axes.set_yticks(range(k + 1), true, fontsize=7)
    axes.axhline(k - 0.5, color=style.MUTED, linewidth=0.8)
    axes.axvline(k - 0.5, color=style.MUTED, linewidth=0.8)
    axes.set(xlabel="found as", ylabel="true type")
    names = [*classes, None]
    filled = []
    for i, j in np.argwhere(counts):
        [added] = numbers.add(
            model=rows[0].name, true=names[i] or EXTRA, found=names[j] or MISSED, n=counts[i, j]
        )
        if i in shown and j in shown:
            filled.append(added)
    numbers.mark(cells, filled, {"true": "true", "found": "found as", "n": "events"})
    inner = counts[:-1, :-1]
    wrong, missed, extra = inner.sum() - inner.trace(), counts[:-1, -1].sum(), counts[-1].sum()
    shown_words = f"{inner.trace()} right, {wrong} as another type, {missed} missed, {extra} extra."
    has_error = wrong + missed + extra > 0
    return numbers.plot(
        figure, f"{rows[0].name}: {shown_words}", left_out="" if has_error else NO_ERROR
    )
