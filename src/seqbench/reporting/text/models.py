"""Every model of every dataset, with all of its scores and costs, for the table to choose from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from seqbench.reporting.evidence.material import Material
from seqbench.reporting.scores import formats
from seqbench.reporting.scores.estimates import Estimate
from seqbench.reporting.scores.leaderboards import Leaderboard, ModelScores
from seqbench.reporting.scores.metrics import metric_label
from seqbench.reporting.text.runs import COSTS, key_of
from seqbench.tasks.metric_names import tags


@dataclass(frozen=True)
class ListedModel:
    """A model of a leaderboard among those of all datasets."""

    material: Material
    board: Leaderboard
    row: ModelScores

    @property
    def fraction(self) -> float:
        """Fraction of the labels that it was given; baselines have all."""
        return 1.0 if self.row.is_baseline else float(self.board.labels)

    @property
    def labels(self) -> str:
        """The same in words."""
        return formats.percent(self.fraction)


def listed_models(materials: Iterable[Material]) -> list[ListedModel]:
    """Return every model of every dataset; baselines once, though they stand in all boards."""
    return [
        ListedModel(material, board, row)
        for material in materials
        for board in material.boards
        for row in board.rows
        if not row.is_baseline or board is material.board
    ]


def model_values(models: Iterable[ListedModel]) -> dict[str, Any]:
    """Return scores and costs of models as JSON values for the script of the page.

    ``metrics`` holds, by name, what a metric is called and whether it is best at the highest
    value, the lowest or zero; ``costs`` the keys and names of costs. ``models`` holds, by the key
    of the run that stands for a model, its headline, its number of runs, its scores by metric
    (mean, the same in words, spread, interval, mean on val, the same in words) and its costs by
    their place (mean, the same in words).
    """
    listed = list(models)
    names = dict.fromkeys(name for one in listed for name in one.board.metric_names)
    return {
        "metrics": {name: [metric_label(name), tags(name)["better"]] for name in names},
        "costs": [[key, label] for key, (label, _) in COSTS.items()],
        "models": {
            key_of(one.row.chosen.run): {
                "headline": one.board.headline,
                "n": one.row.counted,
                "scores": {
                    name: _score(one.row, name)
                    for name in one.board.metric_names
                    if one.row.metrics[name].mean is not None
                },
                "costs": [
                    [_short(mean), write(mean)] if (mean := one.row.cost(key)) is not None else None
                    for key, (_, write) in COSTS.items()
                ],
            }
            for one in listed
        },
    }


def _score(row: ModelScores, name: str) -> list[Any]:
    write = partial(formats.metric_value, metric=name)
    score = row.metrics[name]
    on_val = Estimate.of_values(one.value(name, "val") for one in row.results).mean
    return [
        _short(score.mean),
        write(score.mean),
        "" if score.sd is None else f"\N{PLUS-MINUS SIGN} {write(score.sd)}",
        "" if score.interval is None else formats.interval(score.interval, write),
        _short(on_val),
        write(on_val),
    ]


def _short(value: float | None) -> float | None:
    """Return six digits, enough to sort by; `summary.csv` holds them all."""
    return None if value is None else float(f"{value:.6g}")
