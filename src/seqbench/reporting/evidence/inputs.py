"""What evidence of a task is gathered from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from seqbench.plan.plan import Run
from seqbench.reporting.scores.leaderboards import Leaderboard


@dataclass(frozen=True, kw_only=True)
class EvidenceInputs:
    """A leaderboard and the files behind it.

    Parameters
    ----------
    board
        The one with most labels.
    shown
        The dataset, or the fold of the model selected on val.
    windows
        File of the windows of `shown`.
    root
        Folder that holds `results/`.
    template_runs
        Runs whose models hold templates that are drawn.
    """

    board: Leaderboard
    shown: str
    windows: Path
    root: Path
    template_runs: Sequence[Run]
