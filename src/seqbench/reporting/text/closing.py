"""The last lines of a run: the best model of each dataset, the page, and how to use a model."""

from pathlib import Path

from seqbench import layout
from seqbench.plan.plan import Plan
from seqbench.reporting.read.results import collect
from seqbench.reporting.scores import formats
from seqbench.reporting.scores.leaderboards import Leaderboard, ModelScores, leaderboards
from seqbench.reporting.scores.metrics import metric_label
from seqbench.reporting.text.usage import usages


def closing_lines(plan: Plan, root: Path) -> list[str]:
    """Return a line for each dataset, then the page, then the command that uses the first model.

    A root that is not the working directory stands in a line before.

    The model of a dataset is the one that val selects, as on the page.

    Parameters
    ----------
    plan
        Its runs have finished.
    root
        Folder that holds `results/`.
    """
    results = collect(plan, root)
    boards = [leaderboards(results, dataset)[0] for dataset in plan.base_datasets]
    lines = [] if root == Path() else [f"in {root}:"]
    lines += [*map(_result, boards), f"page: {layout.REPORT}"]
    uses = [use for board in boards if board.selected is not None for use in usages(plan, board)]
    lines += [f"use:  {use.command}" for use in uses[:1]]
    return lines


def _result(board: Leaderboard) -> str:
    if board.selected is None:
        return f"{board.dataset}: no model has a score"
    line = f"{board.dataset}: {_score(board.selected)} on test, {metric_label(board.headline)}"
    if board.best_baseline is not None:
        line += f"; best baseline: {_score(board.best_baseline)}"
    return line


def _score(row: ModelScores) -> str:
    """Return a model with its headline and the interval of that."""

    def write(value: float | None) -> str:
        return formats.metric_value(value, row.headline)

    name = row.architecture if row.is_baseline else row.name
    text = f"{name} {write(row.score.mean)}"
    return f"{text} {formats.interval(row.score.interval, write)}" if row.score.interval else text
