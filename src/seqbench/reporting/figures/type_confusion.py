"""As what events are found: true types against found types, with what is missed and extra."""

from __future__ import annotations

import numpy as np

from seqbench.config.registry import FIGURES
from seqbench.reporting.evidence.material import Material
from seqbench.reporting.figures import style
from seqbench.reporting.figures.classification import SHADES
from seqbench.reporting.figures.methods import counted_rows
from seqbench.reporting.figures.panels import grid, note, short
from seqbench.reporting.figures.plot import Numbers, Plot
from seqbench.reporting.scores.event_counts import confusion

N_SHOWN_TYPES, N_CHARACTERS = 24, 14
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
        note(figure, "There is no event, and none was found.")
        return Plot(figure, numbers.table)
    part = counts[np.ix_(shown, shown)]
    axes.imshow(part / np.maximum(part.sum(axis=1, keepdims=True), 1), cmap=SHADES, vmin=0, vmax=1,
                aspect="auto")  # fmt: skip
    for i, j in np.argwhere(part):
        is_dark = part[i, j] > 0.55 * part[i].sum()
        axes.text(
            j, i, f"{part[i, j]}", ha="center", va="center", fontsize=8 if k <= 12 else 6,
            color="white" if is_dark else style.INK,
        )  # fmt: skip
    axes.set_xticks(range(k + 1), found, rotation=90 if k > 8 else 0, fontsize=7)
    axes.set_yticks(range(k + 1), true, fontsize=7)
    axes.axhline(k - 0.5, color=style.MUTED, linewidth=0.8)
    axes.axvline(k - 0.5, color=style.MUTED, linewidth=0.8)
    axes.set(xlabel="found as", ylabel="true type")
    names = [*classes, None]
    for i, j in np.argwhere(counts):
        numbers.add(
            model=rows[0].name, true=names[i] or EXTRA, found=names[j] or MISSED, n=counts[i, j]
        )
    inner = counts[:-1, :-1]
    wrong, missed, extra = inner.sum() - inner.trace(), counts[:-1, -1].sum(), counts[-1].sum()
    shown_words = f"{inner.trace()} right, {wrong} as another type, {missed} missed, {extra} extra."
    return Plot(figure, numbers.table, f"{rows[0].name}: {shown_words}")
