"""Scores beside those that others published for the same problems and split."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from seqbench import layout
from seqbench.plan.plan import Model, Plan
from seqbench.reporting.evidence.material import BASELINE_COLOUR, Material
from seqbench.reporting.scores.published import comparable, published_table
from seqbench.statistics.student import mean_interval

METRIC = "accuracy"


@dataclass(frozen=True, kw_only=True)
class Counterparts:
    """A model and the method it stands beside.

    Parameters
    ----------
    method
        Name of the published method.
    source
        How often it was run, and by whom.
    scores
        A row for each problem: `dataset`, `problem`, `accuracy` on test, the mean over `n` runs,
        and `published`.
    """

    model: Model
    method: str
    source: str
    scores: pd.DataFrame

    @property
    def mean_difference(self) -> float:
        """Ours less the published accuracy, the mean over problems."""
        return float(self._differences.mean())

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % interval of the mean difference, paired over problems; None for a single one."""
        return mean_interval(self._differences.tolist())

    @property
    def _differences(self) -> pd.Series[float]:
        return self.scores["accuracy"] - self.scores["published"]


@dataclass(frozen=True, kw_only=True)
class Published:
    """Models beside their published counterparts.

    Parameters
    ----------
    pairs
        Those with a problem in common; those of one kind of network or baseline each.
    left_out
        Sentences on datasets of the archive that are not compared.
    colours
        By architecture.
    """

    pairs: Sequence[Counterparts]
    left_out: Sequence[str]
    colours: Mapping[str, str]

    @property
    def place(self) -> str:
        """What stands in place of a dataset in the paths of its figures."""
        return layout.PUBLISHED

    def colour(self, model: Model) -> str:
        """Return the colour of a model."""
        return BASELINE_COLOUR if model.is_baseline else self.colours[model.architecture]


def gather_published(plan: Plan, materials: Iterable[Material]) -> Published | None:
    """Return what of a plan stands beside published scores; None without the archive."""
    found = comparable(plan)
    if found is None:
        return None
    known = {material.dataset: material for material in materials}
    table = published_table()
    pairs = []
    for model, method in found.counterparts.items():
        rows = [
            (name, problem, score.mean, score.n, table.accuracies[problem][method])
            for name, problem in found.problems.items()
            if method in table.accuracies[problem]
            for board in known[name].boards
            if float(board.labels) == 1 or (model.is_baseline and board is known[name].board)
            for row in board.rows
            if row.model == model
            for score in [row.metrics[METRIC]]
            if score.mean is not None
        ]
        if rows:
            columns = ["dataset", "problem", "accuracy", "n", "published"]
            scores = pd.DataFrame(rows, columns=columns)
            source = table.sources[method]
            pairs.append(Counterparts(model=model, method=method, source=source, scores=scores))
    return Published(
        pairs=pairs,
        left_out=found.left_out,
        colours=next(iter(known.values())).colours,
    )
