"""The part of a plan whose runs have finished, and words on the part that has not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from seqbench import layout
from seqbench.errors import UserError
from seqbench.plan.plan import Plan, Run
from seqbench.plan.searches import search_files
from seqbench.plan.workflow_jobs import overlap_files, run_files
from seqbench.reporting.read.promotions import read_promotions

NAME = "{dataset}, {architecture}, {arm}, labels {labels}, seed {seed}"


@dataclass(frozen=True)
class Missing:
    """Runs of one model that have not finished, on a dataset or one of its folds."""

    dataset: str
    architecture: str
    arm: str
    labels: str
    seeds: list[int]


def finished_part(plan: Plan, root: Path) -> Plan:
    """Return a plan without the runs whose results are not there yet.

    A score that is older than another file of its run is that of a model or of
    windows which have been made anew since: the run has yet to be scored again. A run whose
    options are still searched has not finished either.

    Parameters
    ----------
    plan
        Names the files; no directory is searched.
    root
        Folder that holds `results/`.

    Raises
    ------
    UserError
        If no trained model has finished.
    """
    promotions = read_promotions(plan, root)
    unfinished = [
        run
        for run, files in run_files(plan).items()
        if not _is_finished(files, root)
        or not all(
            (root / path).exists()
            for path in [
                *search_files(plan, [run], promotions),
                *overlap_files(plan, [run]),
            ]
        )
    ]
    finished = Plan(plan.benchmark, unfinished)
    if not finished.trained:
        raise UserError(
            f"{root / layout.METRICS.partition('{')[0]}: none of the {len(plan.trained)} models has"
            " finished, so there is nothing to report; `seqbench status` shows how far they are"
        )
    return finished


def unfinished_warnings(plan: Plan) -> list[str]:
    """Return sentences on what a plan leaves out; none where all runs have finished."""
    if not plan.unfinished:
        return []
    left_out, requested, finished = sorted(plan.unfinished), plan.requested, plan.base_datasets
    if len(left_out) <= 3:
        names = "; ".join(run.fill(NAME) for run in left_out)
    else:
        n_all, n_missing = (
            Counter(plan.benchmark.base_dataset(run.dataset) for run in runs)
            for runs in (requested.runs, left_out)
        )
        names = ", ".join(f"{n_missing[n]} of {n_all[n]} on {n}" for n in finished if n_missing[n])
    verb = "has" if len(left_out) == 1 else "have"
    where = f": {names}" if names else ""
    found = [
        f"{len(left_out)} of {len(requested.runs)} runs {verb} not finished{where}."
        " Means are over the runs that have, so models may differ in seeds; n counts them."
    ]
    if without := ", ".join(name for name in requested.base_datasets if name not in finished):
        found.append(f"No trained model has finished on {without}; this page leaves them out.")
    return found


def unfinished_by_dataset(plan: Plan) -> dict[str, list[Missing]]:
    """Return what a plan leaves out, by dataset in the order of the config."""

    def model(run: Run) -> tuple[str, str, str, str]:
        return run.dataset, run.architecture, run.arm, run.labels

    found: dict[str, list[Missing]] = {}
    for name in plan.requested.base_datasets:
        own = sorted(r for r in plan.unfinished if plan.benchmark.base_dataset(r.dataset) == name)
        models = [Missing(*key, [run.seed for run in runs]) for key, runs in groupby(own, model)]
        if models:
            found[name] = models
    return found


def _is_finished(files: Iterable[str], root: Path) -> bool:
    try:
        *before, score = [(root / path).stat().st_mtime for path in files]
    except OSError:
        return False
    return score >= max(before)
