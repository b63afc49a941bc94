"""What is left of a figure that was drawn: its files, and what the page has of it."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from seqbench import layout
from seqbench.config.registry import FIGURES
from seqbench.reporting.figures import catalog


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A figure as SVG and PDF, the numbers in it as CSV, and what the page has of it.

    Parameters
    ----------
    place, figure
        As in the paths of its files.
    element
        The SVG as an element of the page, see `inline`.
    left_out
        Why the page does not show it; empty: it does.
    key
        Digest of all that it was drawn from, see `kept`; empty: not known.
    """

    place: str
    figure: str
    element: Markup
    left_out: str
    svg: bytes
    pdf: bytes
    csv: str
    key: str = ""

    @property
    def title(self) -> str:
        """Its heading."""
        return catalog.title(self.figure)

    @property
    def caption(self) -> str:
        """The sentences under it."""
        return catalog.caption(self.figure)

    @property
    def block(self) -> str:
        """Where the page shows it, see `catalog`."""
        return catalog.block(self.figure)

    @property
    def leads(self) -> bool:
        """Whether it may stand open below the leaderboard."""
        return bool(FIGURES.entry(self.figure).tags.get("leads", False))

    @property
    def files(self) -> dict[str, str]:
        """Path of each file, by what it is."""
        patterns = {"SVG": layout.FIGURE, "PDF": layout.FIGURE_PDF, "CSV": layout.FIGURE_TABLE}
        return {
            form: pattern.format(dataset=self.place, figure=self.figure)
            for form, pattern in patterns.items()
        }
