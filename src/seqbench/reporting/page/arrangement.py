"""Where the figures of a dataset stand: one open below the leaderboard, the others folded away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seqbench.reporting.figures.catalog import TOPICS
from seqbench.reporting.figures.drawing import Drawing


@dataclass(frozen=True)
class Topic:
    """Figures that are opened together."""

    heading: str
    drawings: list[Drawing]

    @property
    def summary(self) -> str:
        """The heading with what is to be found below it."""
        titles = [_in_a_sentence(one.title) for one in self.drawings if not one.left_out]
        return f"{self.heading}: {', '.join(titles)}" if titles else self.heading


@dataclass(frozen=True)
class Arrangement:
    """The figure that stands open, if there is any, and the folded topics in their order."""

    lead: Drawing | None
    topics: list[Topic]


def arranged(drawings: Sequence[Drawing]) -> Arrangement:
    """Arrange the figures of a dataset, but those of blocks of their own.

    Parameters
    ----------
    drawings
        In the order of the page.
    """
    shown = [one for one in drawings if one.block in TOPICS]
    say_something = [one for one in shown if not one.left_out]
    lead = next((one for one in say_something if one.leads), next(iter(say_something), None))
    topics = [
        Topic(heading, [one for one in shown if one.block == block and one is not lead])
        for block, heading in TOPICS.items()
    ]
    return Arrangement(lead, [topic for topic in topics if topic.drawings])


def _in_a_sentence(title: str) -> str:
    """Return a title with a small first letter, unless it begins with an abbreviation."""
    return title if title[1:2].isupper() or title[1:2].isdigit() else title[0].lower() + title[1:]
