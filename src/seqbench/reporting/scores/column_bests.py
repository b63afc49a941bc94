"""The best of each column of a leaderboard, which tables set in bold."""

from seqbench.reporting.scores import formats
from seqbench.reporting.scores.leaderboards import Leaderboard, ModelScores
from seqbench.tasks.metric_names import best_at_zero, higher_is_better


def mean_text(row: ModelScores, metric: str) -> str:
    """Return the mean of a metric as tables write it."""
    estimate = row.metrics.get(metric)
    return formats.metric_value(estimate.mean if estimate else None, metric)


class ColumnBests:
    """How the best mean of each column is written, as what reads the same is as good.

    Parameters
    ----------
    board
        Its ceiling competes with nobody.
    """

    def __init__(self, board: Leaderboard) -> None:
        self._texts = {name: _best_text(board, name) for name in board.metric_names}

    def holds(self, row: ModelScores, metric: str) -> bool:
        """Whether no model is better than this one, and any is worse."""
        return not row.is_ceiling and mean_text(row, metric) == self._texts.get(metric)


def _best_text(board: Leaderboard, metric: str) -> str | None:
    """Return the text of the best mean, None where no model is better than another."""
    rows = [row for row in board.rows if not row.is_ceiling and metric in row.metrics]
    means = [mean for row in rows if (mean := row.metrics[metric].mean) is not None]
    if len({formats.metric_value(mean, metric) for mean in means}) < 2:
        return None
    if best_at_zero(metric):
        return formats.metric_value(min(means, key=abs), metric)
    return formats.metric_value((max if higher_is_better(metric) else min)(means), metric)
