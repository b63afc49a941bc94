"""Models across datasets: ranks, wins, tests and effect sizes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from seqbench.plan.plan import Model, Plan
from seqbench.reporting.evidence.material import BASELINE_COLOUR, Material
from seqbench.reporting.scores.blocks import Block, blocks, blocks_of, can_tell
from seqbench.reporting.scores.leaderboards import Leaderboard
from seqbench.reporting.scores.metrics import metric_label
from seqbench.statistics import comparison
from seqbench.statistics.attainable import ALPHA, smallest_p
from seqbench.statistics.comparison import Friedman, Pair


@dataclass(frozen=True)
class Standing:
    """A model among the others: its average rank, and its datasets against all others together."""

    model: Model
    rank: float
    wins: int
    ties: int
    losses: int


@dataclass(frozen=True, kw_only=True)
class Across:
    """Models of a block over its datasets.

    Parameters
    ----------
    block
        Which models and datasets are compared.
    values
        Mean headline on test by dataset and model, (n_datasets, n_models),
        columns by `Model.name`. Nothing is missing: datasets and models without
        a defined value are gone.
    headlines
        By dataset.
    n_runs
        Fewest and most runs that a mean is over.
    undefined
        Sentences: datasets and models that are gone.
    colours
        By architecture.
    """

    block: Block
    values: pd.DataFrame
    headlines: Mapping[str, str]
    n_runs: tuple[int, int]
    undefined: Sequence[str]
    colours: Mapping[str, str]

    @property
    def place(self) -> str:
        """What stands in place of a dataset in the paths of its figures."""
        return self.block.place

    @property
    def n_datasets(self) -> int:
        """Number of datasets with a value of every model."""
        return len(self.values)

    @cached_property
    def models(self) -> list[Model]:
        """Models in the order of the columns."""
        return [model for model in self.block.models if model.name in self.values]

    @property
    def can_compare(self) -> bool:
        """Whether at least two models have values on two datasets."""
        return self.n_datasets > 1 and len(self.models) > 1

    @property
    def can_tell(self) -> bool:
        """Whether a test can distinguish any two of the models."""
        return self.can_compare and can_tell(self.n_datasets, len(self.models))

    @property
    def can_test(self) -> bool:
        """Whether the test of a single pair can reach `ALPHA`."""
        return self.can_compare and smallest_p(self.n_datasets) <= ALPHA

    @cached_property
    def ranks(self) -> pd.Series[float]:
        """Average rank by name of the model, 1 is best."""
        return pd.Series(comparison.average_ranks(self._array), index=self.values.columns)

    @cached_property
    def pairs(self) -> list[Pair]:
        """All pairs of models, by their columns."""
        return comparison.pairs(self._array)

    @cached_property
    def friedman(self) -> Friedman | None:
        """The test whether models differ at all."""
        return comparison.friedman(self._array)

    @cached_property
    def cliques(self) -> list[tuple[int, ...]]:
        """Columns of models that a bar joins, best first."""
        return comparison.cliques(comparison.average_ranks(self._array), self.pairs)

    @cached_property
    def standings(self) -> list[Standing]:
        """The models, best rank first."""
        found = []
        for column, model in enumerate(self.models):
            own = [self.pair(column, other) for other in range(len(self.models)) if other != column]
            totals = np.sum([(one.wins, one.ties, one.losses) for one in own], axis=0).tolist()
            found.append(Standing(model, float(self.ranks[model.name]), *totals))
        return sorted(found, key=lambda one: one.rank)

    def pair(self, one: int | Model, other: int | Model) -> Pair:
        """Return two models compared, seen from the first."""
        first, second = (m if isinstance(m, int) else self.models.index(m) for m in (one, other))
        found = next(pair for pair in self.pairs if {pair.first, pair.second} == {first, second})
        return found if found.first == first else found.reversed()

    def colour(self, model: Model) -> str:
        """Return the colour of a model."""
        return BASELINE_COLOUR if model.is_baseline else self.colours[model.architecture]

    @property
    def _array(self) -> comparison.Array:
        return self.values.to_numpy(np.float64)


def gather_across(plan: Plan, materials: Iterable[Material]) -> list[Across]:
    """Return the comparisons across datasets that a plan gives rise to."""
    known = {material.dataset: material for material in materials}
    boards = [material.board for material in known.values()]
    return [_across(one, boards, known[one.datasets[0]].colours) for one in blocks(plan)]


def across_boards(boards: Sequence[Leaderboard], colours: Mapping[str, str]) -> list[Across]:
    """Return the comparisons across the datasets of leaderboards.

    Parameters
    ----------
    boards
        One of each dataset, that with most labels.
    colours
        By architecture.
    """
    ran = [
        (board.dataset, row.model)
        for board in boards
        for row in board.rows
        if row.is_baseline or float(board.labels) == 1
    ]
    found = blocks_of({board.dataset: board.task for board in boards}, ran)
    return [_across(block, boards, colours) for block in found]


def _across(block: Block, all_boards: Iterable[Leaderboard], colours: Mapping[str, str]) -> Across:
    # With all labels.
    boards = {board.dataset: board for board in all_boards if board.dataset in block.datasets}
    rows = {(name, row.model): row for name, board in boards.items() for row in board.rows}
    datasets = list(block.datasets)
    means = {m.name: [rows[name, m].score.mean for name in datasets] for m in block.models}
    values = pd.DataFrame(means, index=datasets, dtype=float)
    defined = values.dropna(how="all")
    whole = defined.dropna(axis=1)
    models = [model for model in block.models if model.name in whole]
    n_runs = [rows[name, model].score.n for name in whole.index for model in models]
    undefined = [
        f"{name}: no model has a defined {metric_label(boards[name].headline)}."
        for name in values.index.difference(defined.index)
    ] + [
        f"{name}: no defined value on {', '.join(defined.index[defined[name].isna()])}."
        for name in values.columns.difference(whole.columns, sort=False)
    ]
    return Across(
        block=block,
        values=whole,
        headlines={name: board.headline for name, board in boards.items()},
        n_runs=(min(n_runs, default=0), max(n_runs, default=0)),
        undefined=undefined,
        colours=colours,
    )
