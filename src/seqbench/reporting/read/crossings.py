"""Scores on test of other datasets, of models as they are."""

from dataclasses import dataclass
from pathlib import Path

from seqbench import layout
from seqbench.errors import FormatError
from seqbench.plan.plan import Plan
from seqbench.reporting.read.results import Result, read_result
from seqbench.storage.overlaps import Overlap, read_overlap


@dataclass(frozen=True)
class Crossed:
    """What a run scores on test of another dataset.

    Parameters
    ----------
    result
        Of the run, with the scores on that test alone.
    tested_on
        The other dataset.
    overlaps
        What its val and test share with the dataset of the run, and with train of another one
        that the encoder was pretrained on.
    """

    result: Result
    tested_on: str
    overlaps: tuple[Overlap, ...]


def read_crossings(plan: Plan, root: Path) -> list[Crossed]:
    """Return the scores on other datasets; of a plan with runs left out, those that are there.

    Raises
    ------
    FormatError
        If a file is missing, damaged, or of something else.
    """
    found = []
    for one in sorted(plan.crossings):
        pairs = plan.pairs_of(one)
        overlaps = [root / layout.OVERLAP.format(**pair._asdict()) for pair in pairs]
        paths = (root / one.fill(layout.CROSS_METRICS), *overlaps)
        if plan.unfinished and not all(path.exists() for path in paths):
            continue
        result = read_result(one.run, paths[0])
        if result.metrics.tested_on != one.tested_on:
            raise FormatError(
                f"{paths[0]}: holds scores on {result.metrics.tested_on}, not on {one.tested_on};"
                " delete it and run again"
            )
        own, *pretrained = map(read_overlap, overlaps)
        learned_from = (own, *(overlap.of_train() for overlap in pretrained))
        found.append(Crossed(result, one.tested_on, learned_from))
    return found
