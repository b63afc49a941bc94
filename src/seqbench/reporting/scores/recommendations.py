"""Which method of a dataset to take, and the one it is held against."""

from __future__ import annotations

from dataclasses import dataclass

from seqbench.reporting.scores.leaderboards import Lead, Leaderboard, ModelScores, lead


@dataclass(frozen=True)
class Recommendation:
    """The method to take on a dataset.

    Parameters
    ----------
    taken
        The trained model that val selected; the best baseline where test shows that this is
        ahead beyond chance, or nothing was trained; None where nothing is better than the floor.
    runner_up
        The other of the two; None where there is no other.
    lead
        How far the one that is taken is ahead on test; None without a runner-up.
    """

    taken: ModelScores | None
    runner_up: ModelScores | None
    lead: Lead | None

    @property
    def verdict(self) -> str:
        """The lead in a word or two."""
        if self.lead is None:
            return ""
        return "tie" if self.lead.verdict in ("within chance", "equal") else self.lead.verdict


def recommendation(board: Leaderboard) -> Recommendation:
    """Return which method to take.

    Val chooses among trained models. Most baselines learn from val and so have no score on it, so
    one takes the place of the selected model only where test is clear about it: that looks at one
    pair, and at the baseline that test favours.
    """
    selected, baseline = board.selected, board.best_baseline
    is_floor = baseline is not None and board.floor is not None and baseline == board.floor
    if selected is None or baseline is None:
        return Recommendation(selected or (None if is_floor else baseline), None, None)
    if board.lead is None or board.lead.verdict != "behind":
        return Recommendation(selected, baseline, board.lead)
    if is_floor:
        return Recommendation(None, None, None)
    return Recommendation(baseline, selected, lead(baseline, selected))
