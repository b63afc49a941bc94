"""The mean over the seeds of a model, as `results/best` holds its scores, read as one run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from seqbench import layout
from seqbench.reporting.read.results import Result
from seqbench.storage.model_card import CARD, read_card
from seqbench.storage.records import Cost

ENSEMBLE = "_ensemble"  # behind the arm of the runs that are averaged


def ensemble_result(root: Path, members: Sequence[Result]) -> Result | None:
    """Return the scores of the mean of several runs as those of a run with seed 0.

    None where there are none: of a single run, of folds, and before `best` has followed the runs.

    Parameters
    ----------
    root
        Folder that holds `results/`.
    members
        Runs of the selected model, on one dataset.

    Raises
    ------
    FormatError
        If the card is damaged or of other models than lie beside it.
    """
    if len(members) < 2 or any(one.fold is not None for one in members):
        return None
    folder = root / layout.BEST.format(dataset=members[0].dataset)
    if not (folder / CARD).is_file():
        return None
    made = (folder / CARD).stat().st_mtime
    if any((root / one.run.fill(layout.METRICS)).stat().st_mtime > made for one in members):
        return None
    card = read_card(folder)
    runs = [one.run for one in card.models]
    if card.ensemble is None or any(one.metrics.run not in runs for one in members):
        return None
    first = min(members, key=lambda one: one.run)
    run = replace(first.run, arm=f"{first.run.arm}{ENSEMBLE}", seed=0)
    identity = first.metrics.run.model_copy(update={"arm": run.arm, "seed": 0})
    scores = {"run": identity, "scores": card.ensemble.scores, "cost": Cost(), "pretraining": None}
    return Result(run, first.metrics.model_copy(update=scores), None)
