"""Tables for papers: the leaderboard of each dataset and one over all, in LaTeX, Markdown and CSV.

LaTeX and Markdown hold the strings of the page, CSV the numbers behind them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from seqbench import layout
from seqbench.reporting.page.escapes import latex, markdown
from seqbench.reporting.scores import formats
from seqbench.reporting.scores.column_bests import ColumnBests, mean_text
from seqbench.reporting.scores.estimates import Estimate
from seqbench.reporting.scores.leaderboards import Leaderboard, ModelScores
from seqbench.reporting.scores.metrics import metric_label
from seqbench.reporting.text.searches import tuned_notes
from seqbench.tasks.metric_names import best_at_zero, family_of, higher_is_better

TEMPLATES = Path(__file__).parent / "templates"
RUNS = "n counts runs: seeds, or folds \N{MULTIPLICATION SIGN} seeds."
INTERVAL = "95 % interval"


@dataclass(frozen=True)
class Cell:
    """What stands in one place of a table."""

    text: str
    is_bold: bool = False


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table as readers see it.

    Parameters
    ----------
    heading, notes
        Sentences above and below it.
    headers
        One for each column, the first `n_names` of which hold words.
    blocks
        Rows of cells, with a rule between blocks.
    """

    heading: str
    headers: list[str]
    n_names: int
    blocks: list[list[list[Cell]]]
    notes: list[str]


def paper_tables(boards: Sequence[Sequence[Leaderboard]]) -> dict[str, str]:
    """Return the text of every table by its path.

    Parameters
    ----------
    boards
        Of each dataset its leaderboards, that with most labels first.
    """
    first = [of_dataset[0] for of_dataset in boards]
    found = _texts(layout.OVERALL_TABLE, overall_table(first), overall_numbers(first))
    for one in boards:
        pattern = layout.TABLE.format(dataset=one[0].dataset, form="{form}")
        found |= _texts(pattern, leaderboard_table(one), leaderboard_numbers(one))
    return found


def leaderboard_table(boards: Sequence[Leaderboard]) -> Table:
    """Return the leaderboards of one dataset as one table, a block for each fraction of labels."""
    headline = boards[0].headline
    others = _others(boards)
    has_labels = len(boards) > 1
    labels = ["labels"] if has_labels else []
    return Table(
        heading=f"Leaderboard of {boards[0].dataset}: scores on test.",
        headers=[
            *(*labels, "model", "arm", metric_label(headline), "n", INTERVAL),
            *map(_directed, others),
        ],
        n_names=len(labels) + 2,
        blocks=[_block(board, others, has_labels=has_labels) for board in boards],
        notes=[
            f"Mean over runs, of {metric_label(headline)} ± one standard deviation; {RUNS}",
            "Intervals are those of the report: by the bootstrap over groups of test and seeds, or"
            " of the mean over folds.",
            "Bold: the best of a column, a ceiling aside. ↓: lower is better; → 0: best at 0.",
            *tuned_notes(boards[0]),
        ],
    )


def overall_table(boards: Sequence[Leaderboard]) -> Table:
    """Return the model selected on val and the best baseline of each dataset."""
    return Table(
        heading="The model selected on val against the best baseline, on test.",
        headers=[
            *("dataset", "metric", "model", "arm", "best baseline", "score", "n", INTERVAL),
            *("baseline's score", "margin", f"{INTERVAL} of the margin"),
        ],
        n_names=5,
        blocks=[[_overall_row(board) for board in boards]],
        notes=[
            f"Mean over runs ± one standard deviation; {RUNS}",
            "The best baseline is the best on test, which favours it. Bold: the better of the two.",
            *(f"{board.dataset}: {note}" for board in boards for note in tuned_notes(board)),
        ],
    )


def leaderboard_numbers(boards: Sequence[Leaderboard]) -> pd.DataFrame:
    """Return every estimate of the leaderboards of a dataset, unrounded, one a row."""
    columns = ["labels", "architecture", "arm", "metric"]
    return pd.DataFrame(
        [
            dict(zip(columns, (float(board.labels), row.architecture, row.arm, name), strict=True))
            | _numbers(row.metrics[name])
            for board in boards
            for row in board.rows
            for name in board.metric_names
        ]
    )


def overall_numbers(boards: Sequence[Leaderboard]) -> pd.DataFrame:
    """Return what `overall_table` shows, unrounded, a dataset a row."""
    found = []
    for board in boards:
        best, baseline = board.selected, board.best_baseline
        low, high = (board.lead and board.lead.interval) or (None, None)
        found.append(
            {
                "dataset": board.dataset,
                "metric": board.headline,
                "architecture": best.architecture if best else None,
                "arm": best.arm if best else None,
                **_numbers(best.score if best else Estimate(None, None, 0)),
                "baseline": baseline.architecture if baseline else None,
                "baseline_mean": baseline.score.mean if baseline else None,
                "margin": board.margin,
                "margin_low": low,
                "margin_high": high,
            }
        )
    return pd.DataFrame(found)


def rendered(table: Table, form: str) -> str:
    """Return a table as text; `form` is "tex" or "md"."""
    return _environment(form).get_template(f"table.{form}.j2").render(table=table)


@cache  # with the compiled templates
def _environment(form: str) -> Environment:
    """Return what fills the templates of a form: whatever they print is escaped."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=False,  # that is for HTML: here `finalize` escapes whatever a template prints
        finalize={"tex": latex, "md": markdown}[form],
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        # Marks that neither LaTeX nor Markdown takes for its own.
        block_start_string="((*",
        block_end_string="*))",
        variable_start_string="(((",
        variable_end_string=")))",
        comment_start_string="((=",
        comment_end_string="=))",
    )


def _texts(pattern: str, table: Table, numbers: pd.DataFrame) -> dict[str, str]:
    """Return a table in all of `layout.TABLE_FORMS`, by path."""
    texts = {form: rendered(table, form) for form in ("tex", "md")}
    texts["csv"] = numbers.to_csv(index=False, lineterminator="\n")
    return {pattern.format(form=form): texts[form] for form in layout.TABLE_FORMS}


def _others(boards: Sequence[Leaderboard]) -> list[str]:
    """Return the metrics beside the headline; of those at tolerances, at the one that ranks."""
    names = dict.fromkeys(name for board in boards for name in board.metric_names)
    at = family_of(boards[0].headline)[1]
    return [n for n in names if n != boards[0].headline and family_of(n)[1] in (None, at)]


def _directed(metric: str) -> str:
    if best_at_zero(metric):
        return f"{metric_label(metric)} → 0"
    return metric_label(metric) if higher_is_better(metric) else f"{metric_label(metric)} ↓"


def _block(board: Leaderboard, others: Sequence[str], *, has_labels: bool) -> list[list[Cell]]:
    bests = ColumnBests(board)
    labels = [Cell(formats.percent(float(board.labels)))] if has_labels else []
    return [
        [
            *labels,
            Cell(_role(row, board)),
            Cell(row.arm),
            Cell(_with_deviation(row.score), bests.holds(row, board.headline)),
            Cell(row.counted),
            Cell(formats.interval(row.score.interval, formats.score)),
            *(Cell(mean_text(row, name), bests.holds(row, name)) for name in others),
        ]
        for row in board.rows
    ]


def _role(row: ModelScores, board: Leaderboard) -> str:
    if row.is_ceiling:
        return f"{row.architecture} (ceiling)"
    is_floor = board.floor is not None and row.name == board.floor.name
    return f"{row.architecture} (floor)" if is_floor else row.architecture


def _overall_row(board: Leaderboard) -> list[Cell]:
    best, baseline, nothing = board.selected, board.best_baseline, formats.NOTHING
    margin = board.margin or 0
    return [
        Cell(board.dataset),
        Cell(metric_label(board.headline)),
        *(Cell(getattr(best, name, nothing)) for name in ("architecture", "arm")),
        Cell(getattr(baseline, "architecture", nothing)),
        Cell(_with_deviation(best.score) if best else nothing, margin > 0),
        Cell(best.counted if best else nothing),
        Cell(formats.interval(best.score.interval if best else None, formats.score)),
        Cell(formats.score(baseline.score.mean if baseline else None), margin < 0),
        Cell(formats.signed_score(board.margin)),
        Cell(formats.interval(board.lead.interval if board.lead else None, formats.signed_score)),
    ]


def _with_deviation(score: Estimate) -> str:
    mean = formats.score(score.mean)
    return mean if score.sd is None else f"{mean} ± {formats.score(score.sd)}"


def _numbers(score: Estimate) -> dict[str, Any]:
    low, high = score.interval or (None, None)
    return {"mean": score.mean, "sd": score.sd, "n": score.n, "low": low, "high": high}
