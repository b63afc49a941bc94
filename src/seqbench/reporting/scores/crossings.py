"""Matrices of scores: trained on one dataset, tested on another."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from seqbench.config.arms import Arm
from seqbench.plan.plan import Model
from seqbench.reporting.read.crossings import Crossed
from seqbench.reporting.read.results import Result
from seqbench.reporting.scores.estimates import Estimate
from seqbench.storage.overlaps import Overlap


@dataclass(frozen=True)
class Cell:
    """A model of one dataset on test of one.

    Parameters
    ----------
    score
        Headline over the seeds, with its interval.
    is_own
        Whether it is the test of the dataset that it was trained on.
    overlaps
        What that test shares with the datasets that the model learned from.
    """

    score: Estimate
    is_own: bool
    overlaps: tuple[Overlap, ...] = ()

    @property
    def n_seen(self) -> int:
        """Windows of that test, as its own dataset cuts them, in the one that holds most."""
        return max((one.n_known("test") for one in self.overlaps), default=0)

    @property
    def n_shared_groups(self) -> int:
        """Groups of that test in the one that holds most."""
        return max((one.n_known_groups("test") for one in self.overlaps), default=0)

    @property
    def is_leak(self) -> bool:
        """Whether the model has learned from what it is scored on, or was chosen on it."""
        return self.n_seen > 0 or self.n_shared_groups > 0


@dataclass(frozen=True)
class Matrix:
    """One model, trained on each dataset of a row and tested on each of a column.

    Parameters
    ----------
    cells
        By row and column; not all are there.
    """

    model: Model
    labels: str
    headline: str
    rows: list[str]
    columns: list[str]
    cells: dict[tuple[str, str], Cell]


def matrices(
    crossed: Sequence[Crossed], results: Iterable[Result], overlaps: Iterable[Overlap] = ()
) -> list[Matrix]:
    """Return a matrix for each model, fraction of labels and headline that was crossed.

    Parameters
    ----------
    results
        Of the runs on their own test.
    overlaps
        What these tests share with other datasets that models were pretrained on.
    """
    runs: dict[tuple[Model, str, str], dict[tuple[str, str], list[Crossed]]] = {}
    for one in crossed:
        run = one.result.run
        key = run.model, run.labels, one.result.headline
        runs.setdefault(key, {}).setdefault((run.dataset, one.tested_on), []).append(one)
    own: dict[tuple[Model, str, str], list[Result]] = {}
    for result in results:
        run = result.run
        own.setdefault((run.model, run.labels, run.dataset), []).append(result)
    pretrained: dict[tuple[str, str | None], Overlap] = {
        (one.dataset, one.source): one.of_train() for one in overlaps
    }
    return [
        _matrix(key, of_model, own, pretrained)
        for key, of_model in sorted(runs.items(), key=_order)
    ]


def _order(item: tuple[tuple[Model, str, str], object]) -> tuple[bool, tuple[Model, str, str]]:
    return item[0][0].is_baseline, item[0]


def _matrix(
    key: tuple[Model, str, str],
    crossed: dict[tuple[str, str], list[Crossed]],
    own: dict[tuple[Model, str, str], list[Result]],
    pretrained: dict[tuple[str, str | None], Overlap],
) -> Matrix:
    model, labels, headline = key
    rows = sorted({row for row, _ in crossed})
    columns = sorted({column for _, column in crossed} | set(rows))
    cells = {
        pair: Cell(
            score=Estimate.of([one.result for one in of_cell], headline),
            is_own=False,
            overlaps=of_cell[0].overlaps,
        )
        for pair, of_cell in crossed.items()
    }
    source = None if model.is_baseline else Arm.parse(model.arm).dataset
    for row in rows:
        if of_row := own.get((model, labels, row)):
            overlaps = (pretrained[row, source],) if (row, source) in pretrained else ()
            cells[row, row] = Cell(Estimate.of(of_row, headline), is_own=True, overlaps=overlaps)
    return Matrix(model, labels, headline, rows, columns, cells)


def cross_table(found: Iterable[Matrix]) -> str:
    """Return every cell as CSV, one a row."""
    rows = [
        {
            "architecture": matrix.model.architecture,
            "arm": matrix.model.arm,
            "labels": matrix.labels,
            "trained_on": row,
            "tested_on": column,
            "metric": matrix.headline,
            "value": cell.score.mean,
            "sd": cell.score.sd,
            "n": cell.score.n,
            "low": cell.score.interval[0] if cell.score.interval else None,
            "high": cell.score.interval[1] if cell.score.interval else None,
            "n_test_windows_known": cell.n_seen,
            "n_test_groups_known": cell.n_shared_groups,
        }
        for matrix in found
        for (row, column), cell in sorted(matrix.cells.items())
    ]
    return pd.DataFrame(rows).to_csv(index=False, lineterminator="\n")
