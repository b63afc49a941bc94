"""How far the selected model of each dataset is ahead of the best baseline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from seqbench import layout
from seqbench.reporting.evidence.material import Material
from seqbench.reporting.scores.leaderboards import Lead, ModelScores


@dataclass(frozen=True, kw_only=True)
class Margin:
    """The margin of one dataset.

    Parameters
    ----------
    model, baseline
        The trained model selected on val, and the baseline that is best on test.
    lead
        How far the model is ahead.
    caveat
        Why the dataset does not count: its only baseline is the floor, or windows or groups of
        val or test leak into train; "" where it does.
    """

    dataset: str
    headline: str
    model: ModelScores
    baseline: ModelScores
    lead: Lead
    caveat: Literal["", "floor", "leak"]


@dataclass(frozen=True, kw_only=True)
class Margins:
    """The margins of all datasets that have one, in the order of the plan; colours by name."""

    rows: Sequence[Margin]
    colours: Mapping[str, str]

    @property
    def place(self) -> str:
        """What stands in place of a dataset in the paths of the figure."""
        return layout.MARGINS

    @property
    def counted(self) -> list[Lead]:
        """Leads on the datasets that count."""
        return [row.lead for row in self.rows if not row.caveat]

    def without(self, caveat: str) -> list[str]:
        """Return the datasets that do not count for one reason."""
        return [row.dataset for row in self.rows if row.caveat == caveat]


def gather_margins(materials: Iterable[Material]) -> Margins:
    """Return the margins of datasets."""
    rows: list[Margin] = []
    colours: dict[str, str] = {}
    for material in materials:
        board = material.board
        colours |= material.colours
        if board.selected is None or board.best_baseline is None or board.lead is None:
            continue
        rows.append(
            Margin(
                dataset=material.dataset,
                headline=board.headline,
                model=board.selected,
                baseline=board.best_baseline,
                lead=board.lead,
                caveat=material.caveat,
            )
        )
    return Margins(rows=rows, colours=colours)
