"""The leaderboard of joined results, as a page and as tables."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
from markupsafe import Markup

from seqbench import __version__
from seqbench.plan.plan import Model
from seqbench.reporting.evidence.across import Across, across_boards
from seqbench.reporting.evidence.material import BASELINE_COLOUR, colours_of
from seqbench.reporting.figures import rendering
from seqbench.reporting.figures.catalog import figures_across
from seqbench.reporting.figures.drawing import Drawing
from seqbench.reporting.page.report import environment, style
from seqbench.reporting.read.results import Result
from seqbench.reporting.scores.leaderboards import Leaderboard, ModelScores
from seqbench.reporting.scores.merging import Merged
from seqbench.reporting.text.across import across_sections
from seqbench.reporting.text.merging import lede, origins, warnings
from seqbench.statistics.comparison import N_DECIMALS

TITLE = "Joined leaderboard"
READ_BY_SCRIPT = re.compile(" data-values='[^']*'")


@dataclass(frozen=True)
class Joined:
    """All that is written of joined results.

    Parameters
    ----------
    page
        HTML.
    leaderboard, runs
        CSV, a model and a run a row.
    drawings
        Figures across datasets, by place and name.
    """

    page: str
    leaderboard: str
    runs: str
    drawings: Mapping[tuple[str, str], Drawing]


@dataclass(frozen=True)
class _Shades:
    """Colours of models, as templates ask for them."""

    by_architecture: Mapping[str, str]

    def colour(self, row: ModelScores | Model) -> str:
        """Return the colour of a model."""
        return BASELINE_COLOUR if row.is_baseline else self.by_architecture[row.architecture]


def join(merged: Merged, title: str = TITLE) -> Joined:
    """Return page, tables and figures; `title` is the heading."""
    names = dict.fromkeys(r.run.architecture for r in merged.results if not r.is_baseline)
    colours = colours_of(names)
    first = [boards[0] for boards in merged.boards]
    compared = across_boards(first, colours)
    drawings = {
        (one.place, figure): _still(rendering.draw(figure, one))
        for one in compared
        if one.block.can_tell
        for figure in figures_across()
    }
    return Joined(
        page=_page(merged, title, _Shades(colours), compared, drawings),
        leaderboard=leaderboard_table(merged),
        runs=runs_table(merged),
        drawings=drawings,
    )


def _still(drawing: Drawing) -> Drawing:
    """Return a drawing for a page without a script: no values to be read under the pointer."""
    return replace(drawing, element=Markup(READ_BY_SCRIPT.sub("", drawing.element)))


def _page(
    merged: Merged,
    title: str,
    shades: _Shades,
    compared: Sequence[Across],
    drawings: Mapping[tuple[str, str], Drawing],
) -> str:
    figures: dict[str, list[Drawing]] = {}
    for (place, _), drawing in drawings.items():
        figures.setdefault(place, []).append(drawing)
    return (
        environment("results/")
        .get_template("merge.html.j2")
        .render(
            title=title,
            merged=merged,
            shades=shades,
            lede=lede(merged),
            warnings=warnings(merged),
            rank=rank,
            across=across_sections(compared),
            figures=figures,
            n_decimals=N_DECIMALS,
            origins=list(origins(merged)),
            version=__version__,
            style=style(),
        )
    )


def rank(row: ModelScores, board: Leaderboard) -> int | None:
    """Return the place of a model, equal means sharing one; None of the ceiling or no score."""
    if row.is_ceiling or row.score.mean is None:
        return None
    others = [one.score.mean for one in board.rows if not one.is_ceiling and one.score.n]
    return 1 + sum(mean is not None and mean > row.score.mean for mean in others)


def leaderboard_table(merged: Merged) -> str:
    """Return a model of a dataset a row, as CSV."""
    rows = [
        _model(merged, board, row)
        for boards in merged.boards
        for board in boards
        for row in board.rows
    ]
    return _csv(rows)


def runs_table(merged: Merged) -> str:
    """Return a run a row, as CSV."""
    return _csv([_run(merged, result) for result in merged.results])


def _model(merged: Merged, board: Leaderboard, row: ModelScores) -> dict[str, Any]:
    low, high = row.score.interval or (None, None)
    margin_low, margin_high = (row.lead and row.lead.interval) or (None, None)
    return {
        "dataset": board.dataset,
        "task": board.task,
        "labels": float(board.labels),
        "rank": rank(row, board),
        "architecture": row.architecture,
        "arm": row.arm,
        "metric": row.headline,
        "mean": row.score.mean,
        "sd": row.score.sd,
        "n": row.score.n,
        "low": low,
        "high": high,
        "val": row.on_val.mean,
        "is_selected": row == board.selected,
        "is_tied": row.is_tied,
        "margin": row.lead.mean if row.lead else None,
        "margin_low": margin_low,
        "margin_high": margin_high,
        "train_s": row.cost("train_s"),
        "predict_s": row.cost("predict_s"),
        "results": "; ".join(merged.sources_of(row)),
    } | _origin(row.results)


def _run(merged: Merged, result: Result) -> dict[str, Any]:
    low, high = result.interval(result.headline) or (None, None)
    return (
        vars(result.run)
        | {
            "labels": float(result.run.labels),
            "metric": result.headline,
            "test": result.value(result.headline),
            "low": low,
            "high": high,
            "val": result.value(result.headline, "val"),
            "train_s": result.cost("train_s"),
            "predict_s": result.cost("predict_s"),
            "results": "; ".join(merged.names[result.run]),
        }
        | _origin([result])
    )


def _origin(results: Sequence[Result]) -> dict[str, str]:
    """Return versions and machine behind runs; several of one thing stand side by side."""
    found: dict[str, set[str]] = {}
    for one in (result.metrics.provenance for result in results):
        known = one.versions | one.machine
        values = {key: known.get(key) for key in ("seqbench", "torch", "processor")}
        for key, value in (values | {"commit": one.commit, "device": one.device}).items():
            found.setdefault(key, set()).update([value] if value else [])
    return {key: "; ".join(sorted(values)) for key, values in found.items()}


def _csv(rows: Sequence[dict[str, Any]]) -> str:
    frame = pd.DataFrame(rows)
    if "rank" in frame:
        frame["rank"] = frame["rank"].astype("Int64")
    return frame.to_csv(index=False, lineterminator="\n")
